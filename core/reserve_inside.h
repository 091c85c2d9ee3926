/* SPDX-License-Identifier: MIT */
/* What reserve.c and reserve_acquire.c share. */
#ifndef PORTRES_CORE_RESERVE_INSIDE_H
#define PORTRES_CORE_RESERVE_INSIDE_H

#include "core/reserve.h"

/*
 * The living reservation that covers the port, or NULL; frees a dead one.
 * Returns 0, or -EMFILE or -ENFILE when it may be a dead one.
 */
int reserve_find_holder(struct pool *pool, enum protocol protocol,
			uint32_t port, struct slot **ret);

/* What its owner is told of a slot. */
struct reservation reserve_grant(const struct slot *slot);

#endif
