/* SPDX-License-Identifier: MIT */
/*
 * Lists that are so long that other locks come and go all the time while they
 * are read: nobody's locks, however many, keep the dead alive.
 */
#include "core/kernel/proc_locks.h"

#include "tests/locks_churn.h"

static struct sim *
list_of(uint32_t stay, uint32_t go, struct churn *churn)
{
	struct sim *sim = sim_new();

	while (stay + go > 0) {
		bool stays = dice_below(&churn->dice, stay + go) < stay;

		sim_add(sim, some_cpu(sim, churn), new_lock(sim, churn, stays));
		*(stays ? &stay : &go) -= 1;
	}
	return sim;
}

static int
read_list(struct sim *sim, size_t *ret_missed)
{
	struct report *report = calloc(1, sizeof(*report));
	int r;

	report->sim = sim;
	report->base = 1800000000000000000u;
	r = proc_locks_read(&sim->ops, NULL, note, report);
	*ret_missed = missed(sim, report);
	free(report);
	return r;
}

CHECK(locklist_long, a_hundred_thousand_locks)
{
	struct churn churn = {.dice = dice_from(40)};
	struct sim *sim = list_of(100000, 0, &churn);
	size_t missing;

	cr_assert_eq(read_list(sim, &missing), 0);
	cr_assert_eq(missing, 0);
	/* Two descriptors, twice. */
	cr_assert_leq(sim->reads, 9000, "%lu reads", sim->reads);
	sim_end(sim);
}

/* Nearly all lists are read, and nothing is missed in any. */
static void
play(int lists, uint32_t stay, uint32_t go, struct churn churn)
{
	uint64_t seed = churn.dice.seed;
	int read = 0;

	for (int i = 0; i < lists; i++) {
		struct sim *sim = list_of(stay, go, &churn);
		size_t missing;

		churn.taken = 0;
		sim->between = churn_now;
		sim->context = &churn;
		if (read_list(sim, &missing) == 0) {
			read++;
			cr_assert_eq(missing, 0, "seed %lu, list %d: %lu gaps",
				     seed, i, missing);
		}
		sim_end(sim);
	}
	cr_assert_geq(read, lists - 1, "%d of %d were read", read, lists);
}

/* Mostly nothing happens between two reads: while one is under way nobody else
 * comes to lists of locks. Then much does. */
CHECK(locklist_long, beside_a_process_that_takes_and_drops_a_thousand)
{
	struct churn churn = {
		.dice = dice_from(41), .row = 1000, .steps = 2000, .calm = 97};

	play(12, 20000, 2000, churn);
}

CHECK(locklist_long, while_thousands_come_and_go)
{
	struct churn churn = {.dice = dice_from(42),
			      .add = 600,
			      .remove = 300,
			      .burst = 6000,
			      .row = 2000,
			      .steps = 3000,
			      .calm = 99};

	play(12, 20000, 6000, churn);
}

CHECK(locklist_long, while_locks_are_taken_again_and_again)
{
	struct churn churn = {.dice = dice_from(43),
			      .add = 3,
			      .remove = 3,
			      .move = 40,
			      .burst = 200};

	play(12, 10000, 10000, churn);
}

CHECK(locklist_long, with_locks_that_others_wait_for)
{
	struct churn churn = {.dice = dice_from(44),
			      .waiters = 2,
			      .row = 1000,
			      .steps = 2000,
			      .calm = 97};

	play(2, 10000, 6000, churn);
}

/* Each text is there in thousands: no line tells where it stands. */
CHECK(locklist_long, of_locks_that_look_alike)
{
	struct churn churn = {.dice = dice_from(45),
			      .twins = 100,
			      .row = 1000,
			      .steps = 2000,
			      .calm = 97};

	play(8, 500, 12000, churn);
}

static void
look_for(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	bool *seen = context;

	(void)device;
	(void)inode;
	*seen |= start == 1800000000000000000u;
}

/*
 * The last lock of all, behind one that so many wait for that a page ends
 * before it: when the list shrinks in that moment the reader is past its end.
 */
CHECK(locklist_long, with_a_lease_behind_a_long_record)
{
	struct churn churn = {
		.dice = dice_from(46), .row = 40, .steps = 80, .calm = 50};
	int read = 0;

	for (int i = 0; i < 5; i++) {
		struct sim *sim = sim_new();
		bool seen = false;

		sim_add(sim, SIM_CPUS - 1,
			(struct sim_lock){.start = sim->last});
		sim_add(sim, SIM_CPUS - 1,
			(struct sim_lock){.start = 1000, .waiters = 45});
		for (uint32_t n = dice_below(&churn.dice, 200) + 17000; n; n--)
			sim_add(sim, some_cpu(sim, &churn),
				new_lock(sim, &churn, true));
		sim->between = churn_now;
		sim->context = &churn;
		if (proc_locks_read(&sim->ops, NULL, look_for, &seen) == 0) {
			read++;
			cr_assert(seen, "seed %lu, list %d", churn.dice.seed,
				  i);
		}
		sim_end(sim);
	}
	cr_assert_geq(read, 4);
}
