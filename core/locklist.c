/* SPDX-License-Identifier: MIT */
#include "core/locklist.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/lineset.h"

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
 * stood before it then, too, and has been seen. Where a page has no such line
 * the list is read again from the start. Locks that are dropped and taken all
 * the time only push the others back, and those are seen twice.
 *
 * A page that is not full is the end of the list, or stands before a lock with
 * so many waiters that it did not fit. So only a read that has nothing is the
 * end.
 *
 * Two things could still deceive: a lock that was dropped and taken anew looks
 * as if it had stayed, and a lock with many waiters may vanish just before the
 * end is looked for. Either needs a coincidence within microseconds; the list
 * counts as read when it was read several times running, more often where
 * there are waiters.
 */
#define PAGE 4096    /* what the kernel shows in one read */
#define SHARED_MIN 4 /* of a page's lines; one would do, but for twins */
#define ROUNDS_CALM 3
#define ROUNDS_CROWDED 8
#define TRIES 64
#define LINES_USUAL 4096 /* that are remembered, times 4/3 */
#define LINES_MANY 262144

struct page {
	size_t n; /* of whole lines */
	char text[PAGE];
};

/* One descriptor on the list. */
struct reader {
	int fd;
	bool inside_line; /* the last read ended within one */
};

static const char *
line_end(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	return newline ? newline : end;
}

static const char *
skip(const char *p, const char *end, char c)
{
	while (p < end && *p == c)
		p++;
	return p;
}

/* A decimal number at p; moves p past it. */
static uint64_t
number(const char **p, const char *end)
{
	uint64_t n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		n = n * 10 + (uint64_t)(**p - '0');
	return n;
}

/* "… OFDLCK ADVISORY  READ -1 00:09:7191 START END": device and inode are
 * field 4 after OFDLCK, the start is field 5. */
static void
parse_line(const char *p, const char *end, locklist_seen *seen, void *context)
{
	uint32_t inode = 0;

	p = memmem(p, (size_t)(end - p), "OFDLCK", 6);
	if (!p)
		return;
	for (int field = 0; field < 5; field++) {
		p = memchr(p, ' ', (size_t)(end - p));
		if (!p)
			return;
		p = skip(p, end, ' ');
		if (field == 3) {
			for (int colon = 0; p < end && colon < 2; p++)
				colon += *p == ':';
			inode = (uint32_t)number(&p, end);
		}
	}
	seen(context, inode, number(&p, end));
}

void
locklist_parse(const char *lines, size_t n, locklist_seen *seen, void *context)
{
	const char *end = lines + n;

	for (const char *p = lines; p < end; p = line_end(p, end) + 1)
		parse_line(p, line_end(p, end), seen, context);
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

/* Does nothing lie between this page and what was seen before? */
static bool
page_joins(struct lineset *set, const struct page *page)
{
	int known = each_line(set, page, is_known);

	return known >= SHARED_MIN || each_line(set, page, is_new) == 0;
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

/* A waiter's line is "12: -> OFDLCK …". */
static bool
has_waiters(const struct page *page)
{
	return memmem(page->text, page->n, ": ->", 4) != NULL;
}

/* Sets ret_crowded where locks have waiters. */
static int
read_round(const struct sys_ops *sys, const int fd[2], struct lineset *set,
	   locklist_seen *seen, void *context, bool *ret_crowded)
{
	struct reader reader[2] = {{.fd = fd[0]}, {.fd = fd[1]}};
	struct page page;
	int r = read_page(sys, &reader[1], PAGE / 2, &page);

	for (unsigned turn = 0; r >= 0; turn++) {
		int full;

		r = read_page(sys, &reader[turn % 2], PAGE, &page);
		if (r <= 0)
			break;
		if (turn > 0 && !page_joins(set, &page))
			return -EAGAIN;
		full = each_line(set, &page, lineset_add);
		if (full < 0)
			return full;
		*ret_crowded |= has_waiters(&page);
		locklist_parse(page.text, page.n, seen, context);
	}
	return r;
}

int
locklist_open(const struct sys_ops *sys)
{
	return sys_open(sys, "/proc/locks", O_RDONLY | O_CLOEXEC, 0);
}

static int
read_anew(const struct sys_ops *sys, uint32_t lines, locklist_seen *seen,
	  void *context, bool *ret_crowded)
{
	struct lineset set;
	int fd[2];
	int r = lineset_make(sys, lines, &set);

	if (r < 0)
		return r;
	r = fd[0] = locklist_open(sys);
	if (r >= 0)
		r = fd[1] = locklist_open(sys);
	if (r >= 0) {
		r = read_round(sys, fd, &set, seen, context, ret_crowded);
		sys_close(sys, fd[1]);
	}
	if (fd[0] >= 0)
		sys_close(sys, fd[0]);
	lineset_free(sys, &set);
	return r;
}

int
locklist_read(const struct sys_ops *sys, locklist_seen *seen, void *context)
{
	uint32_t lines = LINES_USUAL;
	bool crowded = false;
	int round = 0;
	int r = 0;

	for (int i = 0; i < TRIES; i++) {
		r = read_anew(sys, lines, seen, context, &crowded);
		if (r == -E2BIG && lines == LINES_USUAL) {
			lines = LINES_MANY;
			r = -EAGAIN;
		}
		if (r < 0 && r != -EAGAIN)
			return r;
		round = r == 0 ? round + 1 : 0;
		if (round == (crowded ? ROUNDS_CROWDED : ROUNDS_CALM))
			return 0;
	}
	return -EAGAIN;
}

bool
locklist_short(const struct sys_ops *sys, int list)
{
	char text[PAGE];
	long n = sys_read(sys, list, text, sizeof(text));

	if (n > 0)
		n = sys_read(sys, list, text, 1);
	return n == 0 && sys_rewind(sys, list) == 0;
}

struct glance {
	uint64_t start;
	bool found;
};

static void
glance_seen(void *context, uint32_t inode, uint64_t start)
{
	struct glance *glance = context;

	(void)inode;
	glance->found |= start == glance->start;
}

int
locklist_glance(const struct sys_ops *sys, int list, uint64_t start)
{
	struct glance glance = {.start = start};
	char text[PAGE];
	long n = sys_read(sys, list, text, sizeof(text));

	if (n < 0)
		return (int)n;
	locklist_parse(text, (size_t)n, glance_seen, &glance);
	if (glance.found)
		return 1;
	n = sys_read(sys, list, text, 1);
	return n > 0 ? -EAGAIN : (int)n;
}
