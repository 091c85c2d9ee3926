/* SPDX-License-Identifier: MIT */
/*
 * The fork block: while a thread of this process holds it, fork() waits, so
 * that no child inherits the descriptor of a held lock or a half-written table.
 * It is one word: the process id of the thread that holds it, or 0.
 */
#ifndef PORTRES_CORE_KERNEL_FORK_BLOCK_H
#define PORTRES_CORE_KERNEL_FORK_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/kernel/sys.h"

struct fork_block {
	/*
	 * The word that this thread takes. (A thread that forks holds the
	 * process' word itself; fork handlers of other libraries get another
	 * one.)
	 */
	_Atomic uint32_t *(*word)(void);
	/* Lends descriptors that stay open for longer than forks may wait: a
	 * child closes them. NULL in a program that never forks. */
	void (*lend)(const int fd[], int n);
	void (*take_back)(const int fd[], int n);
	/* Lets a fork that waits for the word go first, or threads that come
	 * again and again would keep it out. So NULL, too. */
	void (*give_way)(void);
};

/* For a program of one thread that never forks. */
extern const struct fork_block fork_block_alone;

/* Takes it; false when another thread of the process holds it. */
bool fork_block_enter(const struct sys_ops *sys, _Atomic uint32_t *word);
void fork_block_leave(_Atomic uint32_t *word);

/*
 * Takes it without the pool's lock: for fork() itself, and around descriptors
 * that no child should have. Blocks all signals, because a handler might wait
 * for us. Waits for at most `limit` nanoseconds, and then goes on without.
 */
struct fork_block_hold {
	bool inside;
	uint64_t signals;
};

#define FORK_BLOCK_HOLD_NS 100000000u /* a fork that comes then is rare */

void fork_block_hold(const struct sys_ops *sys, _Atomic uint32_t *word,
		     uint64_t limit, struct fork_block_hold *ret);
void fork_block_release(const struct sys_ops *sys, _Atomic uint32_t *word,
			const struct fork_block_hold *hold);

#endif
