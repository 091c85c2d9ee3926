/* SPDX-License-Identifier: MIT */
/*
 * usage: stopped OURS.so DIRECTORY
 *
 * A new process' first bind, with the pool's lock held by a stopped process,
 * and with the lock free: two pools below the directory, in turns. Prints a row
 * as bench.c does. The new process is this program, as "stopped bind".
 */
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/starts.h"

/* A process that has the lock of the pool, and is stopped. */
static pid_t
stop_inside(const char *pool)
{
	char pattern[1100];
	glob_t files;
	int fd, status;
	pid_t pid;

	snprintf(pattern, sizeof(pattern), "%s/pool-*", pool);
	if (glob(pattern, 0, NULL, &files) || files.gl_pathc != 1)
		die("no pool");
	fd = open(files.gl_pathv[0], O_RDWR | O_CLOEXEC);
	pid = fork();
	if (pid == 0) {
		flock(fd, LOCK_EX);
		raise(SIGSTOP);
		_exit(0);
	}
	close(fd);
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		die("stop");
	globfree(&files);
	return pid;
}

static double
time_binds(const char *library, const char *pool)
{
	char *const argv[] = {"stopped", "bind", NULL};

	return time_starts(library, pool, "/proc/self/exe", argv);
}

int
main(int argc, char **argv)
{
	double held[ROUNDS], calm[ROUNDS];
	char pool[2][1024];
	pid_t holder;

	if (argc == 2 && strcmp(argv[1], "bind") == 0)
		return bind_once();
	if (argc != 3)
		return 2;
	for (int i = 0; i < 2; i++) {
		snprintf(pool[i], sizeof(pool[i]), "%s/%d", argv[2], i);
		if (mkdir(pool[i], 0700) < 0)
			die(pool[i]);
		time_binds(argv[1], pool[i]);
	}
	holder = stop_inside(pool[0]);
	for (int round = 0; round < ROUNDS; round++) {
		held[round] = time_binds(argv[1], pool[0]);
		calm[round] = time_binds(argv[1], pool[1]);
	}
	end_process(holder);
	print_row("first bind, lock held by a stopped : free", typical(held),
		  typical(calm), 1.1);
	return 0;
}
