/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct command *const commands[] = {
	&command_run,	     &command_list,  &command_who,
	&command_persistent, &command_guard, &command_doctor,
	&command_self_check,
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int
help(void)
{
	printf("usage: portres COMMAND [ARGUMENT]...\n"
	       "See, keep and diagnose reservations of TCP and UDP ports.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		if (!commands[i]->hidden)
			printf("  %-12s%s\n", commands[i]->name,
			       commands[i]->summary);
	printf("\nportres COMMAND --help tells more; so do portres(1) and "
	       "portres(7).\n");
	return finish(STATUS_OK);
}

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name)
		return misused(NULL, "say what to do");
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help();
	if (strcmp(name, "--version") == 0) {
		puts("portres " PORTRES_VERSION);
		return finish(STATUS_OK);
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i]->name) == 0)
			return commands[i]->main(commands[i], argc - 1,
						 argv + 1);
	return misused(NULL, *name == '-' ? "no option %s" : "no command '%s'",
		       name);
}
