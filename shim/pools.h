/* SPDX-License-Identifier: MIT */
/*
 * The pools that this process has opened: one, or one for each network
 * namespace that it has sockets in.
 */
#ifndef PORTRES_SHIM_POOLS_H
#define PORTRES_SHIM_POOLS_H

#include "core/pool.h"

/*
 * The pool for a bind on `fd`; opened by the first one. NULL when there is
 * none to be had. Costs a load once it is open, and does not look again at
 * the socket's namespace: see docs/limits.md.
 */
struct pool *pools_for_bind(int fd);

/*
 * Enters the pool of the socket's namespace, opening it anew where the file
 * was replaced. Returns as pool_enter() and pool_open().
 */
int pools_enter(int fd, struct pool **ret_pool, struct pool_lock *ret_lock);

/*
 * Enters the pool that was opened first, without waiting: for tidying up
 * after a socket that is gone. Returns 0 or -Exxx.
 */
int pools_enter_again(struct pool **ret_pool, struct pool_lock *ret_lock);

/* Called once by the constructor: forks wait for threads inside a pool. */
void pools_register_fork(void);

#endif
