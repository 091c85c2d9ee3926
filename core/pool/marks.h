/* SPDX-License-Identifier: MIT */
/*
 * The marks of many ports at once, four of them in a word of memory.
 *
 * Clear ranges are the parts of the kernel's ephemeral range without a mark:
 * autobind takes ports from these (shim/autobind.h).
 */
#ifndef PORTRES_CORE_POOL_MARKS_H
#define PORTRES_CORE_POOL_MARKS_H

#include <stdbool.h>

#include "core/pool/layout.h"

/* The first port of the range that has a mark, or 0. */
uint32_t marks_first(struct pool_file *file, enum protocol protocol,
		     struct range range);

/* Under the lock: gives each port of the range this mark; none has one. */
void marks_set(struct pool_file *file, enum protocol protocol,
	       struct range range, uint16_t mark);

/* Under the lock: clears this mark; other marks in the range stay. */
void marks_clear(struct pool_file *file, enum protocol protocol,
		 struct range range, uint16_t mark);

/*
 * May the kernel's own autobind pick a reserved port? Two loads, which must not
 * come before the store that announces the choice: see BINDERS in layout.h.
 */
static inline bool
clear_range_matters(struct pool_file *file)
{
	return atomic_load(&file->header.ephemeral[PROTOCOL_TCP]) ||
	       atomic_load(&file->header.ephemeral[PROTOCOL_UDP]);
}

/*
 * The clear range of `within` that comes next after `last`: the widest first,
 * because there the kernel finds a port soonest. `last` is CLEAR_RANGE_FIRST at
 * first. A range of no ports when there is none left.
 *
 * `odd`: before Linux 6.8 TCP passes over the last port of an odd number of
 * them. So when the kernel picks, that port is a range of its own as well.
 */
#define CLEAR_RANGE_FIRST ((struct range){0, PORT_COUNT})
struct range clear_range_next(struct pool_file *file, enum protocol protocol,
			      struct range within, bool odd, struct range last);

#endif
