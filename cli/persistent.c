/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/anywhere.h"
#include "cli/cli.h"
#include "cli/guard_forget.h"
#include "cli/output.h"
#include "cli/persistent_list.h"
#include "cli/trouble.h"
#include "cli/unfollowed.h"
#include "cli/view.h"
#include "core/pool/persistent.h"
#include "shim/config.h"

/* Prints core's error about the store or the pool. */
static int
refuse_error(int r)
{
	struct trouble trouble;

	switch (r) {
	case -ENETDOWN:
	case -ESTALE:
		trouble_of_pool(r, &trouble);
		return refuse("%s: %s", trouble.cause, trouble.way_out);
	case -ENOBUFS:
		return refuse("the pool is full: end some of its 8192 "
			      "reservations");
	default:
		trouble_of_store(r, &trouble);
		return refuse("%s: %s; nothing was changed", trouble.cause,
			      trouble.way_out);
	}
}

static void
caution_unguarded(void)
{
	caution("the guard has not followed: the blocks are those of another "
		"store, or the store has another owner or group than when "
		"portres guard on was said last, or it has no room, or its "
		"cgroup is frozen");
}

/* `r` is not negative. */
static int
done(int r)
{
	if (r & PERSISTENT_UNGUARDED)
		caution_unguarded();
	if (r & PERSISTENT_UNCONFIRMED)
		caution("that is done, but the disk has not confirmed it: a "
			"power failure may undo it");
	return finish(STATUS_OK);
}

static int
add(struct pool *pool, struct block block)
{
	struct anywhere anywhere;
	char range[16];
	uint64_t token;
	int r;

	anywhere_find(&anywhere);
	r = persistent_add(pool, config_get()->store, &block,
			   block.range.start ? NULL : &anywhere, &token);
	if (r == -EADDRINUSE)
		return refuse_conflict(pool, block, "delete that");
	if (r == -ENOBUFS && !block.range.start)
		return refuse("no %u free %s ports in a row, or the pool is "
			      "full: ask for fewer, or see portres list",
			      block.range.count, protocol_name(block.protocol));
	if (r < 0)
		return refuse_error(r);
	printf("%s %s is reserved for good, token %" PRIu64 "\n",
	       protocol_name(block.protocol), range_text(&block.range, range),
	       token);
	return done(r);
}

static int delete (struct pool *pool, struct block block)
{
	char range[16];
	int r = persistent_delete(pool, config_get()->store, block);

	range_text(&block.range, range);
	if (r == -ENOENT)
		return refuse("there is no persistent reservation of exactly "
			      "%s %s: see portres persistent list",
			      protocol_name(block.protocol), range);
	if (r < 0)
		return refuse_error(r);
	if (!guard_forget(block))
		r |= PERSISTENT_UNGUARDED;
	printf("%s %s is no longer reserved\n", protocol_name(block.protocol),
	       range);
	return done(r);
}

/* The first of them are told, and how many more there are. */
#define TOLD 3

struct telling {
	unsigned count;
	char text[900];
};

static void
tell(void *context, const struct unfollowed *line)
{
	struct telling *telling = context;
	size_t at = strlen(telling->text);
	char text[400];

	if (telling->count++ < TOLD)
		snprintf(telling->text + at, sizeof(telling->text) - at, "%s%s",
			 at ? "; " : "",
			 unfollowed_text(line, text, sizeof(text)));
}

/* As the store and the pool are now: somebody may have changed them since. */
static int
refuse_unfollowed(struct pool *pool, const char *path, unsigned count)
{
	struct telling telling = {0};
	struct store store;
	struct view view;
	char more[64] = "";

	if (store_open(pool->sys, path, false, &store) == 0) {
		if (view_take(pool, &view) == 0) {
			unfollowed_each(&store, &view, tell, &telling);
			view_free(&view);
		}
		store_close(&store);
	}
	if (telling.count > TOLD)
		snprintf(more, sizeof(more),
			 "; and %u more: see portres doctor",
			 telling.count - TOLD);
	return refuse("%u line%s of %s/persistent could not be followed: %s%s",
		      count, count == 1 ? "" : "s", path,
		      telling.count ? telling.text : "try again", more);
}

static int
reload(struct pool *pool)
{
	const char *store = config_get()->store;
	struct persistent_report report;
	int r = persistent_reload(pool, store, &report);

	if (r < 0)
		return refuse_error(r);
	printf("%u added, %u removed, %u kept\n", report.added, report.removed,
	       report.kept);
	if (report.unguarded)
		caution_unguarded();
	r = finish(STATUS_OK);
	return report.bad ? refuse_unfollowed(pool, store, report.bad) : r;
}

/* Opens the pool for a change of the store. */
static int
with_pool(int (*change)(struct pool *, struct block), struct block block)
{
	struct pool pool;
	int r = view_need_pool(&pool);

	if (r == 0) {
		r = change ? change(&pool, block) : reload(&pool);
		pool_close(&pool);
	}
	return r;
}

/* Reads all operands, so that the message names the first that is too many. */
static int
check_operands(const struct command *self, const char *what, int wanted,
	       int count, char **operands)
{
	if (count < wanted)
		return misused(self,
			       "%s takes tcp or udp, the first port and the "
			       "number of ports",
			       what);
	if (count > wanted)
		return misused(self, "one operand too many for %s: %s", what,
			       operands[wanted]);
	return 0;
}

static int
persistent_main(const struct command *self, int argc, char **argv)
{
	struct options options;
	struct block block = {0};
	const char *what;
	bool changes;
	int r = options_read(self, argc, argv, "j", argc, &options);

	if (r >= 0)
		return r;
	if (optind == argc)
		return misused(self, "say add, delete, list or reload");
	what = argv[optind++];
	changes = strcmp(what, "add") == 0 || strcmp(what, "delete") == 0;
	if (!changes && strcmp(what, "list") && strcmp(what, "reload"))
		return misused(self, "no '%s': say add, delete, list or reload",
			       what);
	r = check_operands(self, what, changes ? 3 : 0, argc - optind,
			   argv + optind);
	if (r != 0)
		return r;
	if (options.json && strcmp(what, "list"))
		return misused(self, "--json goes with list");
	if (changes) {
		r = read_block(self, *what == 'a', argv + optind, &block);
		if (r != 0)
			return r;
	}
	if (!config_get()->store[0])
		return refuse("there is no place for a store: set HOME or "
			      "PORTRES_POOL");
	if (*what == 'l')
		return persistent_list(options.json);
	return with_pool(*what == 'a'	? add
			 : *what == 'd' ? delete
					: NULL,
			 block);
}

const struct command command_persistent = {
	.name = "persistent",
	.summary = "blocks that outlive processes and reboots",
	.help = "persistent add | delete  tcp | udp  START COUNT\n"
		"       portres persistent list [--json]\n"
		"       portres persistent reload\n"
		"Keeps reservations that no process holds. They are lines such "
		"as \"tcp 5000 20\"\nin the file `persistent` of the store.\n\n"
		"  add      reserves the block until it is deleted; START 0 "
		"takes any "
		"free\n           ports\n"
		"  delete   ends it; START and COUNT must be those of a block\n"
		"  list     what the store says, and whether it is followed\n"
		"  reload   follows the store after it was edited\n"
		"  --json   an array of objects: protocol, start, count, "
		"reserved\n",
	.main = persistent_main,
};
