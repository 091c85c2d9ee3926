/* SPDX-License-Identifier: MIT */
/* Clear ranges: the parts of the kernel's ephemeral range without a reserved
 * port. Autobind takes ports from these (shim/autobind.h). */
#ifndef PORTRES_CORE_POOL_CLEAR_RANGE_H
#define PORTRES_CORE_POOL_CLEAR_RANGE_H

#include <stdbool.h>

#include "core/pool/layout.h"

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
