/* SPDX-License-Identifier: MIT */
/*
 * The exclusive lock on the pool file: bounded, interruptible, and safe in
 * signal handlers, threads and forking processes.
 */
#ifndef PORTRES_CORE_POOL_LOCK_H
#define PORTRES_CORE_POOL_LOCK_H

#include "core/kernel/fork_block.h"
#include "core/pool/pool.h"

/*
 * Opens `path` and locks it. On success all signals are blocked and
 * ret->fd is the locked descriptor. Errors as pool_enter(), and those of
 * opening: -ENOENT, -EACCES, -ELOOP …
 */
int lock_take(const struct sys_ops *sys, const char *path,
	      _Atomic uint32_t *gate, enum pool_wait wait,
	      struct pool_lock *ret);

void lock_drop(const struct sys_ops *sys, _Atomic uint32_t *gate,
	       const struct pool_lock *lock);

#endif
