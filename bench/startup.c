/* SPDX-License-Identifier: MIT */
/*
 * usage: startup OURS.so EMPTY.so PORTRES POOL
 *
 * Starts programs with each of the two preloaded, alternating, and prints rows
 * as bench.c does: `true`; a program that binds once (this one, as "startup
 * bind"); and `true` under `portres run`, against `true` alone. An empty object
 * is what any preload costs.
 */
#include <arpa/inet.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bench/bench.h"

enum { STARTS = 20 };

static char pool[1024];

static int
bind_once(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(BENCH_FREE_PORT)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0;
}

/* `library` NULL: nothing is preloaded. */
static double
time_starts(const char *library, const char *path, char *const argv[])
{
	char preload[1024];
	char *const envp[] = {pool, library ? preload : NULL, NULL};
	double start;

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
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

int
main(int argc, char **argv)
{
	char *const nothing[] = {"true", NULL};
	char *const binding[] = {"startup", "bind", NULL};
	char *const running[] = {"portres", "run",  "--tcp", "1",
				 "--",	    "true", NULL};
	double mine[3][ROUNDS], theirs[3][ROUNDS];

	if (argc == 2 && strcmp(argv[1], "bind") == 0)
		return bind_once();
	if (argc != 5)
		return 2;
	snprintf(pool, sizeof(pool), "PORTRES_POOL=%s", argv[4]);
	for (int i = 0; i < ROUNDS; i++) {
		mine[0][i] = time_starts(argv[1], "/bin/true", nothing);
		theirs[0][i] = time_starts(argv[2], "/bin/true", nothing);
		mine[1][i] = time_starts(argv[1], "/proc/self/exe", binding);
		theirs[1][i] = time_starts(argv[2], "/proc/self/exe", binding);
		mine[2][i] = time_starts(NULL, argv[3], running);
		theirs[2][i] = time_starts(NULL, "/bin/true", nothing);
	}
	print_row("start of true : empty preload", typical(mine[0]),
		  typical(theirs[0]), 1.05);
	print_row("a program that binds once : the same", typical(mine[1]),
		  typical(theirs[1]), NO_LIMIT);
	print_row("portres run --tcp 1 -- true : true", typical(mine[2]),
		  typical(theirs[2]), NO_LIMIT);
	return 0;
}
