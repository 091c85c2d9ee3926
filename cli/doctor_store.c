/* SPDX-License-Identifier: MIT */
/* The store: can it be used, does it make sense, does the pool agree? */
#include <stdio.h>
#include <string.h>

#include "cli/check.h"
#include "cli/cli.h"
#include "cli/open_pool.h"
#include "cli/output.h"
#include "cli/trouble.h"
#include "cli/unfollowed.h"
#include "cli/view.h"
#include "core/pool/persistent.h"
#include "shim/config.h"

#define LOOKS 5
#define NAP_NS 10000000

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

/* Without the right to the store a change may be under way: for a moment it
 * looks like one that was killed between pool and store. */
static int
look_again(struct pool *pool, const char *path,
	   struct persistent_difference *ret)
{
	int r = 0;

	for (int i = 0; i < LOOKS && r == 0 && ret->left_over; i++) {
		sys_nanosleep(pool->sys, NAP_NS);
		r = persistent_compare(pool, path, ret);
	}
	return r;
}

/* Without the lock first: taking it makes files, which few users need. */
static int
compare(struct pool *pool, const char *path, bool right,
	struct persistent_difference *ret)
{
	int r = persistent_compare(pool, path, ret);

	if (r < 0 || !ret->left_over)
		return r;
	return right ? persistent_mend(pool, path, ret)
		     : look_again(pool, path, ret);
}

/* So many lines are told of what is in their way, one by one. */
#define TOLD 8

struct missing {
	unsigned in_the_way, not_yet;
	char lines[256]; /* of those that are not reserved yet */
};

static void
note_missing(void *context, const struct unfollowed *line)
{
	struct missing *missing = context;
	size_t at = strlen(missing->lines);
	char text[400], range[16];

	if (line->why == UNFOLLOWED_SENSELESS)
		return; /* as check_lines() has said */
	if (line->why != UNFOLLOWED_NOT_YET) {
		if (missing->in_the_way++ < TOLD)
			check(WARNING, "store", "%s",
			      unfollowed_text(line, text, sizeof(text)));
	} else if (missing->not_yet++ < TOLD) {
		snprintf(missing->lines + at, sizeof(missing->lines) - at,
			 "%sline %u, %s %s", at ? "; " : "", line->line,
			 protocol_name(line->block.protocol),
			 range_text(&line->block.range, range));
	}
}

static void
check_missing(struct pool *pool, const char *path, const char *whose)
{
	struct missing missing = {0};
	struct store store;
	struct view view;

	if (store_open(pool->sys, path, false, &store) < 0)
		return;
	if (view_take(pool, &view) == 0) {
		unfollowed_each(&store, &view, note_missing, &missing);
		view_free(&view);
	}
	store_close(&store);
	if (missing.in_the_way > TOLD)
		check(WARNING, "store",
		      "something is in the way of %u lines more: mend these "
		      "first",
		      missing.in_the_way - TOLD);
	if (missing.not_yet)
		check(WARNING, "store",
		      "the pool does not have %u block%s of the store: portres "
		      "persistent reload%s (%s%s)",
		      missing.not_yet, missing.not_yet == 1 ? "" : "s", whose,
		      missing.lines, missing.not_yet > TOLD ? "; ..." : "");
}

static void
check_agreement(struct pool *pool, const char *path, bool right)
{
	struct persistent_difference d;
	int r = compare(pool, path, right, &d);
	const char *s = r == 0 && d.left_over == 1 ? "" : "s";

	if (r == -ENETDOWN || r == -ESTALE)
		return; /* as check_pool() has said */
	if (r < 0) {
		check_refused(r);
		return;
	}
	if (d.left_over && right)
		check(GOOD, "store",
		      "put right: dropped %u block%s that a killed add or "
		      "delete had left in the pool",
		      d.left_over, s);
	else if (d.left_over)
		check(WARNING, "store",
		      "the pool has %u block%s that a killed add or delete "
		      "left there, or a reload is due: portres persistent "
		      "reload, as the owner of the store",
		      d.left_over, s);
	if (d.missing)
		check_missing(pool, path,
			      right ? "" : ", as the owner of the store");
}

void
check_store(void)
{
	const char *path = config_get()->store;
	bool right = store_right(&sys_kernel, path);
	struct store store;
	struct pool pool;
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
	if (open_pool(&pool) < 0)
		return;
	check_agreement(&pool, path, right);
	pool_close(&pool);
}
