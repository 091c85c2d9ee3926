/* SPDX-License-Identifier: MIT */
/*
 * The exclusive lock on the pool file: bounded, interruptible, and safe in
 * signal handlers, threads and forking processes.
 */
#ifndef PORTRES_CORE_POOL_LOCK_H
#define PORTRES_CORE_POOL_LOCK_H

#include <stdatomic.h>

#include "core/kernel/fork_block.h"
#include "core/kernel/low_fds.h"

enum pool_wait {
	POOL_WAIT,    /* up to 5 s, interruptible by signal handlers */
	POOL_PATIENT, /* up to 5 s: for calls that do not know EINTR */
	POOL_BRIEF,   /* up to 0.1 s: for calls that did not ask for the pool */
	POOL_TRY,     /* a few microseconds */
};

/*
 * Those that wait for the lock sleep here, and each drop of the lock wakes one
 * of them: by polling, the lock goes to those that happen to be awake, and
 * among dozens of processes some wait for half a second. In shared memory, and
 * only a hint: a wake that is lost, because its process was stopped or killed,
 * costs the others a nap.
 */
struct lock_queue {
	_Atomic uint32_t turn; /* a futex: counts the drops */
	/* 1 + the latest turn at which somebody went to sleep; 0: nobody
	 * sleeps. */
	_Atomic uint32_t sleeping;
};

/* A held lock: what lock_drop() undoes. */
struct pool_lock {
	_Atomic uint32_t *word;	  /* of the fork block */
	struct lock_queue *queue; /* NULL: wakes nobody */
	int fd;
	struct low_fds low;
	uint64_t signals;
};

/*
 * Opens `path` and locks it. On success all signals are blocked and
 * ret->fd is the locked descriptor. Errors as pool_enter(), and those of
 * opening: -ENOENT, -EACCES, -ELOOP …
 */
int lock_take(const struct sys_ops *sys, const char *path,
	      const struct fork_block *forks, struct lock_queue *queue,
	      enum pool_wait wait, struct pool_lock *ret);

void lock_drop(const struct sys_ops *sys, const struct pool_lock *lock);

#endif
