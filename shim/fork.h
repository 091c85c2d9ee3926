/* SPDX-License-Identifier: MIT */
/*
 * This process and fork(): forks wait until no thread is inside a pool.
 */
#ifndef PORTRES_SHIM_FORK_H
#define PORTRES_SHIM_FORK_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/kernel/fork_block.h"

/* For this process' pools. */
extern const struct fork_block fork_block __attribute__((visibility("hidden")));

/*
 * A visit: while a descriptor of ours is open that no forked child should have,
 * and the pool's lock is not ours. Not to be made inside the pool, nor around
 * anything that waits for others. Another thread that is inside is waited for
 * for 1 ms and not longer: a close is not to wait, and a fork that comes in
 * just then is rare. Costs nothing in a process of one thread, which cannot
 * fork meanwhile.
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
 * A number that this process shares with none of its parents, nor with its
 * forked children: no load of a thread's memory survives a fork unnoticed,
 * whichever call made the child (fork, _Fork, clone). A child of vfork is in
 * its parent's memory and has its number. 0 where the kernel cannot do it.
 * One load, once it is there.
 */
#define FORK_GENERATION() (atomic_load(fork_page) ?: fork_generation())

extern _Atomic uint32_t *_Atomic fork_page
	__attribute__((visibility("hidden")));
uint32_t fork_generation(void);

#endif
