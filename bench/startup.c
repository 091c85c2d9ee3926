/* SPDX-License-Identifier: MIT */
/*
 * usage: startup OURS.so EMPTY.so
 * Starts `true` with each of the two preloaded, alternating, and prints a row
 * as bench.c does. An empty object is what any preload costs.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "bench/bench.h"

enum { STARTS = 40 };

static double
time_starts(const char *library)
{
	char preload[1024];
	char *const argv[] = {"true", NULL};
	char *const envp[] = {preload, NULL};
	double start;

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
	start = now();
	for (int i = 0; i < STARTS; i++) {
		pid_t pid;
		int status;

		if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, envp))
			die("posix_spawn");
		if (waitpid(pid, &status, 0) != pid || status != 0)
			die("true");
	}
	return (now() - start) / STARTS;
}

int
main(int argc, char **argv)
{
	double mine[ROUNDS], theirs[ROUNDS];

	if (argc != 3)
		return 2;
	for (int round = 0; round < ROUNDS; round++) {
		mine[round] = time_starts(argv[1]);
		theirs[round] = time_starts(argv[2]);
	}
	print_row("start of true : empty preload", typical(mine),
		  typical(theirs), 1.12);
	return 0;
}
