/* SPDX-License-Identifier: MIT */
/*
 * Calls that bind, announced by this thread (core/pool/announce.h).
 */
#ifndef PORTRES_SHIM_ANNOUNCED_H
#define PORTRES_SHIM_ANNOUNCED_H

#include "core/pool/announce.h"
#include "core/pool/pool.h"

struct announced {
	struct announce announce;
	uint32_t generation; /* fork_generation() */
};

/* Announces a bind to `port`. Returns as announce_begin(). */
int announced_begin(struct pool *pool, uint16_t port, struct announced *ret);
void announced_end(const struct announced *announced);

#endif
