/* SPDX-License-Identifier: MIT */
/* Asks the dynamic linker for a library by name. */
#ifndef PORTRES_CLI_LINKER_H
#define PORTRES_CLI_LINKER_H

#include <limits.h>
#include <stdbool.h>

struct linked {
	bool ours;		 /* it is libportres.so */
	bool loaded;		 /* it is some library */
	int error;		 /* -Exxx: it was not asked */
	char text[2 * PATH_MAX]; /* its path, or why there is none */
};

/* Has the linker load it: only the linker knows about libraries for another
 * machine, damaged ones, mounts without exec, and its own directories. */
void linker_ask(const char *name, struct linked *ret);

#endif
