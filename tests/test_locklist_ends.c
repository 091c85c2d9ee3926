/* SPDX-License-Identifier: MIT */
/*
 * Where reading the list of locks ends: at its end, and not before; soon; and
 * after a while even where the list never holds still.
 */
#include "core/locklist.h"

#include "tests/locks_churn.h"

CHECK(locklist_ends, a_quiet_list_of_any_length_is_read_at_once)
{
	static const uint32_t lengths[] = {0,	1,   2,	   29,	30,  31,
					   55,	60,  65,   70,	100, 128,
					   129, 500, 2000, 5000};

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
CHECK(locklist_ends, a_short_list_is_read_however_fast_it_changes)
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

/* Also where all room is before a record that did not fit. */
CHECK(locklist_ends, one_lock_is_found_wherever_it_stands)
{
	struct churn churn = {.dice = dice_from(26)};

	for (uint32_t before = 0; before < 120; before += 5)
		for (uint32_t waiters = 0; waiters < 70; waiters += 3) {
			struct sim *sim = sim_new();
			struct sim_lock ours = new_lock(sim, &churn, true);
			struct sim_lock big = new_lock(sim, &churn, false);

			big.waiters = (uint8_t)waiters;
			sim_add(sim, 0, ours);
			sim_add(sim, 0, big);
			for (uint32_t n = 0; n < before; n++)
				sim_add(sim, 0, new_lock(sim, &churn, true));
			cr_assert_eq(locklist_find(&sim->ops, ours.start), 1);
			cr_assert_eq(locklist_find(&sim->ops, ours.start + 1),
				     0);
			sim_end(sim);
		}
}

CHECK(locklist_ends, endless_change_is_given_up)
{
	struct churn churn = {.dice = dice_from(21)};
	struct sim *sim = sim_new();

	sim->between = change_all;
	sim->context = &churn;
	cr_assert_eq(locklist_read(&sim->ops, ignore, NULL), -EAGAIN);
	cr_assert_leq(sim->reads, 2000);
	/* Sooner where each read is slow: 100 ms. */
	sim->ns_a_read = 1000000;
	sim->reads = 0;
	cr_assert_eq(locklist_read(&sim->ops, ignore, NULL), -EAGAIN);
	cr_assert_leq(sim->reads, 110);
	sim_end(sim);
}
