/* SPDX-License-Identifier: MIT */
/*
 * Where libportres.so is, for who wants it preloaded, and what LD_PRELOAD can
 * call it.
 */
#ifndef PORTRES_CLI_LIBRARY_H
#define PORTRES_CLI_LIBRARY_H

#include <limits.h>
#include <stdbool.h>

#include "cli/trouble.h"

struct library {
	char path[PATH_MAX];	/* absolute */
	char name[PATH_MAX];	/* the same file, as LD_PRELOAD can say it */
	const char *why;	/* that one: for humans */
	struct trouble trouble; /* where there is none */
};

/*
 * PORTRES_LIB, LD_PRELOAD, next to the command, in ../lib, where the dynamic
 * linker looks: the first that is there. It is loaded for a try: the linker
 * only warns of one that it cannot preload, and the program goes on without.
 */
bool library_find(struct library *ret);

/* Is the file in LD_PRELOAD, under whatever name? */
bool library_preloaded(const struct library *library);

/* Does the linker find this file by the name that it has of itself? */
bool library_installed(const struct library *library);

/* Puts it before what LD_PRELOAD has; once is enough. */
void library_preload(const struct library *library);

/*
 * Finds the name, one without the characters at which the linker splits
 * LD_PRELOAD, or which it replaces: the path, or that of a link to it.
 */
bool library_link(struct library *library);

/* Sets the trouble; false. */
bool library_fail(struct library *library, const char *way_out,
		  const char *cause, ...) __attribute__((format(printf, 3, 4)));

#endif
