/* SPDX-License-Identifier: MIT */
/*
 * Where libportres.so is, for who wants it preloaded.
 */
#ifndef PORTRES_CLI_LIBRARY_H
#define PORTRES_CLI_LIBRARY_H

#include <limits.h>
#include <stdbool.h>

struct library {
	char path[PATH_MAX];
	const char *why; /* that one: for humans */
};

/* PORTRES_LIB, LD_PRELOAD, next to the command, in ../lib: the first that is
 * there. Where there is none, `why` says so and the path is empty. */
bool library_find(struct library *ret);

/* Is the file in LD_PRELOAD, under whatever name? */
bool library_preloaded(const char *path);

/* Puts the file before what LD_PRELOAD has; once is enough. */
void library_preload(const char *path);

#endif
