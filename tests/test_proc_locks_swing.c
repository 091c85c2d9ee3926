/* SPDX-License-Identifier: MIT */
/*
 * A program takes a row of locks, drops them in turn, and begins anew, in front
 * of a lock that so many wait for that it needs a page for itself, and a lease
 * behind that. The page in front ends early; until the next read the list has
 * shrunk, and the reader is past its end without having come to the lease.
 */
#include "core/kernel/proc_locks.h"

#include "tests/locks_churn.h"

#define ROW 40u
#define WAITERS 45

struct swing {
	struct dice dice;
	uint32_t phase;	 /* first ROW steps up, then ROW steps down */
	uint32_t faster; /* fewer steps than so many between two reads */
	uint32_t calm;	 /* percent of all times: none */
	uint64_t lease;
	bool seen;
};

static void
step(struct sim *sim, struct swing *swing)
{
	if (swing->phase < ROW)
		sim_add(sim, 0,
			(struct sim_lock){.start = 2 * swing->phase + 2});
	else
		sim_remove(sim, 0, sim->cpu[0].n - 1);
	swing->phase = (swing->phase + 1) % (2 * ROW);
}

static void
swing_now(struct sim *sim)
{
	struct swing *swing = sim->context;

	if (dice_chance(&swing->dice, swing->calm))
		return;
	for (uint32_t i = dice_below(&swing->dice, swing->faster); i > 0; i--)
		step(sim, swing);
}

static void
look_for_lease(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	struct swing *swing = context;

	(void)device;
	(void)inode;
	swing->seen |= start == swing->lease;
}

static void
check_swing(struct swing swing, int lists, int read_at_least)
{
	uint64_t seed = swing.dice.seed;
	int read = 0;

	for (int i = 0; i < lists; i++) {
		struct sim *sim = sim_new();

		swing.lease = sim->last;
		swing.phase = 0;
		swing.seen = false;
		sim_add(sim, 1, (struct sim_lock){.start = swing.lease});
		sim_add(sim, 1,
			(struct sim_lock){.start = 1000, .waiters = WAITERS});
		for (uint32_t n = dice_below(&swing.dice, 2 * ROW); n > 0; n--)
			step(sim, &swing);
		sim->between = swing_now;
		sim->context = &swing;
		if (proc_locks_read(&sim->ops, NULL, look_for_lease, &swing) ==
		    0) {
			read++;
			cr_assert(swing.seen, "seed %lu, list %d", seed, i);
		}
		sim_end(sim);
	}
	cr_assert_geq(read, read_at_least, "%d were read", read);
}

CHECK(locklist_swing, hides_no_lease)
{
	/* Mostly such a list cannot be followed, and that is what is said. */
	check_swing((struct swing){.dice = dice_from(30), .faster = 80}, 300,
		    0);
	check_swing(
		(struct swing){.dice = dice_from(31), .faster = 80, .calm = 50},
		300, 0);
	check_swing((struct swing){.dice = dice_from(32), .faster = 10}, 300,
		    0);
	check_swing(
		(struct swing){.dice = dice_from(33), .faster = 40, .calm = 90},
		300, 250);
}
