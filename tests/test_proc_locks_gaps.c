/* SPDX-License-Identifier: MIT */
/*
 * The list of locks is read in pieces while it changes. A lock that was there
 * all the time must be seen: a lease that is not counts as dead, and its ports
 * go to somebody else.
 */
#include "core/kernel/proc_locks.h"

#include "tests/locks_churn.h"

typedef int reading(const struct sys_ops *sys, const struct fork_block *guard,
		    proc_locks_seen *seen, void *context);

struct score {
	int read, gave_up, wrong;
};

/* Reads one list after another under such a churn. */
static struct score
play(reading *read, struct churn churn, int rounds)
{
	struct score score = {0};

	for (int round = 0; round < rounds; round++) {
		struct sim *sim = sim_new();
		struct report *report = calloc(1, sizeof(*report));
		uint32_t stay = dice_below(&churn.dice, 200);
		uint32_t go = dice_below(&churn.dice, 500);

		report->sim = sim;
		report->base = sim->last;
		report->naive = read == read_naively;
		while (stay + go > 0) {
			bool stays = dice_below(&churn.dice, stay + go) < stay;

			sim_add(sim, some_cpu(sim, &churn),
				new_lock(sim, &churn, stays));
			*(stays ? &stay : &go) -= 1;
		}
		sim->between = churn_now;
		sim->context = &churn;
		if (read(&sim->ops, NULL, note, report) == 0) {
			score.read++;
			score.wrong += missed(sim, report) > 0;
		} else {
			score.gave_up++;
		}
		free(report);
		sim_end(sim);
	}
	return score;
}

/* A list that is hard to follow is read in at least `read` of `rounds`. */
static void
expect_no_gaps(struct churn churn, int rounds, int read)
{
	uint64_t seed = churn.dice.seed;
	struct score score = play(read_naively, churn, rounds);

	/* Otherwise this test proves nothing. */
	cr_assert_gt(score.wrong, 0);
	score = play(proc_locks_read, churn, rounds);
	cr_assert_eq(score.wrong, 0, "seed %lu: %d of %d lists had gaps", seed,
		     score.wrong, score.read);
	cr_assert_geq(score.read, read, "only %d of %d were read", score.read,
		      rounds);
}

CHECK(locklist_gaps, none_while_locks_come_and_go)
{
	expect_no_gaps((struct churn){.dice = dice_from(14),
				      .add = 3,
				      .remove = 3,
				      .posix = 30},
		       300, 200);
	expect_no_gaps((struct churn){.dice = dice_from(15),
				      .add = 8,
				      .remove = 8,
				      .posix = 30},
		       300, 200);
}

CHECK(locklist_gaps, none_when_processes_with_many_locks_die)
{
	expect_no_gaps((struct churn){.dice = dice_from(16),
				      .add = 3,
				      .remove = 3,
				      .burst = 200},
		       400, 200);
}

/* A lock that is dropped and taken again looks the same at another place. */
CHECK(locklist_gaps, none_when_locks_are_taken_again_and_again)
{
	expect_no_gaps((struct churn){.dice = dice_from(17),
				      .add = 3,
				      .remove = 3,
				      .move = 40,
				      .burst = 200},
		       500, 200);
}

CHECK(locklist_gaps, none_among_locks_that_look_alike)
{
	expect_no_gaps((struct churn){.dice = dice_from(18),
				      .add = 3,
				      .remove = 3,
				      .twins = 40,
				      .burst = 200},
		       500, 200);
}

/* All who wait for a lock stand in one record with it: long ones, too. */
CHECK(locklist_gaps, none_behind_locks_that_many_wait_for)
{
	expect_no_gaps((struct churn){.dice = dice_from(19),
				      .add = 3,
				      .remove = 3,
				      .posix = 50,
				      .waiters = 1},
		       120, 12);
}

/* However long they are: a list that holds still is always read. */
CHECK(locklist_gaps, none_where_nothing_moves)
{
	struct churn churn = {.dice = dice_from(20), .posix = 50, .waiters = 5};
	struct score score = play(proc_locks_read, churn, 200);

	cr_assert_eq(score.read, 200, "%d lists were given up", score.gave_up);
	cr_assert_eq(score.wrong, 0);
}
