/* SPDX-License-Identifier: MIT */
/* How a block is found wherever there is room for it. */
#include <errno.h>

#include "core/reserve_inside.h"
#include "core/slot.h"

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
			r = reserve_take(pool, wanted, range, slot, &obstacle);
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
take_in_window(struct pool *pool, const struct acquire *wanted,
	       struct range window, struct slot *slot)
{
	uint32_t count = wanted->range.count;
	uint32_t first = window.start ? window.start : 1;
	uint32_t last, cursor;
	int r;

	if (range_end(window) < first + count)
		return 1;
	last = range_end(window) - count;
	cursor = pool->file->header.cursor[wanted->protocol];
	if (cursor < first || cursor > last)
		cursor = first;
	r = take_between(pool, wanted, cursor, last, slot);
	if (r == 1 && cursor > first)
		r = take_between(pool, wanted, first, cursor - 1, slot);
	return r;
}

/* Of the windows from number `i` up to, not including, `end`. */
static int
take_in_windows(struct pool *pool, const struct acquire *wanted, size_t i,
		size_t end, struct slot *slot)
{
	int r = 1;

	for (; r == 1 && i < end; i++)
		r = take_in_window(pool, wanted, wanted->wildcard->range[i],
				   slot);
	return r;
}

/* How many windows keep out of the ephemeral range; all where none does. */
static size_t
windows_outside(const struct acquire *wanted)
{
	const struct range_list *windows = wanted->wildcard;
	size_t n = 0;

	while (n < windows->count &&
	       !range_overlap(windows->range[n], wanted->ephemeral))
		n++;
	return n ? n : windows->count;
}

/*
 * Nobody is sent into the ephemeral range, or away, on account of the dead: who
 * finds no room judges first.
 */
int
reserve_take_wildcard(struct pool *pool, const struct acquire *wanted,
		      struct slot *slot)
{
	size_t outside = windows_outside(wanted);
	int r = take_in_windows(pool, wanted, 0, outside, slot);

	if (r == 1 && wanted->judged.readings == 0)
		return -EAGAIN;
	if (r == 1)
		r = take_in_windows(pool, wanted, outside,
				    wanted->wildcard->count, slot);
	return r == 1 ? -ENOBUFS : r;
}
