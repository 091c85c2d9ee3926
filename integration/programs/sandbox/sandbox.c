/* SPDX-License-Identifier: MIT */
/*
 *	sandbox ERRNO RULE... -- COMMAND...
 *
 * Executes the command in a sandbox whose filter answers with that number to
 * the calls of the rules, as filter.h has them.
 */
#include <stdlib.h>
#include <unistd.h>

#include "filter.h"

int
main(int argc, char **argv)
{
	int i = 2;

	if (argc < 4)
		return 2;
	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (answer_to(argv[i], atoi(argv[1])) < 0)
			return 2;
	if (i + 1 >= argc || put_filter_on() < 0)
		return 2;
	execvp(argv[i + 1], argv + i + 1);
	return 127;
}
