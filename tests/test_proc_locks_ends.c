/* SPDX-License-Identifier: MIT */
/*
 * A reading of the list of locks ends at the list's end, and not before; soon;
 * and after a while even if the list never holds still.
 */
#include "core/kernel/proc_locks.h"

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
		cr_assert_eq(proc_locks_read(&sim->ops, NULL, note, report), 0,
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
		struct sim_cpu *list = &sim->cpu[cpu];
		size_t kept = 0;

		for (size_t i = 0; i < list->n; i++)
			if (list->lock[i].own)
				list->lock[kept++] = list->lock[i];
		list->n = kept;
		for (int i = 0; i < 100; i++)
			sim_add(sim, cpu, new_lock(sim, churn, false));
	}
}

static void
ignore(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	(void)context;
	(void)device;
	(void)inode;
	(void)start;
}

/* A list that cannot be read counts as alive: nobody could have dead ports
 * again. */
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
		read += proc_locks_read(&sim->ops, NULL, ignore, NULL) == 0;
		sim_end(sim);
	}
	cr_assert_geq(read, 396, "only %d of 400", read);
}

struct wanted {
	uint64_t start;
	bool found;
};

static void
look_for(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	struct wanted *wanted = context;

	(void)device;
	(void)inode;
	wanted->found |= start == wanted->start;
}

/* Also where all room is before a record that did not fit. */
CHECK(locklist_ends, one_lock_is_found_wherever_it_stands)
{
	struct churn churn = {.dice = dice_from(26)};

	for (uint32_t before = 0; before < 120; before += 7)
		for (uint32_t waiters = 0; waiters < 70; waiters += 5) {
			struct sim *sim = sim_new();
			struct sim_lock ours = new_lock(sim, &churn, true);
			struct sim_lock big = new_lock(sim, &churn, false);

			big.waiters = (uint8_t)waiters;
			sim_add(sim, 0, ours);
			sim_add(sim, 0, big);
			for (uint32_t n = 0; n < before; n++)
				sim_add(sim, 0, new_lock(sim, &churn, true));
			for (int other = 0; other < 2; other++) {
				struct wanted wanted = {
					ours.start + (uint64_t)other, false};

				cr_assert_eq(proc_locks_read(&sim->ops, NULL,
							     look_for, &wanted),
					     0);
				cr_assert_eq(wanted.found, !other);
			}
			sim_end(sim);
		}
}

/* One lock between any two reads, while it is not given time for more. */
static void
take_one(struct sim *sim)
{
	go_round(sim, sim->context);
}

static void
take_many(struct sim *sim)
{
	for (int i = 0; i < 100; i++)
		go_round(sim, sim->context);
}

CHECK(locklist_ends, a_list_that_grows_as_fast_as_it_is_read)
{
	struct churn churn = {.dice = dice_from(28), .row = 3000};
	struct sim *sim = sim_new();

	for (int i = 0; i < 17000; i++)
		sim_add(sim, some_cpu(sim, &churn),
			new_lock(sim, &churn, true));
	sim->between = take_one;
	sim->meanwhile = take_many;
	sim->context = &churn;
	cr_assert_eq(proc_locks_read(&sim->ops, NULL, ignore, NULL), 0);
	cr_assert_leq(sim->reads, 5000, "%lu reads", sim->reads);
	sim_end(sim);
}

CHECK(locklist_ends, endless_change_is_given_up)
{
	struct churn churn = {.dice = dice_from(21)};
	struct sim *sim = sim_new();

	sim->between = change_all;
	sim->context = &churn;
	cr_assert_eq(proc_locks_read(&sim->ops, NULL, ignore, NULL), -EAGAIN);
	cr_assert_leq(sim->reads, 2000);
	sim_end(sim);
}
