/* SPDX-License-Identifier: MIT */
#include "bench/starts.h"

#include <arpa/inet.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bench/bench.h"

enum { STARTS = 20 };

int
bind_once(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(BENCH_FREE_PORT)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0;
}

double
time_starts(const char *library, const char *pool, const char *path,
	    char *const argv[])
{
	char preload[1024], where[1024];
	char *const envp[] = {where, library ? preload : NULL, NULL};
	double start;

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
	snprintf(where, sizeof(where), "PORTRES_POOL=%s", pool);
	start = now();
	for (int i = 0; i < STARTS; i++) {
		pid_t pid;
		int status;

		if (posix_spawn(&pid, path, NULL, NULL, argv, envp))
			die(path);
		if (waitpid(pid, &status, 0) != pid || status != 0)
			die(path);
	}
	return (now() - start) / STARTS;
}
