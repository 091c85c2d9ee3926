/* SPDX-License-Identifier: MIT */
/*
 * A set of lines, by a 32-bit hash: which ones have been seen before. In
 * memory of its own, because it is too large for a signal stack and malloc is
 * not ours to call.
 */
#ifndef PORTRES_CORE_LINESET_H
#define PORTRES_CORE_LINESET_H

#include <stdbool.h>

#include "core/sys.h"

struct lineset {
	uint32_t *hash; /* 0 = empty */
	uint32_t size;	/* a power of two */
	uint32_t count;
};

/* Room for three quarters of `size` lines. Returns 0 or -Exxx. */
int lineset_make(const struct sys_ops *sys, uint32_t size, struct lineset *ret);
void lineset_free(const struct sys_ops *sys, struct lineset *set);

/* True also, once in thousands of millions, for one with the same hash. */
bool lineset_has(const struct lineset *set, const char *line, size_t n);

/* Returns 0, or -E2BIG when the set is full. */
int lineset_add(struct lineset *set, const char *line, size_t n);

#endif
