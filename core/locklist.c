/* SPDX-License-Identifier: MIT */
#include "core/locklist.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/*
 * How a long list is read without gaps.
 *
 * One read() of /proc/locks shows some lines, taken in one moment; the next
 * read goes on at the next line's number. When a lock from an earlier line is
 * dropped between the two, the rest moves up and one line falls through: a
 * living lease would look dead. So two descriptors read in turns, half a page
 * apart, and each page must share lines with the other descriptor's last one.
 * Locks that stay never change their order (the kernel adds at the front of
 * its lists and removes), so a line that two pages share proves that nothing
 * between the pages was passed over. Where no line is shared the list is read
 * again from the start.
 *
 * A page that is not full is the end of the list, or stands before a lock with
 * so many waiters that it did not fit. So only a read that has nothing is the
 * end; and because such a lock may vanish before that read, the end must be
 * found three times running.
 */
#define PAGE 2048    /* small: this runs on signal stacks too */
#define SHARED_MIN 4 /* one would do; twins of dropped locks could fool it */
#define ROUNDS 3
#define TRIES 16

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

static bool
page_has(const struct page *page, const char *body, size_t n)
{
	const char *end = page->text + page->n;

	for (const char *p = page->text; p < end; p = line_end(p, end) + 1) {
		const char *stop = line_end(p, end);
		const char *mine = line_body(p, stop);

		if ((size_t)(stop - mine) == n && memcmp(mine, body, n) == 0)
			return true;
	}
	return false;
}

static bool
pages_join(const struct page *before, const struct page *now)
{
	const char *end = now->text + now->n;
	int lines = 0, shared = 0;

	for (const char *p = now->text; p < end; p = line_end(p, end) + 1) {
		const char *stop = line_end(p, end);
		const char *body = line_body(p, stop);

		lines++;
		shared += page_has(before, body, (size_t)(stop - body));
		if (shared == SHARED_MIN)
			return true;
	}
	return shared == lines;
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

static int
read_round(const struct sys_ops *sys, const int fd[2], locklist_seen *seen,
	   void *context)
{
	struct reader reader[2] = {{.fd = fd[0]}, {.fd = fd[1]}};
	struct page page[2];
	int r = read_page(sys, &reader[1], PAGE / 2, &page[1]);

	for (unsigned turn = 0; r >= 0; turn++) {
		struct page *now = &page[turn % 2];

		r = read_page(sys, &reader[turn % 2], PAGE, now);
		if (r <= 0)
			break;
		if (turn > 0 && !pages_join(&page[(turn + 1) % 2], now))
			return -EAGAIN;
		locklist_parse(now->text, now->n, seen, context);
	}
	return r;
}

int
locklist_open(const struct sys_ops *sys)
{
	return sys_open(sys, "/proc/locks", O_RDONLY | O_CLOEXEC, 0);
}

static int
read_anew(const struct sys_ops *sys, locklist_seen *seen, void *context)
{
	int fd[2];
	int r;

	r = fd[0] = locklist_open(sys);
	if (r < 0)
		return r;
	r = fd[1] = locklist_open(sys);
	if (r >= 0) {
		r = read_round(sys, fd, seen, context);
		sys_close(sys, fd[1]);
	}
	sys_close(sys, fd[0]);
	return r;
}

int
locklist_read(const struct sys_ops *sys, locklist_seen *seen, void *context)
{
	int r = 0;

	for (int i = 0, round = 0; i < TRIES && round < ROUNDS; i++) {
		r = read_anew(sys, seen, context);
		if (r < 0 && r != -EAGAIN)
			return r;
		round = r == 0 ? round + 1 : 0;
	}
	return r;
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
	char text[2 * PAGE]; /* as much as the kernel shows in one read */
	long n = sys_read(sys, list, text, sizeof(text));

	if (n < 0)
		return (int)n;
	locklist_parse(text, (size_t)n, glance_seen, &glance);
	if (glance.found)
		return 1;
	n = sys_read(sys, list, text, 1);
	return n > 0 ? -EAGAIN : (int)n;
}
