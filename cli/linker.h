/* SPDX-License-Identifier: MIT */
/*
 * What the dynamic linker makes of a name.
 */
#ifndef PORTRES_CLI_LINKER_H
#define PORTRES_CLI_LINKER_H

#include <limits.h>
#include <stdbool.h>

struct linked {
	bool ours;		 /* it is libportres.so */
	bool loaded;		 /* it is some library */
	char text[2 * PATH_MAX]; /* its path, or why there is none */
};

/*
 * Has the linker load it: nobody else knows about libraries for another
 * machine, damaged ones, mounts without exec, and where it looks by itself.
 */
void linker_ask(const char *name, struct linked *ret);

#endif
