/* SPDX-License-Identifier: MIT */
/*
 * Why this thread's last call failed, for portres_refusal(): written when a
 * call fails, never when one succeeds. A call that the kernel refuses clears
 * it, or the reason of an earlier one with the same errno would be returned.
 */
#ifndef PORTRES_SHIM_REFUSAL_H
#define PORTRES_SHIM_REFUSAL_H

#include <errno.h>

#include "core/pool/pool.h"
#include "core/pool/slot.h"
#include "portres.h"

/* Initial-exec, because the first use of other TLS models may allocate. */
extern __thread struct portres_refusal refusal
	__attribute__((visibility("hidden")));

static inline void
refusal_none(void)
{
	refusal.error = 0;
}

/* The error of a real function that has failed, as -Exxx. */
static inline long
kernels_refusal(void)
{
	refusal_none();
	return -errno;
}

/* Sets the reason of `err`; port 0: no certain one. */
void refusal_set(int err, uint32_t reason, uint16_t port);

/* Sets PORTRES_RESERVED, by this slot; NULL: not known by which. */
void refusal_reserved(int err, uint16_t port, const struct slot *slot);

/* The port that stopped the pool's last acquire; to be read in the pool. */
struct obstacle {
	enum protocol protocol;
	uint16_t port; /* 0: none, or no certain one */
};

static inline struct obstacle
obstacle_of(const struct pool *pool)
{
	return (struct obstacle){pool->in_the_way_of,
				 (uint16_t)pool->in_the_way};
}

/* Sets the reason of the EADDRINUSE that an acquire has just returned. */
void refusal_of_acquire(struct pool *pool, struct obstacle obstacle);

#endif
