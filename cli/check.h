/* SPDX-License-Identifier: MIT */
/* The lines of `portres doctor`: ok, warning or error, the subject, the
 * finding, and after a colon the way out. */
#ifndef PORTRES_CLI_CHECK_H
#define PORTRES_CLI_CHECK_H

#include <stdbool.h>

#include "core/pool/pool.h"

enum verdict { GOOD, WARNING, ERROR };

/* Prints one line, and keeps the worst verdict. */
void check(enum verdict verdict, const char *subject, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum verdict check_worst(void);

void check_library(void);
void check_environment(void);
void check_pool(void);
void check_logind(void);
/* Asks about the pool's directory. */
void check_sandbox(const char *directory);
void check_store(void);
void check_kernel(void);
void check_guard(void);

/* Is this process under a guard? */
bool guard_is_here(void);

#endif
