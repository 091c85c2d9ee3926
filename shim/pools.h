/* SPDX-License-Identifier: MIT */
/* The pools that this process has opened, one for each network namespace. */
#ifndef PORTRES_SHIM_POOLS_H
#define PORTRES_SHIM_POOLS_H

#include "core/pool/announce.h"
#include "core/pool/pool.h"

/*
 * The pool for a bind on `fd`; the first bind opens it. NULL when it cannot be
 * opened. Costs a load from then on, and does not look at the socket's
 * namespace again: see docs/limits.md.
 */
#define POOLS_FOR_BIND(fd)                                                     \
	(atomic_load_explicit(&pools_first, memory_order_acquire)              \
		 ?: pools_open(fd))

extern struct pool *_Atomic pools_first __attribute__((visibility("hidden")));
struct pool *pools_open(int fd);

/* The pool of the socket's namespace, without its lock; it is whole. Returns 0,
 * -ENETDOWN, or as pool_open(). */
int pools_find(int fd, struct pool **ret_pool);

/* For requests: enters the pool of the socket's namespace; opens it anew if its
 * file was replaced. Returns as pool_enter() and pool_open(): while none can be
 * opened, the one that there was is kept. */
int pools_enter(int fd, enum pool_wait wait, struct pool **ret_pool,
		struct pool_lock *ret_lock);

/*
 * For bind() and its kin, whose programs did not ask for the pool: POOL_BRIEF
 * or POOL_TRY. -EBUSY when another process has the lock. A pool whose file was
 * replaced, or cannot be found any more, stays theirs as it was until a request
 * opens another one: -ENETDOWN, and the mapping is whole.
 */
int pools_enter_to_bind(int fd, enum pool_wait wait, struct pool **ret_pool,
			struct pool_lock *ret_lock);

/* The pool that was opened last, to be written to without the lock; NULL when
 * there is none or its file was truncated. */
struct pool *pools_opened(void);

/* Announcements of this thread (core/pool/announce.h). */

struct announced {
	struct announce announce;
	uint32_t generation;	/* fork_generation() */
	uintptr_t frame_before; /* of the announcement before */
};

/* Announces a bind to `port`. Returns as announce_begin(); -EBUSY also in a
 * signal handler that has interrupted a bind of its thread. */
int announced_begin(struct pool *pool, uint16_t port, struct announced *ret);
void announced_end(const struct announced *announced);

#endif
