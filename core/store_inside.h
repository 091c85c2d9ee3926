/* SPDX-License-Identifier: MIT */
/* What store.c and store_text.c share. */
#ifndef PORTRES_CORE_STORE_INSIDE_H
#define PORTRES_CORE_STORE_INSIDE_H

#include "core/store.h"

/*
 * Writes the text to fd without the lines of `without` and with a line for
 * `with` at the end; either may be NULL. Returns 0 or -Exxx.
 */
int store_write(const struct store *store, int fd, const struct block *without,
		const struct block *with);

#endif
