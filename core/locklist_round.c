/* SPDX-License-Identifier: MIT */
#include "core/locklist_round.h"

#include <errno.h>

#define FAILURES_MAX 256 /* without a place further on */
#define FURTHER (LOCKLIST_PAGE / 2)
#define REACH 256      /* lines; those of a page are 60 to 80 */
#define REACH_STEP 128 /* more for each page that was stepped back */
#define STEP_MIN 2u    /* pages */
#define ENDS_IN_PLACE 6
#define CHASE_MAX 4 /* two, when nothing moves */
#define NAP_NS 200000

static void
note(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	struct reading *reading = context;
	const struct open_list *list = &reading->list;

	if (device == list->device && inode == list->inode &&
	    start == list->start)
		reading->shown |= reading->joined;
	else
		reading->seen(reading->context, device, inode, start);
}

/*
 * Who reads next, and how much: the one behind, so much that it gets half a
 * page ahead. Where both have come to one place it takes a short step first;
 * or it is put there, where it has to find its place anyway. At the end, the
 * one to whom the end can tell something.
 */
static struct reader *
next_reader(struct reader reader[2], size_t *ret_size)
{
	bool second =
		reader[1].place.at < reader[0].place.at ||
		(reader[1].place.at == reader[0].place.at && reader[1].room);
	struct reader *next = &reader[second];
	size_t behind = reader[!second].place.at - next->place.at;

	*ret_size = LOCKLIST_PAGE_MAX;
	if (behind <= LOCKLIST_PAGE * 3 / 4)
		return next;
	if (place_is_new(&next->place))
		reader_put(next, next->place.at + behind / 2);
	else
		*ret_size = behind / 2;
	return next;
}

static void
begin(struct reading *reading)
{
	lineset_clear(&reading->set);
	reading->seed++;
	reading->shown = false;
	reading->in_a_row = 0;
	for (int n = 0; n < 2; n++) {
		reading->reader[n].fd = reading->list.fd[n];
		reader_put(&reading->reader[n], 0);
	}
}

static void
step_back(struct reading *reading, size_t from, size_t bytes)
{
	if (from <= bytes) {
		begin(reading);
		return;
	}
	for (int n = 0; n < 2; n++)
		reader_put(&reading->reader[n], from - bytes);
}

static int
fail(struct reading *reading)
{
	reading->restless = true;
	return ++reading->failures > FAILURES_MAX ? -EAGAIN : 0;
}

/* As far as helped last, but not to the start at once. */
static size_t
first_step(const struct reading *reading)
{
	size_t half = reading->lost_at / LOCKLIST_PAGE / 2;
	size_t step = reading->helped < half ? reading->helped : half;

	return step > STEP_MIN ? step : STEP_MIN;
}

/* Goes back to where it is known what stands there. */
static int
lose(struct reading *reading, size_t at)
{
	if (reading->in_a_row++ == 0) {
		reading->lost_at = at;
		reading->step = first_step(reading);
	} else {
		reading->step *= 2;
	}
	step_back(reading, reading->lost_at, reading->step * LOCKLIST_PAGE);
	return fail(reading);
}

static int
keep(struct reading *reading, size_t end)
{
	/* Somebody takes a lock between any two reads, and would go on so for
	 * as long as he is never given time for more. */
	if (reading->chase > CHASE_MAX)
		sys_nanosleep(reading->sys, NAP_NS);
	if (reading->in_a_row > 1)
		reading->helped = reading->step;
	else if (reading->in_a_row == 1) /* a shorter one might have, too */
		reading->helped = reading->step - reading->step / 4;
	reading->in_a_row = 0;
	if (end > reading->furthest + FURTHER) {
		reading->furthest = end;
		reading->failures = 0;
	}
	return page_remember(&reading->set, &reading->page);
}

/* To look back takes as long as to step back: where it may help, and now and
 * then. */
static bool
held_still(const struct reading *reading)
{
	const struct page *page = &reading->page;

	return (page_has_waiters(page) || place_has_waiters(&page->place) ||
		reading->failures % 8 == 7) &&
	       place_held_still(reading->sys, reading->list.fd[2],
				&page->place);
}

static bool
joins(struct reading *reading, const struct reader *reader)
{
	const struct page *page = &reading->page;
	bool found = reading->in_a_row == 0;
	size_t reach = found ? REACH : REACH + reading->step * REACH_STEP;
	enum joining joining = page_joins(&reading->set, page, reach, found);

	reading->restless |= page_has_waiters(page);
	reading->doubtful |= joining == JOINS_PERHAPS;
	if (joining == JOINS_WHOLLY && reader->room)
		reading->chase++;
	else
		reading->chase = 0;
	return joining != JOINS_NOT || held_still(reading);
}

/*
 * 1 when the round is complete, else 0 or -EAGAIN. Where the end does not hold
 * still there are more ends to be seen: in a short list those of other rounds,
 * in a long one this one again, in place and after a step back.
 */
static int
come_to_end(struct reading *reading, const struct reader *reader)
{
	const struct place *place = &reader->place;
	bool still = false;

	if (place_is_new(place))
		return lose(reading, place->at);
	reading->length = place->at;
	if (reading->ends == 0 || !reader->room)
		still = place_held_still(reading->sys, reading->list.fd[2],
					 place);
	if (still && reader->room)
		return 1;
	if (!still && !reader->room) {
		/* Another distance each time, because of long records. */
		size_t pieces = reading->failures % 12 + 1;

		step_back(reading, place->at, pieces * LOCKLIST_ROOM);
		return fail(reading);
	}
	reading->restless = true;
	if (++reading->ends >= ROUNDS_MOST / rounds_wanted(reading))
		return 1;
	sys_nanosleep(reading->sys, NAP_NS);
	if (reading->ends % ENDS_IN_PLACE == 0)
		step_back(reading, place->at, STEP_MIN * LOCKLIST_PAGE);
	return 0;
}

/* Reads the next page. 1 when the round is complete, else 0 or -Exxx. */
static int
go_on(struct reading *reading)
{
	struct page *page = &reading->page;
	size_t size;
	struct reader *next = next_reader(reading->reader, &size);
	int got = page_read(reading->sys, next, size, reading->seed, page);

	if (got < 0)
		return got;
	if (got == 0)
		return come_to_end(reading, next);
	reading->joined = joins(reading, next);
	/* A lock that was seen is there, whatever was passed over. */
	locklist_parse(page->text, page->n, note, reading);
	return reading->joined ? keep(reading, next->place.at)
			       : lose(reading, page->place.at);
}

int
round_read(struct reading *reading)
{
	int r;

	begin(reading);
	reading->ends = 0;
	do
		r = go_on(reading);
	while (r == 0);
	return r < 0 ? r : 0;
}
