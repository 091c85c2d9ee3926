/* SPDX-License-Identifier: MIT */
/*
 * The pools that this process has opened: one, or one for each network
 * namespace that it has sockets in.
 */
#ifndef PORTRES_SHIM_POOLS_H
#define PORTRES_SHIM_POOLS_H

#include "core/pool/announce.h"
#include "core/pool/pool.h"

/*
 * The pool for a bind on `fd`; opened by the first one. NULL when there is
 * none to be had. Costs a load once it is open, and does not look again at
 * the socket's namespace: see docs/limits.md.
 */
#define POOLS_FOR_BIND(fd)                                                     \
	(atomic_load_explicit(&pools_first, memory_order_acquire)              \
		 ?: pools_open(fd))

extern struct pool *_Atomic pools_first __attribute__((visibility("hidden")));
struct pool *pools_open(int fd);

/*
 * The pool of the socket's namespace, whole, without entering it. Returns 0,
 * -ENETDOWN, or as pool_open().
 */
int pools_find(int fd, struct pool **ret_pool);

/*
 * Enters the pool of the socket's namespace, opening it anew where the file
 * was replaced. Returns as pool_enter() and pool_open().
 */
int pools_enter_how(int fd, enum pool_wait wait, struct pool **ret_pool,
		    struct pool_lock *ret_lock);

/*
 * For bind() and its kin, whose programs did not ask for the pool: they wait
 * for a moment, and are not interrupted. -EBUSY where another process has it.
 */
static inline int
pools_enter(int fd, struct pool **ret_pool, struct pool_lock *ret_lock)
{
	return pools_enter_how(fd, POOL_BRIEF, ret_pool, ret_lock);
}

/*
 * The pool that was opened last, NULL when there is none or its file was
 * truncated: to be written to without the lock.
 */
struct pool *pools_opened(void);

/*
 * Calls that bind, announced by this thread (core/pool/announce.h).
 */

struct announced {
	struct announce announce;
	uint32_t generation; /* fork_generation() */
};

/* Announces a bind to `port`. Returns as announce_begin(). */
int announced_begin(struct pool *pool, uint16_t port, struct announced *ret);
void announced_end(const struct announced *announced);

#endif
