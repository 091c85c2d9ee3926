/* SPDX-License-Identifier: MIT */
#include "core/locklist_page.h"

#define SHARED_MIN 4 /* of a page's locks; one would do, but for twins */
#define LEADING_MIN 2
#define TWINS_MIN 16
#define STRAY 4	  /* lines; so many may go between two neighbours */
#define NOWHERE 0 /* the number of a line that is there more than once */

/* What is known of a page's locks, looking at one after the other. */
struct evidence {
	size_t near;	 /* seen once, and not far from here */
	int64_t moved;	 /* so far had the last of these */
	size_t row;	 /* so many were alike in that */
	size_t together; /* most that were */
	size_t leading;	 /* seen, before the first that was not */
	bool all_lead;	 /* there was none that was not */
	bool waited_for; /* somebody waits for a leading one */
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
look_at(const struct lineset *set, const struct page *page, size_t reach)
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
	const struct evidence found = look_at(set, page, reach);

	if (page->place.at == 0)
		return JOINS;
	/* Within a long record; but which, after a leap? */
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

/* Of lines that look alike none is anywhere. */
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
