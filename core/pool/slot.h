/* SPDX-License-Identifier: MIT */
/*
 * The slots of the pool file, the marks derived from them, and tokens.
 * Functions that write are called with the pool's lock held; the others may run
 * beside a writer and then return the state of one moment.
 */
#ifndef PORTRES_CORE_POOL_SLOT_H
#define PORTRES_CORE_POOL_SLOT_H

#include "core/kernel/guard.h"
#include "core/kernel/sys.h"
#include "core/pool/layout.h"

/* The slot's ports; none where a damaged file has impossible numbers. */
static inline struct range
slot_range(const struct slot *slot)
{
	struct range r = {slot->start, slot->count};

	if (!range_valid(r))
		r.count = 0;
	return r;
}

/* As the machine's guard knows it. */
static inline struct guarded
slot_guarded(const struct slot *slot)
{
	bool kept = slot->kind == KIND_PERSISTENT;

	return (struct guarded){
		.token =
			kept ? GUARDED_KEPT
			     : atomic_load(&slot->token) & ~((uint64_t)1 << 63),
		.number = atomic_load(&slot->guard),
		.kept = kept,
		.protocol = (enum protocol)(slot->protocol % PROTOCOL_COUNT),
		.range = slot_range(slot),
	};
}

static inline bool
slot_live(const struct slot *slot)
{
	return atomic_load(&slot->state) == SLOT_LIVE;
}

/*
 * A token is its slot's number below a sequence that only grows, so a token
 * finds its slot at once and never comes back: 1 to 2^63 - 1, because it also
 * serves as the offset of a file lock (lease.h). The lowest bit stays 0, or
 * two leases of one socket could touch, and the kernel makes one lock of
 * locks that touch.
 */
#define TOKEN_SHIFT (SLOT_BITS + 1)

static inline uint32_t
token_slot(uint64_t token)
{
	return (uint32_t)(token >> 1 & (SLOT_COUNT - 1));
}

/*
 * The token's top bit marks a slot whose owning socket is gone. It is set by
 * one compare-and-swap on the token, without the lock, so that a slot that was
 * picked anew is never marked. The next writer that meets the slot frees it.
 */
#define TOKEN_DEAD ((uint64_t)1 << 63)

static inline bool
slot_is_dead(const struct slot *slot)
{
	return (atomic_load(&slot->token) & TOKEN_DEAD) != 0;
}

/* Marks the token's slot dead, if the socket with this cookie owned it. */
void slot_mark_dead(struct pool_file *file, uint64_t token, uint64_t cookie);

/*
 * The first sequence number of a new pool: the wall clock in units of 8 us. No
 * acquire is that short, so a pool that is made anew begins above its
 * predecessor's last token.
 */
uint64_t slot_first_sequence(const struct sys_ops *sys);

/* The live slot with this token, or NULL. */
struct slot *slot_by_token(struct pool_file *file, uint64_t token);

/* The live slot that covers the port, or NULL. */
struct slot *slot_by_port(struct pool_file *file, enum protocol protocol,
			  uint32_t port);

/*
 * Picks a free slot and gives it a new token; it stays free until published.
 * Returns NULL when all are live.
 */
struct slot *slot_pick(struct pool_file *file);

/* Marks the ports of a picked slot, against binds that are announced later. */
void slot_mark(struct pool_file *file, const struct slot *slot);

/* Clears the marks of a slot; marks of other slots stay. */
void slot_unmark(struct pool_file *file, const struct slot *slot);

/* Makes a marked slot live; `dirty` is cleared by the caller. */
void slot_publish(struct slot *slot);

/* Frees a live slot and its marks. */
void slot_free(struct pool_file *file, struct slot *slot);

/* Derives the marks from the slots again, and frees slots with impossible
 * numbers. */
void slot_rebuild(struct pool_file *file);

#endif
