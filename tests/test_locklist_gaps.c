/* SPDX-License-Identifier: MIT */
/*
 * The list of locks is read in pieces while it changes. A lock that was there
 * all the time must be seen: a lease that is not counts as dead, and its ports
 * go to somebody else.
 */
#include "core/locklist.h"

#include "tests/locks_churn.h"

#define SEEN_MAX 100000

struct report {
	const struct sim *sim;
	uint64_t base;
	bool naive; /* it takes cut lines for whole ones */
	bool seen[SEEN_MAX];
};

static void
note(void *context, uint32_t inode, uint64_t start)
{
	struct report *report = context;

	uint64_t n = (start - report->base) / 2;

	if (start < 1000) /* a twin */
		return;
	if (start > report->sim->last && report->naive)
		return;
	cr_assert(report->naive ||
			  (start <= report->sim->last &&
			   inode == sim_inode(&(struct sim_lock){.start = start})),
		  "no lock begins at %lu", start);
	if (n < SEEN_MAX)
		report->seen[n] = true;
}

static size_t
missed(const struct sim *sim, const struct report *report)
{
	size_t n = 0;

	for (size_t cpu = 0; cpu < SIM_CPUS; cpu++)
		for (size_t i = 0; i < sim->n[cpu]; i++)
			n += sim->lock[cpu][i].stays &&
			     !report->seen[(sim->lock[cpu][i].start -
					    report->base) /
					   2];
	return n;
}

/* What one would write first: one descriptor, from start to end. */
static int
read_naively(const struct sys_ops *sys, locklist_seen *seen, void *context)
{
	int fd = sys_open(sys, "/proc/locks", O_RDONLY, 0);
	char page[4096];
	long n;

	while ((n = sys_read(sys, fd, page, sizeof(page))) > 0)
		locklist_parse(page, (size_t)n, seen, context);
	sys_close(sys, fd);
	return 0;
}

typedef int reading(const struct sys_ops *sys, locklist_seen *seen,
		    void *context);

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
		if (read(&sim->ops, note, report) == 0) {
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

/* Where the list is hard to follow, at least `read` of `rounds` are. */
static void
expect_no_gaps(struct churn churn, int rounds, int read)
{
	uint64_t seed = churn.dice.seed;
	struct score score = play(read_naively, churn, rounds);

	/* Otherwise this test proves nothing. */
	cr_assert_gt(score.wrong, 0);
	score = play(locklist_read, churn, rounds);
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
		       300, 30);
}

CHECK(locklist_gaps, a_quiet_list_of_any_length_is_read_at_once)
{
	static const uint32_t lengths[] = {0,  1,   2,	 29,  30,  31, 55,
					   60, 65,  70,	 100, 128, 129, 500,
					   2000, 5000};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct churn churn = {.dice = dice_from(20), .posix = 20};
		struct sim *sim = sim_new();
		struct report *report = calloc(1, sizeof(*report));

		report->sim = sim;
		report->base = sim->last;
		for (uint32_t n = 0; n < lengths[i]; n++)
			sim_add(sim, n % SIM_CPUS,
				new_lock(sim, &churn, n % 3));
		cr_assert_eq(locklist_read(&sim->ops, note, report), 0,
			     "%u locks", lengths[i]);
		cr_assert_eq(missed(sim, report), 0);
		/* Two descriptors, three times running. */
		cr_assert_leq(sim->reads, lengths[i] / 3 + 30, "%lu reads",
			      sim->reads);
		free(report);
		sim_end(sim);
	}
}

/* Each time another list, with nothing in common. */
static void
change_all(struct sim *sim)
{
	struct churn *churn = sim->context;

	for (size_t cpu = 0; cpu < SIM_CPUS; cpu++) {
		sim->n[cpu] = 0;
		for (int i = 0; i < 100; i++)
			sim_add(sim, cpu, new_lock(sim, churn, false));
	}
}

static void
ignore(void *context, uint32_t inode, uint64_t start)
{
	(void)context;
	(void)inode;
	(void)start;
}

/* What cannot be read counts as alive: nobody could have dead ports again. */
CHECK(locklist_gaps, a_short_list_is_read_however_fast_it_changes)
{
	struct churn churn = {.dice = dice_from(27), .add = 5, .remove = 5};
	int read = 0;

	for (int round = 0; round < 400; round++) {
		struct sim *sim = sim_new();

		for (int i = 0; i < 20; i++)
			sim_add(sim, some_cpu(sim, &churn),
				new_lock(sim, &churn, i % 2));
		sim->between = churn_now;
		sim->context = &churn;
		read += locklist_read(&sim->ops, ignore, NULL) == 0;
		sim_end(sim);
	}
	cr_assert_geq(read, 396, "only %d of 400", read);
}

/*
 * One read, at a close: a lock beyond it is not gone. Here all room is before
 * a record that did not fit.
 */
CHECK(locklist_gaps, a_glance_does_not_take_an_end_for_the_end)
{
	struct churn churn = {.dice = dice_from(26)};

	for (uint32_t before = 0; before < 120; before++)
		for (uint32_t waiters = 0; waiters < 70; waiters += 3) {
			struct sim *sim = sim_new();
			struct sim_lock ours = new_lock(sim, &churn, true);
			struct sim_lock big = new_lock(sim, &churn, false);
			int list, r;

			big.waiters = (uint8_t)waiters;
			sim_add(sim, 0, ours);
			sim_add(sim, 0, big);
			for (uint32_t n = 0; n < before; n++)
				sim_add(sim, 0, new_lock(sim, &churn, true));
			list = locklist_open(&sim->ops);
			r = locklist_glance(&sim->ops, list, ours.start);
			cr_assert(r == 1 || r == -EAGAIN,
				  "%u locks, one with %u waiters: %d", before,
				  waiters, r);
			cr_assert(r == 1 || before + 2 * waiters > 45);
			sys_close(&sim->ops, list);
			sim_end(sim);
		}
}

CHECK(locklist_gaps, endless_change_is_given_up)
{
	struct churn churn = {.dice = dice_from(21)};
	struct sim *sim = sim_new();

	sim->between = change_all;
	sim->context = &churn;
	cr_assert_eq(locklist_read(&sim->ops, ignore, NULL), -EAGAIN);
	cr_assert_leq(sim->reads, 500);
	sim_end(sim);
}
