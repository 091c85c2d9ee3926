/* SPDX-License-Identifier: MIT */
/*
 * Pool files in plain memory, for tests of slots and marks. On the heap and
 * of exact size, so that the address sanitizer sees a step beside them.
 */
#ifndef PORTRES_TESTS_BOOKS_H
#define PORTRES_TESTS_BOOKS_H

#include "core/pool/slot.h"
#include "tests/check.h"

static inline struct pool_file *
books_new(void)
{
	struct pool_file *file = aligned_alloc(4096, sizeof(*file));

	memset(file, 0, sizeof(*file));
	file->header.sequence = 1000;
	return file;
}

/*
 * A sequence that no other test uses: leases are told apart by their tokens
 * machine-wide, and tests are quicker at making pools than anybody else.
 */
static inline uint64_t
books_sequence(void)
{
	return slot_first_sequence(&sys_kernel) + ((uint64_t)getpid() << 33);
}

static inline void
books_fill(struct slot *slot, enum protocol protocol, struct range range)
{
	slot->protocol = (uint8_t)protocol;
	slot->kind = KIND_RUNTIME;
	slot->start = (uint16_t)range.start;
	slot->count = range.count;
	slot->ephemeral = 0;
}

/* A live slot as an acquire leaves it. */
static inline struct slot *
books_add(struct pool_file *file, enum protocol protocol, uint32_t start,
	  uint32_t count)
{
	struct slot *slot = slot_pick(file);

	cr_assert_not_null(slot);
	books_fill(slot, protocol, (struct range){start, count});
	slot_mark(file, slot);
	slot_publish(slot);
	return slot;
}

static inline uint32_t
books_mark(struct pool_file *file, enum protocol protocol, uint32_t port)
{
	return atomic_load(mark_of(file, protocol, port));
}

static inline uint32_t
books_number(const struct pool_file *file, const struct slot *slot)
{
	return (uint32_t)(slot - file->slot);
}

static inline void
books_garbage(struct dice *dice, void *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)at)[i] = (uint8_t)dice_roll(dice);
}

/*
 * Slots and marks agree: each port of a live slot carries its mark, each mark
 * names a live slot that covers the port, every live slot makes sense, and
 * those that reach into the ephemeral range are counted.
 */
static inline void
books_check(struct pool_file *file, const char *when)
{
	uint32_t ephemeral[PROTOCOL_COUNT] = {0};

	for (uint32_t n = 0; n < SLOT_COUNT; n++) {
		struct slot *slot = &file->slot[n];
		uint64_t token = atomic_load(&slot->token) & ~TOKEN_DEAD;
		struct range r = {slot->start, slot->count};

		if (!slot_live(slot))
			continue;
		cr_assert(range_valid(r) && slot->protocol < PROTOCOL_COUNT &&
				  token != 0 && token_slot(token) == n,
			  "%s: slot %u is %u+%u", when, n, r.start, r.count);
		ephemeral[slot->protocol] += slot->ephemeral != 0;
		for (uint32_t port = r.start; port < range_end(r); port++)
			cr_assert_eq(books_mark(file, slot->protocol, port),
				     n + 1, "%s: port %u of slot %u", when,
				     port, n);
	}
	for (int p = 0; p < PROTOCOL_COUNT; p++) {
		cr_assert_eq(atomic_load(&file->header.ephemeral[p]),
			     ephemeral[p], "%s: ephemeral", when);
		for (uint32_t port = 0; port < PORT_COUNT; port++)
			cr_assert((books_mark(file, p, port) != 0) ==
					  (slot_by_port(file, p, port) != NULL),
				  "%s: mark of port %u", when, port);
	}
}

#endif
