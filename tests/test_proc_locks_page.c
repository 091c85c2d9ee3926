/* SPDX-License-Identifier: MIT */
/* One page of the list of locks: the locks it shows, and when it joins
 * another. */
#include "core/kernel/lock_page.h"

#include <sys/mman.h>

#include "tests/locks_churn.h"

#define FAR 256

/* A page as page_read() gives it, of these lines. */
static struct page *
page_of(const char *text)
{
	static struct page page;
	struct reader reader = {.place = {.at = 1000, .n = 1}};

	reader.fd = memfd_create("page", MFD_CLOEXEC);
	cr_assert_eq(pwrite(reader.fd, text, strlen(text), 1000),
		     (ssize_t)strlen(text));
	cr_assert_eq(page_read(&sys_kernel, &reader, LOCK_PAGE_MAX, 1, &page),
		     (int)strlen(text));
	close(reader.fd);
	return &page;
}

/* Locks of these names; a space before a name: somebody waits for the last. */
static struct page *
page_with(uint32_t first, const char *names)
{
	char text[8192];
	size_t n = 0;

	for (; *names; names++) {
		bool waits = *names == ' ';

		names += waits;
		n += (size_t)sprintf(text + n,
				     "%u: %sOFDLCK ADVISORY  READ -1 "
				     "00:09:%d 5 5\n",
				     first - waits, waits ? "-> " : "", *names);
		first += !waits;
	}
	return page_of(text);
}

static struct lineset
remembered(uint32_t first, const char *names)
{
	struct lineset set;

	cr_assert_eq(lineset_make(&sys_kernel, &set), 0);
	cr_assert_eq(page_remember(&set, page_with(first, names)), 0);
	return set;
}

/* The page (first, names) after one that was (1, before). */
static enum joining
joining(const char *before, uint32_t first, const char *names, bool strictly)
{
	struct lineset set = remembered(1, before);
	enum joining r =
		page_joins(&set, page_with(first, names), FAR, strictly);

	lineset_free(&set);
	return r;
}

CHECK(locklist_page, joins_where_four_have_stayed)
{
	cr_assert_eq(joining("abcdefgh", 5, "efghijkl", true), JOINS);
	cr_assert_eq(joining("abcdefgh", 6, "fghijklm", true), JOINS_NOT);
	cr_assert_eq(joining("abcdefgh", 9, "ijklmnop", true), JOINS_NOT);
	/* All, if there are not so many. */
	cr_assert_eq(joining("abcdefgh", 6, "fgh", true), JOINS_WHOLLY);
	cr_assert_eq(joining("abcdefgh", 8, "h", true), JOINS_WHOLLY);
	cr_assert_eq(joining("abcdefgh", 8, "hi", true), JOINS_NOT);
}

CHECK(locklist_page, joins_where_they_have_moved_alike)
{
	cr_assert_eq(joining("abcdefgh", 200, "efghijkl", true), JOINS);
	cr_assert_eq(joining("abcdefgh", 300, "efghijkl", true), JOINS_NOT);
	/* One has gone between them, or some. */
	cr_assert_eq(joining("abcdefgh", 10, "acdghijk", true), JOINS);
	/* Taken anew, here and there. */
	cr_assert_eq(joining("abcdefghijklmnopqrstuvw", 100, "wjqbs1234", true),
		     JOINS_NOT);
}

/* Locks that were taken anew may follow on what fell through. */
CHECK(locklist_page, begins_with_what_is_known)
{
	cr_assert_eq(joining("abcdefgh", 5, "1efghijk", true), JOINS_NOT);
	cr_assert_eq(joining("abcdefgh", 5, "1efghijk", false), JOINS);
}

/* A lock that is there twice says of neither where it is. */
CHECK(locklist_page, is_not_fooled_by_twins)
{
	cr_assert_eq(joining("aabbccddefgh", 20, "abcdijkl", true), JOINS_NOT);
	cr_assert_eq(joining("aabbccddefgh", 9, "efghijkl", true), JOINS);
	/* Among nothing but twins one page may as well be the other. */
	cr_assert_eq(joining("aaaaaaaaaaaaaaaaaaaaaaaa", 9,
			     "aaaaaaaaaaaaaaaaaaaaab", true),
		     JOINS_PERHAPS);
	cr_assert_eq(
		joining("aaaaaaaaaaaaaaaaaaaaaaaa", 9, "aaabcdefghijkl", true),
		JOINS_NOT);
}

/* A waiter is shown with the lock, which may be of another moment. */
CHECK(locklist_page, takes_no_waiter_for_a_lock)
{
	cr_assert_eq(joining("ab 1 2 3 4 5c", 3, " 1 2 3 4 5cdefgh", true),
		     JOINS_NOT);
	cr_assert_eq(joining("ab 1 2 3 4 5", 2, "b 1 2 3 4 5cdefgh", true),
		     JOINS_PERHAPS);
}

static struct sim *
list_of(uint32_t locks)
{
	struct churn churn = {.dice = dice_from(60)};
	struct sim *sim = sim_new();

	while (locks-- > 0)
		sim_add(sim, 0, new_lock(sim, &churn, true));
	return sim;
}

static int
open_list_of(struct sim *sim)
{
	return sys_open(&sim->ops, "/proc/locks", O_RDONLY | O_CLOEXEC, 0);
}

/* A line that a short read has cut is whole in the next page, and old there. */
CHECK(locklist_page, loses_no_line_that_was_cut)
{
	struct sim *sim = list_of(500);
	struct reader reader = {.fd = open_list_of(sim)};
	struct page *page = calloc(1, sizeof(*page));
	uint32_t next = 1;

	for (size_t size = 100; size < 3000; size += 37) {
		bool cut = reader.inside_line;
		int got = page_read(&sim->ops, &reader, size, 1, page);

		cr_assert_gt(got, 0);
		for (size_t i = 0; i < page->lines; i++) {
			cr_assert_eq(page->line[i].number, next++);
			cr_assert_eq(page->line[i].old, cut && i == 0);
		}
		if (page->lines > 0)
			cr_assert_eq(page->locks, page->lines - cut);
		if (next > 480)
			break;
	}
	cr_assert_gt(next, 400);
	sys_close(&sim->ops, reader.fd);
	free(page);
	sim_end(sim);
}

/* A reader that was put somewhere has seen nothing, and nothing has held
 * still. */
CHECK(locklist_page, a_place_that_was_not_come_to)
{
	struct sim *sim = list_of(500);
	struct reader reader = {.fd = open_list_of(sim)};
	struct page *page = calloc(1, sizeof(*page));

	for (size_t at = 5000; at < 5200; at++) {
		reader_put(&reader, at);
		cr_assert(place_is_new(&reader.place));
		cr_assert_not(
			place_held_still(&sim->ops, reader.fd, &reader.place));
		cr_assert_gt(page_read(&sim->ops, &reader, 4096, 1, page), 0);
		/* Within a line, which it does not show. */
		for (size_t i = 0; i < page->lines; i++) {
			cr_assert_not(page->line[i].old);
			cr_assert_eq(page->line[i].number,
				     page->line[0].number + i);
		}
		cr_assert_not(place_is_new(&reader.place));
		cr_assert(
			place_held_still(&sim->ops, reader.fd, &reader.place));
	}
	/* Behind the end there is nothing, but it is not the end. */
	reader_put(&reader, 1000000);
	cr_assert_eq(page_read(&sim->ops, &reader, 4096, 1, page), 0);
	cr_assert(place_is_new(&reader.place));
	sys_close(&sim->ops, reader.fd);
	free(page);
	sim_end(sim);
}

/* Behind a page that left room there was nothing when it was shown. */
CHECK(locklist_page, knows_whether_there_was_room)
{
	struct page *page = calloc(1, sizeof(*page));

	for (uint32_t locks = 1; locks < 120; locks++) {
		struct sim *sim = list_of(locks);
		struct reader reader = {.fd = open_list_of(sim)};
		int got = page_read(&sim->ops, &reader, LOCK_PAGE_MAX, 1, page);

		if (reader.room)
			cr_assert_eq(page->lines, locks);
		cr_assert_eq(reader.room, got <= 3072, "%d bytes", got);
		/* A short read tells nothing. */
		reader_put(&reader, 0);
		page_read(&sim->ops, &reader, 1000, 1, page);
		cr_assert_not(reader.room);
		sys_close(&sim->ops, reader.fd);
		sim_end(sim);
	}
	free(page);
}
