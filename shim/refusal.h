/* SPDX-License-Identifier: MIT */
/*
 * Why this thread's last call failed, for portres_refusal(): written where a
 * call fails, never where it succeeds. A call that the kernel refuses clears
 * it, or the reason of an earlier one with the same errno would be told.
 */
#ifndef PORTRES_SHIM_REFUSAL_H
#define PORTRES_SHIM_REFUSAL_H

#include <errno.h>

#include "core/pool/pool.h"
#include "core/pool/slot.h"
#include "portres.h"

/* Initial-exec, because the first use of other kinds may allocate. */
extern __thread struct portres_refusal refusal
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

static inline void
refusal_none(void)
{
	refusal.error = 0;
}

/* For a real function that has failed: its error as -Exxx. */
static inline long
kernels_refusal(void)
{
	refusal_none();
	return -errno;
}

/* `err` will mean that; port 0 is no certain one. */
void refusal_set(int err, uint32_t reason, uint16_t port);

/* PORTRES_RESERVED, by this slot; NULL: nobody can tell by which. */
void refusal_reserved(int err, uint16_t port, const struct slot *slot);

/* EADDRINUSE, which an acquire of the pool has just come to. */
void refusal_of_acquire(struct pool *pool);

/*
 * Says on stderr, in one write, why a bind to `port` is refused: by which
 * reservation, whose it is, and the way out. `unjudged`: nobody could tell
 * whether its owner lives. Leaves errno alone.
 */
void explain_refusal(const struct slot *slot, uint16_t port, bool unjudged);

/* The same of a port that is marked, and no slot has it. */
void explain_passing(uint16_t port);

#endif
