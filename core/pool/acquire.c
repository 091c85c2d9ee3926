/* SPDX-License-Identifier: MIT */
#include "core/pool/acquire.h"

#include <errno.h>
#include <string.h>

#include "core/kernel/guard.h"
#include "core/kernel/port_probe.h"
#include "core/kernel/sock.h"
#include "core/kernel/sockdiag.h"
#include "core/pool/announce.h"
#include "core/pool/lease.h"
#include "core/pool/marks.h"
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

/*
 * The first slot that has a port of the range and is not dead, and that port;
 * or NULL. Frees the dead ones that it meets: wildcards seldom come back to
 * where they have been, and would pass over ever more ports that nobody has.
 */
static struct slot *
first_reserved(struct pool *pool, enum protocol protocol, struct range range,
	       uint32_t *ret_port)
{
	uint32_t port;

	while ((port = marks_first(pool->file, protocol, range))) {
		struct slot *slot = slot_by_port(pool->file, protocol, port);

		*ret_port = port;
		if (slot && !slot_is_dead(slot))
			return slot;
		if (slot)
			slot_free(pool->file, slot);
		range = (struct range){port + 1, range_end(range) - port - 1};
	}
	return NULL;
}

/* 0 when no port of the range is reserved; -EADDRINUSE, -EAGAIN. */
static int
check_reserved(struct pool *pool, const struct acquire *wanted,
	       enum protocol protocol)
{
	uint32_t port;
	const struct slot *slot =
		first_reserved(pool, protocol, wanted->range, &port);

	if (!slot)
		return 0;
	pool->in_the_way = port;
	pool->in_the_way_of = protocol;
	return obstacle(pool, wanted, slot);
}

static void
describe(struct pool *pool, const struct acquire *wanted,
	 enum protocol protocol, int fd, struct slot *slot)
{
	slot->protocol = (uint8_t)protocol;
	slot->kind = (uint8_t)wanted->kind;
	slot->heirs = wanted->heirs;
	slot->cookie = 0;
	atomic_store(&slot->guard, 0);
	slot->pid = atomic_load(pool->forks->word()); /* ours */
	slot->fd = fd;
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

/* Describes the range in a picked slot, and marks it. */
static void
mark_range(struct pool *pool, const struct acquire *wanted, struct range range,
	   struct slot *slot)
{
	slot->start = (uint16_t)range.start;
	slot->count = (uint16_t)range.count;
	slot->ephemeral = range_overlap(range, wanted->ephemeral);
	if (slot->ephemeral)
		atomic_store(&pool->file->header.ephemeral_range,
			     (range_end(wanted->ephemeral) - 1) << 16 |
				     wanted->ephemeral.start);
	slot_mark(pool->file, slot);
}

/* Is a port of the marked range in use, in any wanted protocol? 0; 1 and the
 * port in ret_port; or -Exxx. */
static int
first_in_use(struct pool *pool, const struct acquire *wanted,
	     struct range range, uint32_t *ret_port)
{
	bool ephemeral = range_overlap(range, wanted->ephemeral);
	int r = 0;

	/* An announcement is for both protocols. */
	if (!binds_have_ended(pool, range, ephemeral, ret_port)) {
		pool->in_the_way_of = wanted->protocol;
		return 1;
	}
	for (int i = 0; i < PROTOCOL_COUNT && r == 0; i++) {
		if (!acquires(wanted, (enum protocol)i))
			continue;
		r = port_probe_first(pool->sys, &pool->probe,
				     &pool->file->header.cost[i],
				     (enum protocol)i, range, ret_port);
		if (r != 0)
			pool->in_the_way_of = (enum protocol)i;
	}
	if (r == 1)
		pool->in_vain[pool->in_the_way_of] += range.count;
	return r;
}

/*
 * Marks the slots in the machine's guard as well, where there is one; 1: it has
 * a part of the range, and does not say which. In a slot that is not live yet
 * any number but 0 says that the guard was asked.
 */
static int
guard_slots(struct pool *pool, const struct acquire *wanted, struct range range,
	    struct slot *const *slots, uint32_t *ret_port)
{
	int r = 0;

	for (size_t i = 0; slots[i] && !pool->unguarded; i++) {
		struct guarded block = slot_guarded(slots[i]);

		if (block.kept)
			continue;
		r = guard_acquire(pool->sys, slots[i]->fd, &block,
				  wanted->heirs);
		atomic_store(&slots[i]->guard, r > 0);
		/* Nor will it be asked about the next place. */
		pool->unguarded = r == -ENOPROTOOPT;
		if (r == -EADDRINUSE) {
			pool->in_the_way_of = block.protocol;
			break;
		}
	}
	if (r != -EADDRINUSE)
		return 0;
	pool->uncertain = true;
	*ret_port = range_end(range) - 1;
	return 1;
}

static void
settle_guard(struct pool *pool, struct slot *slot, bool taken)
{
	struct guarded block = slot_guarded(slot);
	uint64_t number = 0;

	if (!block.number)
		return;
	if (taken)
		number =
			guard_commit(pool->sys, slot->fd, &block, &pool->guard);
	else
		guard_release(pool->sys, slot->fd, &block);
	atomic_store(&slot->guard, number);
}

/*
 * Takes a range without marks into all slots of the list, which ends with NULL,
 * or none. Returns 0; 1 and the port that is in use in ret_port; or -Exxx.
 */
static int
take_range(struct pool *pool, const struct acquire *wanted, struct range range,
	   struct slot *const *slots, uint32_t *ret_port)
{
	_Atomic uint32_t *dirty = &pool->file->header.dirty;
	int r;

	atomic_store(dirty, 1);
	for (size_t i = 0; slots[i]; i++)
		mark_range(pool, wanted, range, slots[i]);
	r = guard_slots(pool, wanted, range, slots, ret_port);
	if (r == 0 && !wanted->though_in_use)
		r = first_in_use(pool, wanted, range, ret_port);
	for (size_t i = 0; slots[i]; i++) {
		settle_guard(pool, slots[i], r == 0);
		if (r == 0)
			slot_publish(slots[i]);
		else
			slot_unmark(pool->file, slots[i]);
	}
	atomic_store(dirty, 0);
	return r;
}

static int
take_specific(struct pool *pool, const struct acquire *wanted,
	      struct slot *const *slots)
{
	uint32_t port;
	int r = 0;

	for (int i = 0; i < PROTOCOL_COUNT && r == 0; i++)
		if (acquires(wanted, (enum protocol)i))
			r = check_reserved(pool, wanted, (enum protocol)i);
	if (r < 0)
		return r;
	r = take_range(pool, wanted, wanted->range, slots, &port);
	if (r <= 0)
		return r;
	pool->in_the_way = pool->uncertain ? 0 : port;
	return -EADDRINUSE;
}

/* The first port of the range that a wildcard may not have; 0 when none. */
static uint32_t
first_obstacle(struct pool *pool, const struct acquire *wanted,
	       struct range range)
{
	const struct port_set *sets[] = {wanted->forbidden, pool->used};
	uint32_t port;

	for (int i = 0; i < 2; i++)
		if (sets[i] &&
		    (port = port_set_first(sets[i], range)) < PORT_COUNT)
			return port;
	for (int i = 0; i < PROTOCOL_COUNT; i++)
		if (acquires(wanted, (enum protocol)i) &&
		    first_reserved(pool, (enum protocol)i, range, &port))
			return port;
	return 0;
}

/*
 * A wildcard that has asked in vain about so many ports that a list would have
 * been cheaper reads one, and passes over what is in use from there on. The set
 * stays empty if the kernel does not tell.
 */
static void
learn_used(struct pool *pool, const struct acquire *wanted, struct range place)
{
	const struct port_cost *cost = pool->file->header.cost;
	long at;

	for (int i = 0; i < PROTOCOL_COUNT; i++) {
		if (!acquires(wanted, (enum protocol)i) ||
		    !port_probe_list_pays(&cost[i], (enum protocol)i,
					  pool->in_vain[i]))
			continue;
		at = pool->used ? (long)pool->used
				: sys_mmap_private(pool->sys,
						   sizeof(struct port_set));
		if (at < 0)
			return;
		pool->used = (struct port_set *)at;
		sockdiag_used(pool->sys, (enum protocol)i, place, pool->used);
		pool->in_vain[i] = 0;
	}
}

static void
forget_used(struct pool *pool)
{
	if (pool->used)
		sys_munmap(pool->sys, pool->used, sizeof(*pool->used));
	pool->used = NULL;
}

static uint32_t
aligned(const struct acquire *wanted, uint32_t port)
{
	uint32_t align = wanted->align ? wanted->align : 1;

	return (port + align - 1) / align * align;
}

/* Looks for a free run that begins in [first, last]. 0, 1 = none, -Exxx. */
static int
take_between(struct pool *pool, const struct acquire *wanted, uint32_t first,
	     uint32_t last, struct slot *const *slots)
{
	const struct range place = {first, last - first + wanted->range.count};
	uint32_t start = aligned(wanted, first);

	while (start <= last) {
		struct range range = {start, wanted->range.count};
		uint32_t obstacle = first_obstacle(pool, wanted, range);
		int r = 1;

		if (!obstacle) {
			r = take_range(pool, wanted, range, slots, &obstacle);
			if (r == 1)
				learn_used(pool, wanted, place);
		}
		if (r == 0)
			pool->file->header.cursor[wanted->protocol] =
				range_end(range);
		if (r <= 0)
			return r;
		start = aligned(wanted, obstacle + 1);
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
	      struct range place, struct slot *const *slots)
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
	r = take_between(pool, wanted, cursor, last, slots);
	if (r == 1 && cursor > first)
		r = take_between(pool, wanted, first, cursor - 1, slots);
	return r;
}

/* In the places from number `i` up to, not including, `end`. */
static int
take_in_places(struct pool *pool, const struct acquire *wanted, size_t i,
	       size_t end, struct slot *const *slots)
{
	int r = 1;

	for (; r == 1 && i < end; i++)
		r = take_in_place(pool, wanted, wanted->wildcard->range[i],
				  slots);
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
	      struct slot *const *slots)
{
	size_t outside = places_outside(wanted);
	int r = take_in_places(pool, wanted, 0, outside, slots);

	if (r == 1 && wanted->judged.readings == 0)
		return -EAGAIN;
	if (r == 1)
		r = take_in_places(pool, wanted, outside,
				   wanted->wildcard->count, slots);
	return r == 1 ? -ENOBUFS : r;
}

static int
take_slots(struct pool *pool, const struct acquire *wanted,
	   struct slot *const *slots)
{
	return wanted->range.start ? take_specific(pool, wanted, slots)
				   : take_wildcard(pool, wanted, slots);
}

/* Takes the lease, and describes it in the slot. 0 or -Exxx. */
static int
lease_on(struct pool *pool, int fd, struct slot *slot)
{
	int r = sock_cookie(pool->sys, fd, &slot->cookie);

	if (r < 0)
		return r;
	return lease_hold(pool->sys, fd, slot) < 0 ? -ENETDOWN : 0;
}

/* First of all the leases: no slot must be live before that is. */
static int
take_slots_on_leases(struct pool *pool, const struct acquire *wanted,
		     struct slot *const *slots)
{
	int r = 0;

	for (size_t i = 0; slots[i] && r == 0; i++)
		r = lease_on(pool, slots[i]->fd, slots[i]);
	if (r == 0)
		r = take_slots(pool, wanted, slots);
	for (size_t i = 0; slots[i] && r < 0; i++)
		lease_drop(pool->sys, slots[i]->fd,
			   atomic_load(&slots[i]->token));
	return r;
}

/* Fills the list of free slots. False when there are too few. */
static bool
pick_slots(struct pool *pool, const struct acquire *wanted, struct slot **slots)
{
	enum protocol other =
		wanted->protocol == PROTOCOL_TCP ? PROTOCOL_UDP : PROTOCOL_TCP;

	slots[0] = slot_pick(pool->file);
	if (!slots[0])
		return false;
	describe(pool, wanted, wanted->protocol, wanted->fd, slots[0]);
	if (!wanted->both)
		return true;
	slots[1] = slot_pick(pool->file);
	/* It stays free until it is published: the last one comes twice. */
	if (!slots[1] || slots[1] == slots[0])
		return false;
	describe(pool, wanted, other, wanted->other_fd, slots[1]);
	return true;
}

int
reserve_acquire(struct pool *pool, const struct acquire *wanted,
		struct reservation *ret)
{
	struct slot *slots[PROTOCOL_COUNT + 1] = {NULL};
	int r;

	if (!range_valid(wanted->range))
		return -EINVAL;
	pool->waiting_since = 0;
	memset(pool->in_vain, 0, sizeof(pool->in_vain));
	pool->unguarded = false;
	pool->probe.dual_stack = false;
	pool->in_the_way = 0;
	pool->uncertain = false;
	/* A request that has met one dead owner frees all dead slots. */
	if (wanted->judged.readings && wanted->judged.until != UINT64_MAX)
		reserve_sweep(pool);
	/* All slots are live, but their owners may be dead. */
	if (!pick_slots(pool, wanted, slots))
		return wanted->judged.readings ? -ENOBUFS : -EAGAIN;
	r = wanted->kind == KIND_RUNTIME
		    ? take_slots_on_leases(pool, wanted, slots)
		    : take_slots(pool, wanted, slots);
	forget_used(pool);
	for (size_t i = 0; slots[i] && r == 0; i++)
		ret[i] = reserve_grant(slots[i]);
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
