/* SPDX-License-Identifier: MIT */
/*
 * A row of locks goes, at a certain place of each round, behind the readers, so
 * that the rest of the list moves up; and comes again before the next round.
 * test_proc_locks_gaps.c leaves such moments to chance, and takes long.
 */
#include "core/kernel/proc_locks.h"

#include "tests/locks_churn.h"

#define PAGE 4096
#define ROW 50	    /* a page in front, of which some go */
#define STAYING 600 /* behind them, on the same CPU */

struct moment {
	struct churn churn;
	size_t place; /* that the readers have come to */
	size_t count;
	bool gone;
	uint32_t times;
};

static size_t
hindmost(const struct sim *sim)
{
	size_t a = sim->reader[0].at, b = sim->reader[1].at;

	return b < a && sim->reader[1].open ? b : a;
}

static void
go_and_come(struct sim *sim)
{
	struct moment *moment = sim->context;
	size_t at = hindmost(sim);

	if (!moment->gone && at >= moment->place) {
		for (size_t i = 0; i < moment->count; i++)
			sim_remove(sim, 0, sim_at(sim, 0)->own);
		moment->gone = true;
		moment->times++;
	} else if (moment->gone && at < PAGE) {
		for (size_t i = 0; i < moment->count; i++)
			sim_add(sim, 0, new_lock(sim, &moment->churn, false));
		moment->gone = false;
	}
}

/* Returns how many locks that stay were not seen. */
static size_t
play(bool naively, size_t place, size_t count)
{
	struct moment moment = {.churn = {.dice = dice_from(60)},
				.place = place,
				.count = count};
	struct sim *sim = sim_new();
	struct report *report = calloc(1, sizeof(*report));
	size_t n;

	report->sim = sim;
	report->base = sim->last;
	report->naive = naively;
	for (int i = 0; i < STAYING + ROW; i++)
		sim_add(sim, 0, new_lock(sim, &moment.churn, i < STAYING));
	sim->between = go_and_come;
	sim->context = &moment;
	if (naively)
		read_naively(&sim->ops, NULL, note, report);
	else
		cr_assert_eq(proc_locks_read(&sim->ops, NULL, note, report), 0,
			     "%zu locks at %zu", count, place);
	cr_assert_geq(moment.times, naively ? 1 : 3);
	n = missed(sim, report);
	free(report);
	sim_end(sim);
	return n;
}

CHECK(locklist_moments, no_lock_that_stays_is_missed)
{
	for (size_t place = 4 * PAGE; place < 9 * PAGE; place += PAGE / 4)
		for (size_t count = 10; count <= 50; count += 10) {
			/* Otherwise this test proves nothing. */
			cr_assert_gt(play(true, place, count), 0);
			cr_assert_eq(play(false, place, count), 0,
				     "%zu locks at %zu", count, place);
		}
}
