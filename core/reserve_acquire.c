/* SPDX-License-Identifier: MIT */
/* How a block is taken: a certain one, or wherever there is room. */
#include "core/reserve.h"

#include <errno.h>
#include <string.h>

#include "core/announce.h"
#include "core/endpoint.h"
#include "core/inuse.h"
#include "core/lease.h"
#include "core/reserve_inside.h"
#include "core/slot.h"

/* 0 when nobody has reserved a port of the range; -EADDRINUSE, -EMFILE … */
static int
check_reserved(struct pool *pool, enum protocol protocol, struct range range)
{
	for (uint32_t port = range.start; port < range_end(range); port++) {
		struct slot *slot;
		int r;

		if (!atomic_load_explicit(mark_of(pool->file, protocol, port),
					  memory_order_relaxed))
			continue;
		r = reserve_find_holder(pool, protocol, port, &slot);
		if (r < 0 || slot)
			return r < 0 ? r : -EADDRINUSE;
	}
	return 0;
}

static void
describe(struct pool *pool, const struct acquire *wanted, uint64_t cookie,
	 struct slot *slot)
{
	slot->protocol = (uint8_t)wanted->protocol;
	slot->kind = (uint8_t)wanted->kind;
	slot->cookie = cookie;
	slot->pid = atomic_load(pool->gate); /* ours: we are inside */
	slot->fd = wanted->fd;
	slot->since = wanted->now;
	memset(slot->command, 0, sizeof(slot->command));
	sys_thread_name(pool->sys, slot->command);
}

/*
 * Takes a range without marks into a picked slot. Returns 0; 1 and the port
 * that is in use in ret_port; or -Exxx.
 */
static int
take(struct pool *pool, const struct acquire *wanted, struct range range,
     struct slot *slot, uint32_t *ret_port)
{
	_Atomic uint32_t *dirty = &pool->file->header.dirty;
	int r = wanted->though_in_use ? 0 : 1;

	slot->start = (uint16_t)range.start;
	slot->count = (uint16_t)range.count;
	slot->ephemeral = range_overlap(range, wanted->ephemeral);
	if (slot->ephemeral)
		atomic_store(&pool->file->header.ephemeral_range,
			     (range_end(wanted->ephemeral) - 1) << 16 |
				     wanted->ephemeral.start);
	atomic_store(dirty, 1);
	slot_mark(pool->file, slot);
	if (r && announce_wait(pool->sys, pool->file, range,
			       &pool->waiting_since, ret_port))
		r = inuse_first(pool->sys, wanted->protocol, range,
				&pool->dual_stack, ret_port);
	if (r == 0)
		slot_publish(slot);
	else
		slot_unmark(pool->file, slot);
	atomic_store(dirty, 0);
	return r;
}

static int
take_specific(struct pool *pool, const struct acquire *wanted,
	      struct slot *slot)
{
	uint32_t port;
	int r;

	r = check_reserved(pool, wanted->protocol, wanted->range);
	if (r < 0)
		return r;
	r = take(pool, wanted, wanted->range, slot, &port);
	return r > 0 ? -EADDRINUSE : r;
}

/*
 * Is it marked? What was closed leaves its marks until somebody comes by, and
 * wildcards seldom come by where they have been: they would take ever more for
 * used that is not, and walk past it each time.
 */
static bool
is_marked(struct pool *pool, enum protocol protocol, uint32_t port)
{
	struct slot *slot;

	if (!atomic_load_explicit(mark_of(pool->file, protocol, port),
				  memory_order_relaxed))
		return false;
	slot = slot_by_port(pool->file, protocol, port);
	if (!slot || !slot_ended(slot))
		return true;
	slot_free(pool->file, slot);
	return false;
}

/* The first port of the range that a wildcard may not have; 0 when none. */
static uint32_t
first_obstacle(struct pool *pool, const struct acquire *wanted,
	       struct range range)
{
	for (uint32_t port = range.start; port < range_end(range); port++)
		if (is_marked(pool, wanted->protocol, port) ||
		    range_list_overlaps(wanted->forbidden,
					(struct range){port, 1}))
			return port;
	return 0;
}

/* Looks for a free run that begins in [first, last]. 0, 1 = none, -Exxx. */
static int
take_between(struct pool *pool, const struct acquire *wanted, uint32_t first,
	     uint32_t last, struct slot *slot)
{
	uint32_t start = first;

	while (start <= last) {
		struct range range = {start, wanted->range.count};
		uint32_t obstacle = first_obstacle(pool, wanted, range);
		int r = 1;

		if (!obstacle)
			r = take(pool, wanted, range, slot, &obstacle);
		if (r == 0)
			pool->file->header.cursor[wanted->protocol] =
				range_end(range);
		if (r <= 0)
			return r;
		start = obstacle + 1;
	}
	return 1;
}

/*
 * Goes on where the last wildcard ended, so that a block which was just given
 * back, and may have connections in TIME_WAIT, is the last to be used again.
 */
static int
take_wildcard(struct pool *pool, const struct acquire *wanted,
	      struct slot *slot)
{
	uint32_t count = wanted->range.count;

	for (size_t i = 0; i < wanted->wildcard->count; i++) {
		struct range window = wanted->wildcard->range[i];
		uint32_t first = window.start ? window.start : 1;
		uint32_t last, cursor;
		int r;

		if (range_end(window) < first + count)
			continue;
		last = range_end(window) - count;
		cursor = pool->file->header.cursor[wanted->protocol];
		if (cursor < first || cursor > last)
			cursor = first;
		r = take_between(pool, wanted, cursor, last, slot);
		if (r == 1 && cursor > first)
			r = take_between(pool, wanted, first, cursor - 1, slot);
		if (r <= 0)
			return r;
	}
	return -ENOBUFS;
}

static int
take_slot(struct pool *pool, const struct acquire *wanted, uint64_t cookie,
	  struct slot *slot)
{
	describe(pool, wanted, cookie, slot);
	return wanted->range.start ? take_specific(pool, wanted, slot)
				   : take_wildcard(pool, wanted, slot);
}

/* First of all the lease: the slot must not be live before that is. */
static int
take_slot_on_lease(struct pool *pool, const struct acquire *wanted,
		   struct slot *slot)
{
	uint64_t token = atomic_load(&slot->token);
	uint64_t cookie;
	int r = endpoint_cookie(pool->sys, wanted->fd, &cookie);

	if (r < 0)
		return r;
	if (lease_hold(pool->sys, wanted->fd, token, &slot->inode) < 0)
		return -ENETDOWN;
	r = take_slot(pool, wanted, cookie, slot);
	if (r < 0)
		lease_drop(pool->sys, wanted->fd, token);
	return r;
}

static int
pick_and_take(struct pool *pool, const struct acquire *wanted,
	      struct reservation *ret)
{
	struct slot *slot = slot_pick(pool->file);
	int r;

	if (!slot)
		return -ENOBUFS;
	r = wanted->kind == KIND_RUNTIME
		    ? take_slot_on_lease(pool, wanted, slot)
		    : take_slot(pool, wanted, 0, slot);
	if (r == 0)
		*ret = reserve_grant(slot);
	return r;
}

int
reserve_acquire(struct pool *pool, const struct acquire *wanted,
		struct reservation *ret)
{
	int r;

	if (!range_valid(wanted->range))
		return -EINVAL;
	pool->waiting_since = 0;
	pool->dual_stack = false;
	r = pick_and_take(pool, wanted, ret);
	/* What is full may be full of the dead. */
	if (r == -ENOBUFS && reserve_sweep(pool) > 0)
		r = pick_and_take(pool, wanted, ret);
	return r;
}
