/* SPDX-License-Identifier: MIT */
/*
 * The pool is made to agree with the store, in two readings of the text. A
 * program's first bind may have to do it, so whatever the text is, it takes
 * one system call for each block that is reserved, one for each that is in the
 * way of a line, and none for other lines.
 */
#include <errno.h>

#include "core/ephemeral.h"
#include "core/persistent_inside.h"
#include "core/slot.h"

/* Too large for the stack of a signal handler: mapped. */
struct agreement {
	struct pool *pool;
	struct acquire wanted;
	struct persistent_report report;
	uint32_t missing;
	bool full;
	uint64_t seen[SLOT_COUNT / 64]; /* slots that the store has, too */
	/* Blocks that have been in the way of a line: thousands of lines that
	 * overlap one must not walk through the marks each. */
	struct port_set held[PROTOCOL_COUNT];
};

struct slot *
persistent_slot(struct pool *pool, struct block block)
{
	struct slot *slot =
		slot_by_port(pool->file, block.protocol, block.range.start);
	struct block found = {.protocol = block.protocol};

	if (!slot || slot->kind != KIND_PERSISTENT)
		return NULL;
	found.range = slot_range(slot);
	return block_equal(found, block) ? slot : NULL;
}

struct acquire
persistent_wanted(struct pool *pool)
{
	static const struct range_list nowhere;

	return (struct acquire){
		.kind = KIND_PERSISTENT,
		.fd = -1,
		.wildcard = &nowhere,
		.ephemeral = ephemeral_range(pool->sys),
		.now = sys_clock(pool->sys, CLOCK_REALTIME),
	};
}

static int
see(void *context, unsigned line, bool bad, struct block block)
{
	struct agreement *a = context;
	struct slot *slot = bad ? NULL : persistent_slot(a->pool, block);
	size_t n;

	(void)line;
	if (!slot) {
		a->missing += !bad;
		return 0;
	}
	a->report.kept++;
	n = (size_t)(slot - a->pool->file->slot);
	a->seen[n / 64] |= (uint64_t)1 << n % 64;
	return 0;
}

/* What no line has; with `drop` it is gone then. Returns how many. */
static uint32_t
count_unseen(struct agreement *a, bool drop)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < SLOT_COUNT; n++) {
		struct slot *slot = &a->pool->file->slot[n];

		if (!slot_live(slot) || slot->kind != KIND_PERSISTENT ||
		    a->seen[n / 64] >> n % 64 & 1)
			continue;
		if (drop)
			slot_free(a->pool->file, slot);
		count++;
	}
	return count;
}

/* What is in the way, and lives: the dead before it have just been freed. */
static void
note_holder(struct agreement *a, struct block block)
{
	struct slot *slot = NULL;

	for (uint32_t port = block.range.start;
	     !slot && port < range_end(block.range); port++)
		slot = slot_by_port(a->pool->file, block.protocol, port);
	if (slot)
		port_set_add(&a->held[block.protocol], slot_range(slot));
}

static bool
reserve_line(struct agreement *a, struct block block)
{
	struct reservation made;
	int r;

	if (a->full || port_set_meets(&a->held[block.protocol], block.range))
		return false;
	a->wanted.protocol = block.protocol;
	a->wanted.range = block.range;
	r = reserve_acquire(a->pool, &a->wanted, &made);
	if (r == -EADDRINUSE)
		note_holder(a, block);
	a->full = r == -ENOBUFS;
	return r == 0;
}

static int
add(void *context, unsigned line, bool bad, struct block block)
{
	struct agreement *a = context;

	if (!bad && persistent_slot(a->pool, block))
		return 0;
	if (!bad && reserve_line(a, block)) {
		a->report.added++;
		return 0;
	}
	if (a->report.bad++ == 0)
		a->report.first_bad = line;
	return 0;
}

/* NULL when there is no memory. */
static struct agreement *
begin(struct pool *pool, const struct store *store)
{
	long at = sys_mmap_private(pool->sys, sizeof(struct agreement));
	struct agreement *a = (struct agreement *)at;

	if (at < 0)
		return NULL;
	a->pool = pool;
	store_each(store, see, a);
	return a;
}

int
persistent_agree(struct pool *pool, const struct store *store,
		 struct persistent_report *ret)
{
	struct agreement *a = begin(pool, store);

	if (!a)
		return -ENOMEM;
	a->report.removed = count_unseen(a, true);
	a->wanted = persistent_wanted(pool);
	a->wanted.though_in_use = true; /* its user may well be there already */
	/* Who is in the way has been judged, or counts as alive. */
	a->wanted.judged = (struct judgement){UINT64_MAX, 1};
	store_each(store, add, a);
	*ret = a->report;
	sys_munmap(pool->sys, a, sizeof(*a));
	return 0;
}

int
persistent_look(struct pool *pool, const struct store *store, bool mend,
		struct persistent_difference *ret)
{
	struct agreement *a = begin(pool, store);

	if (!a)
		return -ENOMEM;
	ret->left_over = count_unseen(a, mend);
	ret->missing = a->missing;
	sys_munmap(pool->sys, a, sizeof(*a));
	return 0;
}
