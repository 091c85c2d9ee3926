/* SPDX-License-Identifier: MIT */
/* A library is for one C library; a program of another one ends when its linker
 * has to load it. */
#ifndef PORTRES_CLI_INTERPRETER_H
#define PORTRES_CLI_INTERPRETER_H

#include <limits.h>
#include <stdbool.h>

struct interpreter {
	char program[PATH_MAX]; /* found as execvp() finds it */
	char linker[PATH_MAX];	/* what it asks the kernel for */
};

/* Is the command a program of another C library than this one? False for
 * scripts, static programs, and what cannot be read. */
bool interpreter_is_foreign(const char *command, struct interpreter *ret);

/* The kernel has said ENOENT: of the command itself, or of the interpreter that
 * a script's first line or a program's header names? */
bool interpreter_is_missing(const char *command);

#endif
