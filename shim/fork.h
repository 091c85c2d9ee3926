/* SPDX-License-Identifier: MIT */
/*
 * The gate to this process' pools (core/pool.h): forks wait until no thread is
 * inside.
 */
#ifndef PORTRES_SHIM_FORK_H
#define PORTRES_SHIM_FORK_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/pool/lock.h"

extern _Atomic uint32_t fork_block_of_process
	__attribute__((visibility("hidden")));

/*
 * The gate that this thread goes in by: the process' or, while the thread is
 * forking and has shut that one, another, for fork handlers of other libraries
 * that call us meanwhile.
 */
_Atomic uint32_t *fork_block_here(void);

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

/*
 * A descriptor that stays open between two visits: a child closes it as soon as
 * it is forked, unless a handler in the thread that opened it has forked, and
 * the child goes on with it.
 */
void fork_lend(int fd);
void fork_take_back(int fd);

/* Called once by the constructor. */
void fork_register(void);

/*
 * A number that this process shares with none of its parents, nor with its
 * forked children: no load of a thread's memory survives a fork unnoticed,
 * whichever call made the child (fork, _Fork, clone). A child of vfork is in
 * its parent's memory and has its number. 0 where the kernel cannot do it.
 */
uint32_t fork_generation(void);

#endif
