/* SPDX-License-Identifier: MIT */
/*
 * How a long list is read without gaps.
 *
 * One read() of /proc/locks shows some lines, taken in one moment; the next
 * read goes on at the next line's number. When locks from earlier lines are
 * dropped between the two, the rest moves up and lines fall through: a living
 * lease would look dead. So two descriptors read in turns, half a page apart,
 * and each page must have lines that were seen before. Locks that stay never
 * change their order (the kernel adds at the front of its lists, one for each
 * CPU, and removes), so if a page repeats lines that stayed, nothing between
 * them was passed over.
 *
 * A lock that was dropped and taken anew looks as if it had stayed, and stands
 * at the front of some CPU's list. So a line counts as seen before only near
 * the number that it had, and lines that look alike do not count; some in a row
 * must have moved alike, and the page must begin with such (locklist_join.c).
 * Where only weaker signs are found, as beside long records, the page is taken,
 * but the reading is doubtful from then on.
 *
 * A page that does not join is no reason to begin anew: both descriptors step
 * back, further each time, until what stands there is known. A reading is given
 * up only after many steps without a place further on. No clock ends it.
 *
 * A lock and all who wait for it are one record, which comes in one piece.
 * Before a long one a page ends early, for both descriptors at the same place.
 * When the list shrinks in that moment the reader is past its new end, and
 * there is no next page. So at the end a third descriptor looks back: where the
 * bytes before it are what they were, the lines' numbers included, nothing has
 * moved. Otherwise there are more ends to be seen: in other rounds, or, where a
 * round is long, in this one.
 *
 * What can still deceive needs a coincidence within microseconds at a certain
 * place. So a list counts as read when it was read in several rounds, and a
 * lock that was seen in any of them is there: three when nothing moved, 24 when
 * something did or a round was doubtful. The longer the list, the fewer more:
 * what happens at one place is no likelier in a long list, and a round takes
 * time with the square of the length. Each round must have shown a lock that is
 * known to be there (locklist_open.h).
 */
#include "core/locklist.h"

#include <errno.h>

#include "core/locklist_round.h"

#define PAGES_SHORT 64 /* each is read twice in a round */
#define PAGES_LONG 512

size_t
rounds_wanted(const struct reading *reading)
{
	size_t pages = reading->length / LOCKLIST_PAGE + 1;
	size_t least = pages > PAGES_LONG ? 2 : 3;
	size_t rounds =
		ROUNDS_MOST * PAGES_SHORT * PAGES_SHORT / (pages * pages);

	if (reading->doubtful)
		return ROUNDS_MOST;
	if (!reading->restless || rounds < least)
		return least;
	return rounds < ROUNDS_MOST ? rounds : ROUNDS_MOST;
}

static int
read_rounds(struct reading *reading)
{
	size_t rounds = 0, vain = 0;

	do {
		int r = round_read(reading);

		if (r < 0)
			return r;
		reading->furthest = 0;
		reading->failures = 0;
		if (reading->shown)
			rounds++;
		else if (++vain > ROUNDS_MOST)
			return -EAGAIN;
		reading->restless |= !reading->shown;
	} while (rounds < rounds_wanted(reading));
	return 0;
}

static int
read_opened(struct reading *reading, const struct fork_guard *guard)
{
	int r = open_list(reading->sys, guard, &reading->list);

	if (r < 0)
		return r;
	r = read_rounds(reading);
	open_list_end(reading->sys, guard, &reading->list);
	return r;
}

int
locklist_read(const struct sys_ops *sys, const struct fork_guard *guard,
	      locklist_seen *seen, void *context)
{
	long at = sys_mmap_private(sys, sizeof(struct reading));
	struct reading *reading = (struct reading *)at;
	int r;

	if (at < 0)
		return (int)at;
	reading->sys = sys;
	reading->seen = seen;
	reading->context = context;
	r = lineset_make(sys, &reading->set);
	if (r == 0) {
		r = read_opened(reading, guard);
		lineset_free(&reading->set);
	}
	sys_munmap(sys, reading, sizeof(*reading));
	return r;
}
