/* SPDX-License-Identifier: MIT */
/*
 * A set of lines, by a 32-bit hash: which ones have been seen before, and under
 * which number last. In memory of its own, because it is too large for a signal
 * stack and malloc is not ours to call. It grows as long as there is memory.
 */
#ifndef PORTRES_CORE_KERNEL_LINESET_H
#define PORTRES_CORE_KERNEL_LINESET_H

#include <stdbool.h>

#include "core/kernel/sys.h"

struct lineset_entry {
	uint32_t hash; /* 0 = empty */
	uint32_t number;
};

struct lineset {
	const struct sys_ops *sys;
	struct lineset_entry *entry;
	uint32_t size; /* a power of two */
	uint32_t count;
};

/* Returns 0 or -Exxx. */
int lineset_make(const struct sys_ops *sys, struct lineset *ret);
void lineset_free(struct lineset *set);

/* Forgets all lines. */
void lineset_clear(struct lineset *set);

/* Never 0. The same line has another hash under another seed. */
uint32_t lineset_hash(const char *line, size_t n, uint64_t seed);

/* The entry, or NULL. It stays where it is until the next lineset_put(). */
struct lineset_entry *lineset_find(const struct lineset *set, uint32_t hash);

/* Adds it, or gives it a new number. Returns 0, or -ENOMEM. */
int lineset_put(struct lineset *set, uint32_t hash, uint32_t number);

#endif
