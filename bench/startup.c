/* SPDX-License-Identifier: MIT */
/*
 * usage: startup OURS.so EMPTY.so PORTRES POOL
 *
 * Starts programs with each of the two preloaded, alternating, and prints rows
 * as bench.c does: `true`; a program that binds once (this one, as "startup
 * bind"); and `true` under `portres run`, against `true` alone. An empty object
 * is what any preload costs.
 */
#include <string.h>

#include "bench/bench.h"
#include "bench/starts.h"

int
main(int argc, char **argv)
{
	char *const nothing[] = {"true", NULL};
	char *const binding[] = {"startup", "bind", NULL};
	char *const running[] = {"portres", "run",  "--tcp", "1",
				 "--",	    "true", NULL};
	double mine[3][ROUNDS], theirs[3][ROUNDS];
	const char *pool;

	if (argc == 2 && strcmp(argv[1], "bind") == 0)
		return bind_once();
	if (argc != 5)
		return 2;
	pool = argv[4];
	for (int i = 0; i < ROUNDS; i++) {
		mine[0][i] = time_starts(argv[1], pool, "/bin/true", nothing);
		theirs[0][i] = time_starts(argv[2], pool, "/bin/true", nothing);
		mine[1][i] =
			time_starts(argv[1], pool, "/proc/self/exe", binding);
		theirs[1][i] =
			time_starts(argv[2], pool, "/proc/self/exe", binding);
		mine[2][i] = time_starts(NULL, pool, argv[3], running);
		theirs[2][i] = time_starts(NULL, pool, "/bin/true", nothing);
	}
	print_row("start of true : empty preload", typical(mine[0]),
		  typical(theirs[0]), 1.05);
	print_row("a program that binds once : the same", typical(mine[1]),
		  typical(theirs[1]), NO_LIMIT);
	print_row("portres run --tcp 1 -- true : true", typical(mine[2]),
		  typical(theirs[2]), NO_LIMIT);
	return 0;
}
