/* SPDX-License-Identifier: MIT */
#include "core/pool/acquire.h"

#include <errno.h>
#include <string.h>

#include "core/kernel/port_probe.h"
#include "core/kernel/sock.h"
#include "core/pool/announce.h"
#include "core/pool/lease.h"
#include "core/pool/reserve.h"
#include "core/pool/slot.h"

/* -EADDRINUSE when the owner of the slot in the way is known to live, or has
 * been checked; else -EAGAIN. */
static int
obstacle(struct pool *pool, const struct acquire *wanted,
	 const struct slot *slot)
{
	uint64_t sequence = atomic_load(&slot->token) >> TOKEN_SHIFT;

	if (slot->kind != KIND_RUNTIME || sequence <= wanted->judged.until ||
	    lease_is_where_it_was(pool->sys, slot))
		return -EADDRINUSE;
	return -EAGAIN;
}

/* Frees dead slots of the range. 0 when no port of it is reserved; -EADDRINUSE,
 * -EAGAIN. */
static int
check_reserved(struct pool *pool, const struct acquire *wanted)
{
	enum protocol protocol = wanted->protocol;
	struct range range = wanted->range;

	for (uint32_t port = range.start; port < range_end(range); port++) {
		struct slot *slot;

		if (!atomic_load_explicit(mark_of(pool->file, protocol, port),
					  memory_order_relaxed))
			continue;
		slot = slot_by_port(pool->file, protocol, port);
		if (slot && !slot_is_dead(slot)) {
			pool->in_the_way = port;
			return obstacle(pool, wanted, slot);
		}
		if (slot)
			slot_free(pool->file, slot);
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
	slot->pid = atomic_load(pool->forks->word()); /* ours */
	slot->fd = wanted->fd;
	slot->since = (uint32_t)(wanted->now / 1000000000u);
	memset(slot->command, 0, sizeof(slot->command));
	sys_thread_name(pool->sys, slot->command);
}

/* Have all binds ended that might not have seen the marks, autobinds too?
 * Otherwise a port of the range counts as in use. */
static bool
binds_have_ended(struct pool *pool, struct range range, bool ephemeral,
		 uint32_t *ret_port)
{
	const struct range choice = {ANNOUNCE_CHOICE, 1};

	if (!announce_wait(pool->sys, pool->file, range, &pool->waiting_since,
			   ret_port))
		return false;
	if (!ephemeral || announce_wait(pool->sys, pool->file, choice,
					&pool->waiting_since, ret_port))
		return true;
	pool->uncertain = true;
	*ret_port = range_end(range) - 1; /* it may be any */
	return false;
}

/*
 * Takes a range without marks into a picked slot. Returns 0; 1 and the port
 * that is in use in ret_port; or -Exxx.
 */
static int
take_range(struct pool *pool, const struct acquire *wanted, struct range range,
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
	if (r && binds_have_ended(pool, range, slot->ephemeral, ret_port))
		r = port_probe_first(pool->sys, wanted->protocol, range,
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

	r = check_reserved(pool, wanted);
	if (r < 0)
		return r;
	r = take_range(pool, wanted, wanted->range, slot, &port);
	if (r <= 0)
		return r;
	pool->in_the_way = pool->uncertain ? 0 : port;
	return -EADDRINUSE;
}

/*
 * Is it marked by a slot that is not dead? Frees a dead one: wildcards seldom
 * come back to where they have been, and would pass over ever more ports that
 * nobody has.
 */
static bool
is_marked(struct pool *pool, enum protocol protocol, uint32_t port)
{
	struct slot *slot;

	if (!atomic_load_explicit(mark_of(pool->file, protocol, port),
				  memory_order_relaxed))
		return false;
	slot = slot_by_port(pool->file, protocol, port);
	if (!slot || !slot_is_dead(slot))
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
		    (wanted->forbidden &&
		     port_set_has(wanted->forbidden, port)))
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
			r = take_range(pool, wanted, range, slot, &obstacle);
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
 * Begins where the last wildcard ended, so that a block which was just
 * released, and may have connections in TIME_WAIT, is the last to be reserved
 * again.
 */
static int
take_in_place(struct pool *pool, const struct acquire *wanted,
	      struct range place, struct slot *slot)
{
	uint32_t count = wanted->range.count;
	uint32_t first = place.start ? place.start : 1;
	uint32_t last, cursor;
	int r;

	if (range_end(place) < first + count)
		return 1;
	last = range_end(place) - count;
	cursor = pool->file->header.cursor[wanted->protocol];
	if (cursor < first || cursor > last)
		cursor = first;
	r = take_between(pool, wanted, cursor, last, slot);
	if (r == 1 && cursor > first)
		r = take_between(pool, wanted, first, cursor - 1, slot);
	return r;
}

/* In the places from number `i` up to, not including, `end`. */
static int
take_in_places(struct pool *pool, const struct acquire *wanted, size_t i,
	       size_t end, struct slot *slot)
{
	int r = 1;

	for (; r == 1 && i < end; i++)
		r = take_in_place(pool, wanted, wanted->wildcard->range[i],
				  slot);
	return r;
}

/* The number of places that keep out of the ephemeral range; all where none
 * does. */
static size_t
places_outside(const struct acquire *wanted)
{
	const struct range_list *places = wanted->wildcard;
	size_t n = 0;

	while (n < places->count &&
	       !range_overlap(places->range[n], wanted->ephemeral))
		n++;
	return n ? n : places->count;
}

/* Dead owners send no wildcard into the ephemeral range, or away: they are
 * looked for before that. */
static int
take_wildcard(struct pool *pool, const struct acquire *wanted,
	      struct slot *slot)
{
	size_t outside = places_outside(wanted);
	int r = take_in_places(pool, wanted, 0, outside, slot);

	if (r == 1 && wanted->judged.readings == 0)
		return -EAGAIN;
	if (r == 1)
		r = take_in_places(pool, wanted, outside,
				   wanted->wildcard->count, slot);
	return r == 1 ? -ENOBUFS : r;
}

static int
take_slot(struct pool *pool, const struct acquire *wanted, uint64_t cookie,
	  struct slot *slot)
{
	describe(pool, wanted, cookie, slot);
	return wanted->range.start ? take_specific(pool, wanted, slot)
				   : take_wildcard(pool, wanted, slot);
}

/* The lease comes first: without it a live slot would count as dead. */
static int
take_slot_on_lease(struct pool *pool, const struct acquire *wanted,
		   struct slot *slot)
{
	uint64_t token = atomic_load(&slot->token);
	uint64_t cookie;
	int r = sock_cookie(pool->sys, wanted->fd, &cookie);

	if (r < 0)
		return r;
	if (lease_hold(pool->sys, wanted->fd, slot) < 0)
		return -ENETDOWN;
	r = take_slot(pool, wanted, cookie, slot);
	if (r < 0)
		lease_drop(pool->sys, wanted->fd, token);
	return r;
}

int
reserve_acquire(struct pool *pool, const struct acquire *wanted,
		struct reservation *ret)
{
	struct slot *slot;
	int r;

	if (!range_valid(wanted->range))
		return -EINVAL;
	pool->waiting_since = 0;
	pool->dual_stack = false;
	pool->in_the_way = 0;
	pool->uncertain = false;
	/* A request that has met one dead owner frees all dead slots. */
	if (wanted->judged.readings && wanted->judged.until != UINT64_MAX)
		reserve_sweep(pool);
	slot = slot_pick(pool->file);
	/* All slots are live, but their owners may be dead. */
	if (!slot)
		return wanted->judged.readings ? -ENOBUFS : -EAGAIN;
	r = wanted->kind == KIND_RUNTIME
		    ? take_slot_on_lease(pool, wanted, slot)
		    : take_slot(pool, wanted, 0, slot);
	if (r == 0)
		*ret = reserve_grant(slot);
	return r;
}

#define READINGS_MAX 2 /* of one request; the second is for newcomers */

int
reserve_judge_for(struct pool *pool, struct acquire *wanted)
{
	uint64_t until = pool->file->header.sequence;
	int r = -EAGAIN;

	if (wanted->judged.readings < READINGS_MAX)
		r = reserve_judge(pool);
	wanted->judged.readings++;
	if (r == -EMFILE || r == -ENFILE)
		return r;
	/* An owner that cannot be checked counts as alive. */
	wanted->judged.until = r < 0 ? UINT64_MAX : until;
	return 0;
}
