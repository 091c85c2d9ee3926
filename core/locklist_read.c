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
#include <string.h>

#include "core/lineset.h"

#define PAGE 4096    /* what the kernel shows in one read */
#define SHARED_MIN 4 /* of a page's lines; one would do, but for twins */
#define LOOK_BACK 256
#define ROUNDS_CALM 3
#define ROUNDS_RESTLESS 24
#define TRIES 256
#define LIMIT_NS 100000000u /* others may be waiting for the pool's lock */
#define LINES_USUAL 4096    /* that are remembered, times 4/3 */
#define LINES_MANY 262144

/* A place in the list, and the bytes before it. */
struct place {
	size_t at;
	size_t n;
	char before[LOOK_BACK];
};

/* One descriptor on the list. */
struct reader {
	int fd;
	bool inside_line; /* the last read ended within one */
	struct place place;
};

struct page {
	struct place place; /* where it begins */
	size_t n;	    /* of whole lines */
	char text[PAGE];
};

static const char *
line_end(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	return newline ? newline : end;
}

/* Without the line's number, which changes as locks come and go. */
static const char *
line_body(const char *line, const char *end)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));

	return colon ? colon : line;
}

typedef int line_action(struct lineset *set, const char *body, size_t n);

/* The sum of what the action said of each line, or its first error. */
static int
each_line(struct lineset *set, const struct page *page, line_action *action)
{
	const char *end = page->text + page->n;
	int sum = 0;

	for (const char *p = page->text; p < end; p = line_end(p, end) + 1) {
		const char *stop = line_end(p, end);
		const char *body = line_body(p, stop);
		int r = action(set, body, (size_t)(stop - body));

		if (r < 0)
			return r;
		sum += r;
	}
	return sum;
}

static int
is_new(struct lineset *set, const char *body, size_t n)
{
	return !lineset_has(set, body, n);
}

static int
is_known(struct lineset *set, const char *body, size_t n)
{
	return lineset_has(set, body, n);
}

static void
go_on(struct place *place, const char *text, size_t n)
{
	size_t keep = place->n;

	place->at += n;
	if (n > LOOK_BACK) {
		text += n - LOOK_BACK;
		n = LOOK_BACK;
	}
	if (keep > LOOK_BACK - n)
		keep = LOOK_BACK - n;
	memmove(place->before, place->before + place->n - keep, keep);
	memcpy(place->before + keep, text, n);
	place->n = keep + n;
}

/* Are the bytes before the place what they were when it was come by? */
static bool
held_still(const struct sys_ops *sys, int fd, const struct place *place)
{
	char now[LOOK_BACK];
	long n = sys_pread(sys, fd, now, place->n, place->at - place->n);

	return n == (long)place->n && memcmp(now, place->before, place->n) == 0;
}

/*
 * Reads up to `size` bytes and keeps the whole lines of them. Returns the
 * number of bytes read, or -Exxx.
 */
static int
read_page(const struct sys_ops *sys, struct reader *reader, size_t size,
	  struct page *ret)
{
	long got = sys_read(sys, reader->fd, ret->text, size);
	const char *end = ret->text + (got < 0 ? 0 : got);
	const char *first = ret->text;
	const char *last;

	if (got < 0)
		return (int)got;
	ret->place = reader->place;
	go_on(&reader->place, ret->text, (size_t)got);
	if (reader->inside_line) {
		first = line_end(first, end);
		first += first < end;
	}
	last = memrchr(first, '\n', (size_t)(end - first));
	last = last ? last + 1 : first;
	reader->inside_line = last != end;
	ret->n = (size_t)(last - first);
	memmove(ret->text, first, ret->n);
	return (int)got;
}

/* A waiter's line is "12: -> OFDLCK …", one that waits for him "12:  -> …". */
static bool
is_waiter(const char *body, const char *end)
{
	const char *arrow = memmem(body, (size_t)(end - body), "-> ", 3);

	return arrow && arrow > body && body[0] == ':' && arrow[-1] == ' ';
}

/* Does it begin with a piece, or within one? */
static bool
begins_with_piece(const struct page *page)
{
	const char *end = page->text + page->n;
	const char *first = line_end(page->text, end);
	const char *second = first < end ? first + 1 : end;
	const char *stop = line_end(second, end);

	return is_waiter(line_body(page->text, first), first) ||
	       is_waiter(line_body(second, stop), stop);
}

/* Does nothing lie between this page and what was seen before? */
static bool
page_joins(struct lineset *set, const struct page *page)
{
	return page->place.at == 0 ||
	       each_line(set, page, is_known) >= SHARED_MIN ||
	       each_line(set, page, is_new) == 0 || begins_with_piece(page);
}

/*
 * Who reads next, and how much: the one behind, so much that it gets half a
 * page ahead. Where both have come to one place it takes a short step first.
 */
static struct reader *
next_reader(struct reader reader[2], size_t *ret_size)
{
	bool second = reader[1].place.at < reader[0].place.at;
	size_t behind = reader[!second].place.at - reader[second].place.at;

	*ret_size = behind > PAGE * 3 / 4 ? behind / 2 : PAGE;
	return &reader[second];
}

static bool
has_waiters(const struct page *page)
{
	return memmem(page->text, page->n, ": -> ", 5) != NULL;
}

/* The third descriptor is for looking back. */
static int
read_round(const struct sys_ops *sys, const int fd[3], struct lineset *set,
	   locklist_seen *seen, void *context, bool *ret_restless)
{
	struct reader reader[2] = {{.fd = fd[0]}, {.fd = fd[1]}};
	struct page page;

	for (;;) {
		size_t size;
		struct reader *next = next_reader(reader, &size);
		int got = read_page(sys, next, size, &page);
		bool joins;
		int r;

		if (got < 0)
			return got;
		joins = (got > 0 && page_joins(set, &page)) ||
			held_still(sys, fd[2], &page.place);
		*ret_restless |= !joins || has_waiters(&page);
		if (got == 0)
			return 0;
		if (!joins)
			return -EAGAIN;
		r = each_line(set, &page, lineset_add);
		if (r < 0)
			return r;
		locklist_parse(page.text, page.n, seen, context);
	}
}

static int
read_anew(const struct sys_ops *sys, uint32_t lines, locklist_seen *seen,
	  void *context, bool *ret_restless)
{
	struct lineset set;
	int fd[3];
	int n = 0;
	int r = lineset_make(sys, lines, &set);

	if (r < 0)
		return r;
	while (r >= 0 && n < 3) {
		r = fd[n] =
			sys_open(sys, "/proc/locks", O_RDONLY | O_CLOEXEC, 0);
		n += r >= 0;
	}
	if (r >= 0)
		r = read_round(sys, fd, &set, seen, context, ret_restless);
	while (n > 0)
		sys_close(sys, fd[--n]);
	lineset_free(sys, &set);
	return r;
}

int
locklist_read(const struct sys_ops *sys, locklist_seen *seen, void *context)
{
	uint32_t lines = LINES_USUAL;
	uint64_t began = sys_clock(sys, CLOCK_MONOTONIC);
	bool restless = false;
	int rounds = 0;

	for (int i = 0;
	     i < TRIES && sys_clock(sys, CLOCK_MONOTONIC) - began < LIMIT_NS;
	     i++) {
		int r = read_anew(sys, lines, seen, context, &restless);

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
