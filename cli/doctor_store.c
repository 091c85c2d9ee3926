/* SPDX-License-Identifier: MIT */
/* The store: can it be used, does it make sense? */
#include <stdio.h>
#include <string.h>

#include "cli/check.h"
#include "cli/trouble.h"
#include "core/store.h"
#include "shim/config.h"

struct lines {
	char bad[256]; /* "3, 7" */
	unsigned blocks;
};

static int
note_line(void *context, unsigned line, bool bad, struct block block)
{
	struct lines *lines = context;
	size_t at = strlen(lines->bad);

	(void)block;
	if (!bad)
		lines->blocks++;
	else
		snprintf(lines->bad + at, sizeof(lines->bad) - at, "%s%u",
			 at ? ", " : "", line);
	return 0;
}

static void
check_refused(int r)
{
	struct trouble trouble;

	trouble_of_store(r, &trouble);
	check(ERROR, "store", "%s: %s", trouble.cause, trouble.way_out);
}

static void
check_lines(const struct store *store, const char *path, bool right)
{
	struct lines lines = {0};

	store_each(store, note_line, &lines);
	check(GOOD, "store", "%s/persistent: %u block%s; you may %s it", path,
	      lines.blocks, lines.blocks == 1 ? "" : "s",
	      right ? "change" : "only read");
	if (*lines.bad)
		check(WARNING, "store",
		      "lines that make no sense: %s: mend them, then portres "
		      "persistent reload",
		      lines.bad);
}

void
check_store(void)
{
	const char *path = config_get()->store;
	bool right = store_right(&sys_kernel, path);
	struct store store;
	int r;

	if (!*path) {
		check(WARNING, "store",
		      "there is no place for one: set HOME or PORTRES_POOL");
		return;
	}
	r = store_open(&sys_kernel, path, false, &store);
	if (r < 0) {
		check_refused(r);
		return;
	}
	check_lines(&store, path, right);
	store_close(&store);
}
