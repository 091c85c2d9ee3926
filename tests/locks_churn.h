/* SPDX-License-Identifier: MIT */
/*
 * Other people's locks: how the list of locks_sim.h changes by chance.
 */
#ifndef PORTRES_TESTS_LOCKS_CHURN_H
#define PORTRES_TESTS_LOCKS_CHURN_H

#include "core/kernel/proc_locks.h"
#include "tests/locks_sim.h"

/* How a list comes and goes between two reads of it. */
struct churn {
	struct dice dice;
	uint32_t add, remove; /* so many at most, each time */
	uint32_t burst; /* a process with so many locks dies now and then */
	uint32_t move;	/* the same lock dropped and taken again */
	uint32_t row;	/* a process takes so many, drops them all at once */
	uint32_t steps; /* and begins anew: so many steps at most, each time */
	uint32_t taken;
	size_t cpu; /* where it runs; now and then elsewhere */
	uint32_t posix, waiters, twins; /* percent of all locks */
	uint32_t calm; /* percent of all times: nothing happens */
};

static inline struct sim_lock
new_lock(struct sim *sim, struct churn *churn, bool stays)
{
	struct sim_lock lock = {.start = sim->last += 2, .stays = stays};

	if (stays)
		return lock;
	lock.posix = dice_chance(&churn->dice, churn->posix);
	/* Database files: each process has read locks on the same bytes. */
	if (dice_chance(&churn->dice, churn->twins))
		lock.start = 120 + dice_below(&churn->dice, 3);
	if (dice_chance(&churn->dice, churn->waiters))
		lock.waiters = (uint8_t)dice_below(&churn->dice, 60);
	return lock;
}

static inline size_t
some_cpu(struct sim *sim, struct churn *churn)
{
	(void)sim;
	return dice_below(&churn->dice, SIM_CPUS);
}

/* Removes up to n neighbours, those that stay excepted. */
static inline void
remove_run(struct sim *sim, struct churn *churn, uint32_t n)
{
	struct sim_cpu *list = &sim->cpu[some_cpu(sim, churn)];
	size_t from, to, kept;

	if (list->n == 0)
		return;
	/* Older ones stand before younger ones here. */
	to = dice_below(&churn->dice, (uint32_t)list->n) + 1;
	from = kept = to > n ? to - n : 0;
	for (size_t i = from; i < to; i++)
		if (list->lock[i].stays || list->lock[i].own)
			list->lock[kept++] = list->lock[i];
	memmove(&list->lock[kept], &list->lock[to],
		(list->n - to) * sizeof(*list->lock));
	list->n -= to - kept;
}

static inline void
move_one(struct sim *sim, struct churn *churn)
{
	size_t cpu = some_cpu(sim, churn);
	const struct sim_lock *lock;
	size_t at;

	if (sim->cpu[cpu].n == 0)
		return;
	at = dice_below(&churn->dice, (uint32_t)sim->cpu[cpu].n);
	lock = sim_lock_at(sim, cpu, at);
	if (!lock->stays && !lock->own)
		sim_add(sim, some_cpu(sim, churn), sim_remove(sim, cpu, at));
}

static inline void
drop_row(struct sim *sim)
{
	for (size_t cpu = 0; cpu < SIM_CPUS; cpu++) {
		struct sim_cpu *list = &sim->cpu[cpu];
		size_t kept = 0;

		for (size_t i = 0; i < list->n; i++)
			if (!list->lock[i].loops)
				list->lock[kept++] = list->lock[i];
		list->n = kept;
	}
}

/* Each time it takes the same locks again. */
static inline void
go_round(struct sim *sim, struct churn *churn)
{
	struct sim_lock lock = {.start = 1000000 + 2 * churn->taken,
				.loops = true};

	if (churn->taken++ < churn->row) {
		sim_add(sim, churn->cpu, lock);
		return;
	}
	drop_row(sim);
	churn->taken = 0;
	if (dice_chance(&churn->dice, 10))
		churn->cpu = some_cpu(sim, churn);
}

static inline void
churn_now(struct sim *sim)
{
	struct churn *churn = sim->context;
	struct dice *dice = &churn->dice;

	if (dice_chance(dice, churn->calm))
		return;
	for (uint32_t i = dice_below(dice, churn->add + 1); i > 0; i--)
		sim_add(sim, some_cpu(sim, churn), new_lock(sim, churn, false));
	for (uint32_t i = dice_below(dice, churn->remove + 1); i > 0; i--)
		remove_run(sim, churn, 1);
	for (uint32_t i = dice_below(dice, churn->move + 1); i > 0; i--)
		move_one(sim, churn);
	for (uint32_t i = dice_below(dice, churn->steps + 1); i > 0; i--)
		go_round(sim, churn);
	if (churn->burst && dice_chance(dice, 20))
		remove_run(sim, churn, dice_below(dice, churn->burst));
}

#define SEEN_MAX 400000

struct report {
	const struct sim *sim;
	uint64_t base;
	bool naive; /* it takes cut lines for whole ones */
	bool seen[SEEN_MAX];
};

static inline void
note(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	struct report *report = context;

	uint64_t n = (start - report->base) / 2;

	if (start < 1000) /* a twin */
		return;
	if (start > report->sim->last && report->naive)
		return;
	cr_assert(report->naive || (start <= report->sim->last &&
				    device == makedev(0, 9) &&
				    inode == sim_inode(&(struct sim_lock){
						     .start = start})),
		  "no lock begins at %lu", start);
	if (n < SEEN_MAX)
		report->seen[n] = true;
}

static inline size_t
missed(const struct sim *sim, const struct report *report)
{
	size_t n = 0;

	for (size_t cpu = 0; cpu < SIM_CPUS; cpu++)
		for (size_t i = 0; i < sim->cpu[cpu].n; i++) {
			const struct sim_lock *lock = &sim->cpu[cpu].lock[i];

			n += lock->stays &&
			     !report->seen[(lock->start - report->base) / 2];
		}
	return n;
}

/* As one would write it first: one descriptor, from start to end. */
static inline int
read_naively(const struct sys_ops *sys, const struct fork_block *guard,
	     proc_locks_seen *seen, void *context)
{
	int fd = sys_open(sys, "/proc/locks", O_RDONLY, 0);
	char page[4096];
	size_t at = 0;
	long n;

	(void)guard;
	for (; (n = sys_pread(sys, fd, page, sizeof(page), at)) > 0;
	     at += (size_t)n)
		proc_locks_parse(page, (size_t)n, seen, context);
	sys_close(sys, fd);
	return 0;
}

#endif
