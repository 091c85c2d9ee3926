/* SPDX-License-Identifier: MIT */
#include "cli/persistent_list.h"

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/trouble.h"
#include "cli/view.h"
#include "core/pool/store.h"
#include "shim/config.h"

struct listing {
	const struct view *view;
	struct table table;
	bool json;
	unsigned lines;
	unsigned bad, first_bad;
};

static int
note_line(void *context, unsigned line, bool bad, struct block block)
{
	struct listing *listing = context;
	bool reserved = !bad && view_has_persistent(listing->view, block);

	if (bad) {
		if (listing->bad++ == 0)
			listing->first_bad = line;
	} else if (listing->json) {
		printf("%s{\"protocol\": \"%s\", \"start\": %u, \"count\": %u, "
		       "\"reserved\": %s}",
		       listing->lines++ ? ",\n" : "\n",
		       protocol_name(block.protocol), block.range.start,
		       block.range.count, reserved ? "true" : "false");
	} else {
		table_cell(&listing->table, protocol_name(block.protocol));
		table_number(&listing->table, block.range.start);
		table_number(&listing->table, range_end(block.range) - 1);
		table_number(&listing->table, block.range.count);
		table_cell(&listing->table, reserved ? "reserved" : "not yet");
	}
	return 0;
}

int
persistent_list(bool json)
{
	static const char *const heading[] = {"PROTO", "START", "END", "COUNT",
					      "STATE"};
	struct listing listing = {
		.json = json,
		.table = {.columns = 5, .align = "<>>><"},
	};
	struct trouble trouble;
	struct store store;
	struct view view;
	int r = store_open(&sys_kernel, config_get()->store, false, &store);

	if (r < 0) {
		trouble_of_store(r, &trouble);
		return refuse("%s: %s", trouble.cause, trouble.way_out);
	}
	r = view_now(&view);
	if (r != 0) {
		store_close(&store);
		return r;
	}
	listing.view = &view;
	for (size_t i = 0; !json && i < 5; i++)
		table_cell(&listing.table, heading[i]);
	if (json)
		putchar('[');
	store_each(&store, note_line, &listing);
	if (json)
		puts(listing.lines ? "\n]" : "]");
	else
		table_print(&listing.table);
	store_close(&store);
	view_free(&view);
	r = finish(STATUS_OK);
	if (listing.bad)
		r = refuse(
			"%u line%s of %s/persistent make%s no sense, the first "
			"is line %u: write \"tcp 5000 20\", or # before it",
			listing.bad, listing.bad == 1 ? "" : "s",
			config_get()->store, listing.bad == 1 ? "s" : "",
			listing.first_bad);
	return r;
}
