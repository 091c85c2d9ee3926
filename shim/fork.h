/* SPDX-License-Identifier: MIT */
/* This process and fork(): forks wait until no thread has the pool's lock. */
#ifndef PORTRES_SHIM_FORK_H
#define PORTRES_SHIM_FORK_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/kernel/fork_block.h"

/* This process' fork block, for its pools. */
extern const struct fork_block fork_block __attribute__((visibility("hidden")));

/*
 * Holds the fork block while a descriptor of ours is open that no child should
 * have, without the pool's lock. Not to be called with that lock held, nor
 * around anything that waits for others. Waits for another thread for 1 ms at
 * most: a close must not wait, and a fork just then is rare. Costs nothing in a
 * process of one thread, which cannot fork meanwhile.
 */
struct fork_visit {
	bool under_way;
	struct fork_block_hold hold;
};

void fork_visit(struct fork_visit *ret);
void fork_visit_end(const struct fork_visit *visit);

/* Called once by the constructor. */
void fork_register(void);

/*
 * A number that this process shares with no parent and no forked child,
 * whichever call made the child (fork, _Fork, clone). A child of vfork is in
 * its parent's memory and has its number. 0 when the kernel cannot tell. One
 * load, once it is there.
 */
#define FORK_GENERATION() (atomic_load(fork_page) ?: fork_generation())

extern _Atomic uint32_t *_Atomic fork_page
	__attribute__((visibility("hidden")));
uint32_t fork_generation(void);

#endif
