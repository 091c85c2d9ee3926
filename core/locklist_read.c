/* SPDX-License-Identifier: MIT */
/*
 * How a long list is read without gaps.
 *
 * One read() of /proc/locks shows some lines, taken in one moment; the next
 * read goes on at the next line's number. When locks from earlier lines are
 * dropped between the two, the rest moves up and lines fall through: a living
 * lease would look dead. So two descriptors read in turns, half a page apart,
 * and each page must have lines that were seen before. Locks that stay never
 * change their order (the kernel adds at the front of its lists and removes),
 * so behind a line that stayed nothing was passed over: what stood before it
 * stood before it then, too, and has been seen. Locks that are dropped and
 * taken all the time only push the others back, and those are seen twice.
 *
 * A lock and all who wait for it come in one piece. Before a long piece a page
 * ends early, for both descriptors at the same place, and the next page begins
 * with it and has nothing to see twice. It joins all the same: what stood just
 * before the piece was on the page that ended because of it. But when the list
 * shrinks in that moment, the reader is past its new end, and there is no next
 * page. So at the end a third descriptor looks back: where the bytes before it
 * are what they were, the lines' numbers included, nothing has moved. (That
 * settles it for pages that do not join, too; otherwise the list is read again
 * from its start.)
 *
 * What can still deceive, an end that has moved, or a lock that was dropped and
 * taken anew and looks as if it had stayed, needs a coincidence within
 * microseconds. The list counts as read when it was read several times, many
 * times where it moves or has waiters, and a lock that was seen in any of them
 * is there.
 */
#include "core/locklist.h"

#include <errno.h>

#include "core/locklist_page.h"

#define ROUNDS_CALM 3
#define ROUNDS_RESTLESS 24
#define TRIES 256
#define LIMIT_NS 100000000u /* others may be waiting for the pool's lock */
#define LINES_USUAL 4096    /* that are remembered, times 4/3 */
#define LINES_MANY 262144

/*
 * Who reads next, and how much: the one behind, so much that it gets half a
 * page ahead. Where both have come to one place it takes a short step first.
 */
static struct reader *
next_reader(struct reader reader[2], size_t *ret_size)
{
	bool second = reader[1].place.at < reader[0].place.at;
	size_t behind = reader[!second].place.at - reader[second].place.at;

	*ret_size = behind > LOCKLIST_PAGE * 3 / 4 ? behind / 2 : LOCKLIST_PAGE;
	return &reader[second];
}

/* Mapped, because it is too large for a signal stack. */
struct reading {
	int fd[3]; /* the third is for looking back */
	struct reader reader[2];
	struct page page;
};

static int
read_round(const struct sys_ops *sys, struct reading *reading,
	   struct lineset *set, locklist_seen *seen, void *context,
	   bool *ret_restless)
{
	struct page *page = &reading->page;

	for (int n = 0; n < 2; n++)
		reading->reader[n] = (struct reader){.fd = reading->fd[n]};
	for (;;) {
		size_t size;
		struct reader *next = next_reader(reading->reader, &size);
		int got = page_read(sys, next, size, page);
		bool joins;
		int r;

		if (got < 0)
			return got;
		joins = (got > 0 && page_joins(set, page)) ||
			place_held_still(sys, reading->fd[2], &page->place);
		*ret_restless |= !joins || page_has_waiters(page);
		if (got == 0)
			return 0;
		if (!joins)
			return -EAGAIN;
		r = page_each_line(page, lineset_add, set);
		if (r < 0)
			return r;
		locklist_parse(page->text, page->n, seen, context);
	}
}

static int
read_anew(const struct sys_ops *sys, struct reading *reading, uint32_t lines,
	  locklist_seen *seen, void *context, bool *ret_restless)
{
	struct lineset set;
	int n = 0;
	int r = lineset_make(sys, lines, &set);

	if (r < 0)
		return r;
	while (r >= 0 && n < 3) {
		r = reading->fd[n] =
			sys_open(sys, "/proc/locks", O_RDONLY | O_CLOEXEC, 0);
		n += r >= 0;
	}
	if (r >= 0)
		r = read_round(sys, reading, &set, seen, context, ret_restless);
	while (n > 0)
		sys_close(sys, reading->fd[--n]);
	lineset_free(sys, &set);
	return r;
}

static int
read_rounds(const struct sys_ops *sys, struct reading *reading,
	    locklist_seen *seen, void *context)
{
	uint32_t lines = LINES_USUAL;
	uint64_t began = sys_clock(sys, CLOCK_MONOTONIC);
	bool restless = false;
	int rounds = 0;

	for (int i = 0;
	     i < TRIES && sys_clock(sys, CLOCK_MONOTONIC) - began < LIMIT_NS;
	     i++) {
		int r = read_anew(sys, reading, lines, seen, context,
				  &restless);

		if (r == -E2BIG && lines == LINES_USUAL)
			lines = LINES_MANY;
		else if (r < 0 && r != -EAGAIN)
			return r;
		rounds += r == 0;
		if (rounds >= (restless ? ROUNDS_RESTLESS : ROUNDS_CALM))
			return 0;
	}
	return -EAGAIN;
}

int
locklist_read(const struct sys_ops *sys, const struct fork_guard *guard,
	      locklist_seen *seen, void *context)
{
	(void)guard;
	long at = sys_mmap_private(sys, sizeof(struct reading));
	int r;

	if (at < 0)
		return (int)at;
	r = read_rounds(sys, (struct reading *)at, seen, context);
	sys_munmap(sys, (void *)at, sizeof(struct reading));
	return r;
}
