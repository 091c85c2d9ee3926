/* SPDX-License-Identifier: MIT */
/*
 * The exclusive lock on the pool file: bounded, interruptible, and safe in
 * signal handlers, threads and forking processes.
 */
#ifndef PORTRES_CORE_LOCK_H
#define PORTRES_CORE_LOCK_H

#include "core/pool.h"

/*
 * What keeps forked children free of a descriptor that is open for longer
 * than the gate may be shut: it is lent, and a child closes it. NULL where
 * nobody forks.
 */
struct fork_guard {
	_Atomic uint32_t *gate;
	void (*lend)(int fd);
	void (*take_back)(int fd);
};

/* Lets one thread of the process in; it leaves by storing 0. */
bool lock_gate_enter(const struct sys_ops *sys, _Atomic uint32_t *gate);

/*
 * Holds the gate without the lock, so that no fork comes between: for fork()
 * itself, and for what opens a descriptor that no child should have. All
 * signals are blocked, because a handler might wait for us. Waits for at most
 * `limit` nanoseconds, and then goes on without.
 */
struct gate_hold {
	bool inside;
	uint64_t signals;
};

void lock_gate_hold(const struct sys_ops *sys, _Atomic uint32_t *gate,
		    uint64_t limit, struct gate_hold *ret);
void lock_gate_let_go(const struct sys_ops *sys, _Atomic uint32_t *gate,
		      const struct gate_hold *hold);

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
