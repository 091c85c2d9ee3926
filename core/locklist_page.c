/* SPDX-License-Identifier: MIT */
#include "core/locklist_page.h"

#include <string.h>

#define SHARED_MIN 4 /* of a page's lines; one would do, but for twins */

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

int
page_each_line(const struct page *page, line_action *action,
	       struct lineset *set)
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

bool
place_held_still(const struct sys_ops *sys, int fd, const struct place *place)
{
	char now[LOOK_BACK];
	long n = sys_pread(sys, fd, now, place->n, place->at - place->n);

	return n == (long)place->n && memcmp(now, place->before, place->n) == 0;
}

int
page_read(const struct sys_ops *sys, struct reader *reader, size_t size,
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

bool
page_joins(struct lineset *set, const struct page *page)
{
	return page->place.at == 0 ||
	       page_each_line(page, is_known, set) >= SHARED_MIN ||
	       page_each_line(page, is_new, set) == 0 ||
	       begins_with_piece(page);
}

bool
page_has_waiters(const struct page *page)
{
	return memmem(page->text, page->n, ": -> ", 5) != NULL;
}
