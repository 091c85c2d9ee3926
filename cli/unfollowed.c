/* SPDX-License-Identifier: MIT */
#include "cli/unfollowed.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/output.h"

struct walk {
	const struct view *view;
	unfollowed_visit *visit;
	void *context;
};

static enum unfollowed_why
why(const struct view *view, bool bad, const struct entry *entry)
{
	if (bad)
		return UNFOLLOWED_SENSELESS;
	if (entry)
		return UNFOLLOWED_IN_THE_WAY;
	return view->count < SLOT_COUNT ? UNFOLLOWED_NOT_YET : UNFOLLOWED_FULL;
}

static int
look(void *context, unsigned line, bool bad, struct block block)
{
	const struct walk *walk = context;
	struct unfollowed found = {.line = line, .block = block};

	if (!bad && view_has_persistent(walk->view, block))
		return 0;
	if (!bad)
		found.entry =
			view_find(walk->view, block.protocol, block.range);
	found.why = why(walk->view, bad, found.entry);
	walk->visit(walk->context, &found);
	return 0;
}

void
unfollowed_each(const struct store *store, const struct view *view,
		unfollowed_visit *visit, void *context)
{
	struct walk walk = {view, visit, context};

	store_each(store, look, &walk);
}

char *
unfollowed_text(const struct unfollowed *line, char *to, size_t size)
{
	const struct entry *entry = line->entry;
	char range[16], other[16], holder[256];
	const char *protocol;

	if (line->why == UNFOLLOWED_SENSELESS) {
		snprintf(to, size,
			 "line %u makes no sense: write \"tcp 5000 20\", or # "
			 "before it",
			 line->line);
		return to;
	}
	protocol = protocol_name(line->block.protocol);
	range_text(&line->block.range, range);
	if (line->why == UNFOLLOWED_IN_THE_WAY)
		snprintf(to, size,
			 "line %u, %s %s, overlaps %s, held by %s: %s",
			 line->line, protocol, range,
			 range_text(&entry->range, other),
			 entry_holder(entry, holder, sizeof(holder)),
			 entry->kind == KIND_PERSISTENT
				 ? "take one of the two lines out"
				 : "stop it, then portres persistent "
				   "reload, or take other ports");
	else
		snprintf(to, size, "line %u, %s %s, is not reserved%s",
			 line->line, protocol, range,
			 line->why == UNFOLLOWED_FULL
				 ? ", for the pool is full: end some of its "
				   "8192 reservations, then portres "
				   "persistent reload"
				 : " yet: portres persistent reload");
	return to;
}
