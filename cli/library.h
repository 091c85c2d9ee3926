/* SPDX-License-Identifier: MIT */
/* Finds libportres.so for preloading, and a name for it that LD_PRELOAD can
 * have. */
#ifndef PORTRES_CLI_LIBRARY_H
#define PORTRES_CLI_LIBRARY_H

#include <limits.h>
#include <stdbool.h>

#include "cli/trouble.h"

struct library {
	char path[PATH_MAX];	/* absolute */
	char name[PATH_MAX];	/* the same file, for LD_PRELOAD */
	const char *why;	/* that one: for humans */
	struct trouble trouble; /* where there is none */
};

/*
 * Looks in PORTRES_LIB, LD_PRELOAD, next to the command, in ../lib, and in the
 * dynamic linker's places, and takes the first that is there. It is loaded once
 * as a test: the linker only warns of one that it cannot preload, and the
 * program goes on without.
 */
bool library_find(struct library *ret);

/* Is the file in LD_PRELOAD, under whatever name? */
bool library_preloaded(const struct library *library);

/* Does /etc/ld.so.preload name the file, for every program? */
bool library_everywhere(const struct library *library);

/* Does the linker find this file by the name that it has of itself? */
bool library_installed(const struct library *library);

/* Puts it first in LD_PRELOAD, and nowhere else: by the name that it has there,
 * if it has one. */
void library_preload(const struct library *library);

/* Sets the name: the path, or that of a link to it, without characters at which
 * the linker splits LD_PRELOAD or which it replaces. */
bool library_link(struct library *library);

/* Sets the trouble. Returns false. */
bool library_fail(struct library *library, const char *way_out,
		  const char *cause, ...) __attribute__((format(printf, 3, 4)));

#endif
