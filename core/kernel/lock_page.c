/* SPDX-License-Identifier: MIT */
#include "core/kernel/lock_page.h"

#include <errno.h>
#include <string.h>

#define SIZE_FIRST 4096u /* lines that are usually there, times 4/3 */
#define SIZE_LAST (1u << 30)
#define GROWTH 4u

static size_t
bytes(uint32_t size)
{
	return size * sizeof(struct lineset_entry);
}

static int
make_of_size(const struct sys_ops *sys, uint32_t size, struct lineset *ret)
{
	long at = sys_mmap_private(sys, bytes(size));

	if (at < 0)
		return (int)at;
	*ret = (struct lineset){
		.sys = sys, .entry = (struct lineset_entry *)at, .size = size};
	return 0;
}

int
lineset_make(const struct sys_ops *sys, struct lineset *ret)
{
	return make_of_size(sys, SIZE_FIRST, ret);
}

void
lineset_free(struct lineset *set)
{
	sys_munmap(set->sys, set->entry, bytes(set->size));
	set->entry = NULL;
}

void
lineset_clear(struct lineset *set)
{
	memset(set->entry, 0, bytes(set->size));
	set->count = 0;
}

/* Eight bytes at a time: while a list is read each microsecond counts. */
uint32_t
lineset_hash(const char *line, size_t n, uint64_t seed)
{
	uint64_t hash = seed + n;
	uint64_t word = 0;

	for (; n >= sizeof(word); n -= sizeof(word), line += sizeof(word)) {
		memcpy(&word, line, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, line, n);
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93u;
	return hash >> 32 ? (uint32_t)(hash >> 32) : 1;
}

/* The entry of the hash, or the free one for it. */
static struct lineset_entry *
place(const struct lineset *set, uint32_t hash)
{
	uint32_t i = hash & (set->size - 1);

	while (set->entry[i].hash && set->entry[i].hash != hash)
		i = (i + 1) & (set->size - 1);
	return &set->entry[i];
}

struct lineset_entry *
lineset_find(const struct lineset *set, uint32_t hash)
{
	struct lineset_entry *entry = place(set, hash);

	return entry->hash ? entry : NULL;
}

static int
grow(struct lineset *set)
{
	struct lineset larger;
	int r = -ENOMEM;

	if (set->size < SIZE_LAST)
		r = make_of_size(set->sys, set->size * GROWTH, &larger);
	if (r < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < set->size; i++)
		if (set->entry[i].hash)
			*place(&larger, set->entry[i].hash) = set->entry[i];
	larger.count = set->count;
	lineset_free(set);
	*set = larger;
	return 0;
}

int
lineset_put(struct lineset *set, uint32_t hash, uint32_t number)
{
	struct lineset_entry *entry = place(set, hash);

	if (!entry->hash) {
		if (set->count >= set->size / 4 * 3) {
			int r = grow(set);

			if (r < 0)
				return r;
			entry = place(set, hash);
		}
		set->count++;
	}
	*entry = (struct lineset_entry){hash, number};
	return 0;
}

void
reader_put(struct reader *reader, size_t at)
{
	reader->inside_line = at > 0;
	reader->room = at == 0;
	reader->place.at = at;
	reader->place.n = 0;
}

static const char *
next_line(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	return newline ? newline + 1 : end;
}

/* A waiter's line is "12: -> OFDLCK …", one that waits for him "12:  -> …". */
static bool
is_waiter(const char *body, const char *end)
{
	const char *p = body;

	if (p < end && *p == ':')
		p++;
	if (p == body || p == end || *p != ' ')
		return false;
	while (p < end && *p == ' ')
		p++;
	return end - p >= 3 && memcmp(p, "-> ", 3) == 0;
}

/* The number is not hashed: it changes as locks come and go. */
static struct line
line_of(const char *p, const char *end, uint64_t seed)
{
	struct line line = {0};

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		line.number = line.number * 10 + (uint32_t)(*p - '0');
	line.hash = lineset_hash(p, (size_t)(end - p), seed);
	line.waits = is_waiter(p, end);
	return line;
}

/* Lines from the first fresh lock on were shown in one moment. */
static int
find_lines(struct page *page, bool begins_old, uint64_t seed)
{
	const size_t max = sizeof(page->line) / sizeof(*page->line);
	const char *end = page->text + page->n;
	const char *next;

	page->lines = page->locks = page->fresh = 0;
	for (const char *p = page->text; p < end; p = next) {
		struct line line;

		if (page->lines == max)
			return -EIO; /* not a list of locks */
		next = next_line(p, end);
		line = line_of(p, next, seed);
		line.old = begins_old && page->lines == 0;
		page->line[page->lines++] = line;
		if (!line.waits && !line.old && page->locks++ == 0)
			page->fresh = (size_t)(end - p);
	}
	return 0;
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

/* The kernel's buffer is a page, doubled for each record that did not fit. */
static bool
has_room(const struct page *page)
{
	size_t buffer = LOCK_PAGE;

	while (buffer < page->fresh)
		buffer *= 2;
	return page->locks > 0 && page->fresh + LOCK_ROOM <= buffer;
}

/* Copies the beginning of the line in which the last read ended. The next read
 * begins with its rest, out of the kernel's buffer. */
static size_t
cut_line(const struct reader *reader, char *to)
{
	const struct place *place = &reader->place;
	const char *end = place->before + place->n;
	const char *last = memrchr(place->before, '\n', place->n);

	if (!reader->inside_line || (!last && place->n < place->at))
		return 0;
	last = last ? last + 1 : place->before;
	memcpy(to, last, (size_t)(end - last));
	return (size_t)(end - last);
}

/* pread() costs no more than read() if the file is at that place already, and
 * saves the lseek() if it is not. */
int
page_read(const struct sys_ops *sys, struct reader *reader, size_t size,
	  uint64_t seed, struct page *ret)
{
	size_t cut = cut_line(reader, ret->text);
	char *text = ret->text + cut;
	long got = sys_pread(sys, reader->fd, text, size, reader->place.at);
	const char *end = text + (got < 0 ? 0 : got);
	const char *first = ret->text;
	const char *last;
	int r;

	if (got < 0)
		return (int)got;
	ret->place = reader->place;
	go_on(&reader->place, text, (size_t)got);
	if (reader->inside_line && cut == 0)
		first = next_line(first, end);
	last = memrchr(first, '\n', (size_t)(end - first));
	last = last ? last + 1 : first;
	if (got > 0)
		reader->inside_line = end[-1] != '\n';
	ret->n = (size_t)(last - first);
	memmove(ret->text, first, ret->n);
	r = find_lines(ret, cut > 0, seed);
	if (r < 0)
		return r;
	if (got > 0)
		reader->room = size == LOCK_PAGE_MAX && has_room(ret);
	return (int)got;
}

bool
place_is_new(const struct place *place)
{
	return place->n == 0 && place->at > 0;
}

bool
place_held_still(const struct sys_ops *sys, int fd, const struct place *place)
{
	char now[LOOK_BACK];
	long n;

	if (place->n < LOOK_BACK && place->n < place->at)
		return false;
	n = sys_pread(sys, fd, now, place->n, place->at - place->n);
	return n == (long)place->n && memcmp(now, place->before, place->n) == 0;
}

bool
page_has_waiters(const struct page *page)
{
	for (size_t i = 0; i < page->lines; i++)
		if (page->line[i].waits)
			return true;
	return false;
}

bool
place_has_waiters(const struct place *place)
{
	return memmem(place->before, place->n, " -> ", 4) != NULL;
}

#define SHARED_MIN 4 /* of a page's locks; one would do, but for twins */
#define LEADING_MIN 2
#define TWINS_MIN 16
#define STRAY 4	  /* lines; at most, that go between two neighbours */
#define NOWHERE 0 /* the number of a line that is there more than once */

/* The locks of a page that were seen before, counted from first to last. */
struct evidence {
	size_t near;	 /* seen once, within `reach` */
	int64_t moved;	 /* the distance of the last of these */
	size_t row;	 /* of them, with like distances */
	size_t together; /* the longest row */
	size_t leading;	 /* those before the first unseen one */
	bool all_lead;	 /* there was no unseen one */
	bool waited_for; /* a leading one has a waiter */
};

static int64_t
between(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

static void
count_near(struct evidence *found, int64_t moved)
{
	bool alike = found->row > 0 && between(moved, found->moved) <= STRAY;

	found->near++;
	found->moved = moved;
	found->row = alike ? found->row + 1 : 1;
	if (found->row > found->together)
		found->together = found->row;
}

static struct evidence
count_seen(const struct lineset *set, const struct page *page, size_t reach)
{
	struct evidence found = {.all_lead = true};

	for (size_t i = 0; i < page->lines; i++) {
		const struct line *line = &page->line[i];
		const struct lineset_entry *known;
		bool twin, near;

		if (line->waits)
			found.waited_for |= found.all_lead && found.leading > 0;
		if (line->waits || line->old)
			continue;
		known = lineset_find(set, line->hash);
		twin = known && known->number == NOWHERE;
		near = known && !twin &&
		       between(line->number, known->number) <= (int64_t)reach;
		if (near)
			count_near(&found,
				   (int64_t)line->number - known->number);
		found.all_lead &= near || twin;
		found.leading += found.all_lead;
	}
	return found;
}

enum joining
page_joins(const struct lineset *set, const struct page *page, size_t reach,
	   bool strictly)
{
	const struct evidence found = count_seen(set, page, reach);

	if (page->place.at == 0)
		return JOINS;
	/* Within a long record; after a move it may be any. */
	if (page->locks == 0)
		return place_is_new(&page->place) ? JOINS_NOT : JOINS;
	if (found.near == page->locks)
		return JOINS_WHOLLY;
	if (found.together >= SHARED_MIN &&
	    (found.leading >= LEADING_MIN || !strictly))
		return JOINS;
	if (found.leading >= TWINS_MIN || found.waited_for || found.all_lead)
		return JOINS_PERHAPS;
	return JOINS_NOT;
}

/* Lines that look alike get the number NOWHERE. */
int
page_remember(struct lineset *set, const struct page *page)
{
	for (size_t i = 0; i < page->lines; i++) {
		const struct line *line = &page->line[i];
		const struct lineset_entry *known =
			lineset_find(set, line->hash);
		int r = 0;

		if (!line->waits && !(known && known->number == NOWHERE))
			r = lineset_put(set, line->hash, line->number);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < page->lines; i++) {
		const struct line *line = &page->line[i];
		struct lineset_entry *known = lineset_find(set, line->hash);

		if (!line->waits && !line->old && known->number != line->number)
			known->number = NOWHERE;
	}
	return 0;
}
