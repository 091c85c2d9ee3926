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

struct fork_block {
	/*
	 * The word, as this thread goes in by. (A thread that is forking holds
	 * the process' word itself; fork handlers of others get another one.)
	 */
	_Atomic uint32_t *(*word)(void);
	/*
	 * Descriptors that are open for longer than forks may wait are lent,
	 * and a child closes them. NULL where nobody forks.
	 */
	void (*lend)(const int fd[], int n);
	void (*take_back)(const int fd[], int n);
};

/* For a program of its own, one thread that never forks. */
extern const struct fork_block fork_block_alone;

/* Lets one thread of the process in. */
bool fork_block_enter(const struct sys_ops *sys, _Atomic uint32_t *word);
void fork_block_leave(_Atomic uint32_t *word);

/*
 * Holds it without the pool's lock, so that no fork comes between: for fork()
 * itself, and for what opens a descriptor that no child should have. All
 * signals are blocked, because a handler might wait for us. Waits for at most
 * `limit` nanoseconds, and then goes on without.
 */
struct fork_block_hold {
	bool inside;
	uint64_t signals;
};

void fork_block_hold(const struct sys_ops *sys, _Atomic uint32_t *word,
		     uint64_t limit, struct fork_block_hold *ret);
void fork_block_release(const struct sys_ops *sys, _Atomic uint32_t *word,
			const struct fork_block_hold *hold);

#endif
