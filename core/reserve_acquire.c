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

/*
 * Is the slot, which is in the way, known to live? Otherwise it is judged
 * first, unless it has been.
 */
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

/* 0 when nobody has reserved a port of the range; -EADDRINUSE, -EAGAIN. */
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
		if (slot && !slot_ended(slot))
			return obstacle(pool, wanted, slot);
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
	slot->pid = atomic_load(pool->gate); /* ours: we are inside */
	slot->fd = wanted->fd;
	slot->since = (uint32_t)(wanted->now / 1000000000u);
	memset(slot->command, 0, sizeof(slot->command));
	sys_thread_name(pool->sys, slot->command);
}

/*
 * Have all binds ended that might not have seen the marks, choices of the
 * system's too? Otherwise a port of the range counts as in use.
 */
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
	*ret_port = range_end(range) - 1; /* which one, nobody knows */
	return false;
}

int
reserve_take(struct pool *pool, const struct acquire *wanted,
	     struct range range, struct slot *slot, uint32_t *ret_port)
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

	r = check_reserved(pool, wanted);
	if (r < 0)
		return r;
	r = reserve_take(pool, wanted, wanted->range, slot, &port);
	return r > 0 ? -EADDRINUSE : r;
}

static int
take_slot(struct pool *pool, const struct acquire *wanted, uint64_t cookie,
	  struct slot *slot)
{
	describe(pool, wanted, cookie, slot);
	return wanted->range.start ? take_specific(pool, wanted, slot)
				   : reserve_take_wildcard(pool, wanted, slot);
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
	/* Who has met one dead owner takes all of them down. */
	if (wanted->judged.readings && wanted->judged.until != UINT64_MAX)
		reserve_sweep(pool);
	slot = slot_pick(pool->file);
	/* What is full may be full of the dead. */
	if (!slot)
		return wanted->judged.readings ? -ENOBUFS : -EAGAIN;
	r = wanted->kind == KIND_RUNTIME
		    ? take_slot_on_lease(pool, wanted, slot)
		    : take_slot(pool, wanted, 0, slot);
	if (r == 0)
		*ret = reserve_grant(slot);
	return r;
}
