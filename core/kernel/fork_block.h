/* SPDX-License-Identifier: MIT */
/*
 * The fork block: while a thread of this process holds it, fork() waits, so
 * that no child inherits the descriptor of a held lock or a half-written table.
 * It is one word, which holds the process id of the thread that is inside.
 */
#ifndef PORTRES_CORE_KERNEL_FORK_BLOCK_H
#define PORTRES_CORE_KERNEL_FORK_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/kernel/sys.h"

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

/* Lets one thread of the process in. */
bool fork_block_enter(const struct sys_ops *sys, _Atomic uint32_t *gate);
void fork_block_leave(_Atomic uint32_t *gate);

/*
 * Holds the gate without the lock, so that no fork comes between: for fork()
 * itself, and for what opens a descriptor that no child should have. All
 * signals are blocked, because a handler might wait for us. Waits for at most
 * `limit` nanoseconds, and then goes on without.
 */
struct fork_block_hold {
	bool inside;
	uint64_t signals;
};

void fork_block_hold(const struct sys_ops *sys, _Atomic uint32_t *gate,
		     uint64_t limit, struct fork_block_hold *ret);
void fork_block_release(const struct sys_ops *sys, _Atomic uint32_t *gate,
			const struct fork_block_hold *hold);

#endif
