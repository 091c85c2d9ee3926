/* SPDX-License-Identifier: MIT */
/* What the files named reserve share. */
#ifndef PORTRES_CORE_RESERVE_INSIDE_H
#define PORTRES_CORE_RESERVE_INSIDE_H

#include "core/reserve.h"

/*
 * Takes a range without marks into a picked slot. Returns 0; 1 and the port
 * that is in use in ret_port; or -Exxx.
 */
int reserve_take(struct pool *pool, const struct acquire *wanted,
		 struct range range, struct slot *slot, uint32_t *ret_port);

/* Takes one that is found in the windows of `wanted`. Returns 0 or -Exxx. */
int reserve_take_wildcard(struct pool *pool, const struct acquire *wanted,
			  struct slot *slot);

/* What its owner is told of a slot. */
struct reservation reserve_grant(const struct slot *slot);

#endif
