/* SPDX-License-Identifier: MIT */
#include "core/reserve.h"

#include <errno.h>

#include "core/lease.h"
#include "core/reserve_inside.h"
#include "core/slot.h"

/* 1 or 0; or -EMFILE, -ENFILE. */
static int
slot_dead(struct pool *pool, const struct slot *slot)
{
	int alive;

	if (slot_ended(slot))
		return 1;
	if (slot->kind != KIND_RUNTIME)
		return 0;
	alive = lease_alive(pool->sys, slot);
	return alive < 0 ? alive : !alive;
}

int
reserve_find_holder(struct pool *pool, enum protocol protocol, uint32_t port,
		    struct slot **ret)
{
	struct slot *slot = slot_by_port(pool->file, protocol, port);
	int dead = slot ? slot_dead(pool, slot) : 0;

	if (dead < 0)
		return dead;
	if (dead) {
		slot_free(pool->file, slot);
		slot = NULL;
	}
	*ret = slot;
	return 0;
}

struct slot *
reserve_holder(struct pool *pool, enum protocol protocol, uint32_t port)
{
	struct slot *slot;

	if (reserve_find_holder(pool, protocol, port, &slot) < 0)
		return slot_by_port(pool->file, protocol, port);
	return slot;
}

const struct slot *
reserve_peek(struct pool *pool, enum protocol protocol, uint32_t port)
{
	const struct slot *slot = slot_by_port(pool->file, protocol, port);
	uint64_t token = slot ? atomic_load(&slot->token) : 0;

	if (!slot || slot_dead(pool, slot) > 0)
		return NULL;
	/* Still the one that was asked about? */
	return slot_by_token(pool->file, token) == slot ? slot : NULL;
}

uint32_t
reserve_sweep(struct pool *pool)
{
	uint64_t alive[LEASE_BITS];
	uint32_t freed = 0;

	if (lease_survey(pool->sys, pool->file, alive) < 0)
		return 0;
	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot *slot = &pool->file->slot[i];

		if (!slot_live(slot) || slot->kind != KIND_RUNTIME ||
		    alive[i / 64] >> i % 64 & 1)
			continue;
		slot_free(pool->file, slot);
		freed++;
	}
	return freed;
}

struct reservation
reserve_grant(const struct slot *slot)
{
	return (struct reservation){
		.kind = (enum reservation_kind)slot->kind,
		.protocol = (enum protocol)slot->protocol,
		.range = slot_range(slot),
		.token = atomic_load(&slot->token),
		.cookie = slot->cookie,
	};
}

int
reserve_find(struct pool *pool, enum protocol protocol, uint64_t token,
	     struct reservation *ret, int *ret_holder)
{
	struct slot *slot = slot_by_token(pool->file, token);
	int holder, alive;

	if (!slot || slot->protocol != protocol)
		return -EINVAL;
	if (slot->kind == KIND_PERSISTENT) {
		*ret = reserve_grant(slot);
		*ret_holder = -1;
		return 0;
	}
	holder = lease_holder(pool->sys, slot);
	if (holder < 0 && holder != -ENOENT)
		return holder;
	if (holder < 0) {
		alive = lease_alive(pool->sys, slot);
		return alive < 0 ? alive : alive ? -EACCES : -EINVAL;
	}
	*ret = reserve_grant(slot);
	*ret_holder = holder;
	return 0;
}

void
reserve_release(struct pool *pool, const struct reservation *reservation,
		int holder)
{
	struct slot *slot = &pool->file->slot[token_slot(reservation->token)];

	/* It may have been ended meanwhile: that takes no lock. */
	if (slot_live(slot) &&
	    (atomic_load(&slot->token) & ~TOKEN_ENDED) == reservation->token)
		slot_free(pool->file, slot);
	lease_drop(pool->sys, holder, reservation->token);
}

static bool
owned_by(const struct slot *slot, uint64_t cookie)
{
	return slot_live(slot) && slot->kind == KIND_RUNTIME &&
	       slot->cookie == cookie;
}

void
reserve_end_socket(struct pool *pool, uint64_t cookie)
{
	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot *slot = &pool->file->slot[i];

		if (owned_by(slot, cookie))
			slot_end(pool->file, atomic_load(&slot->token), cookie);
	}
}

uint32_t
reserve_check_socket(struct pool *pool, uint64_t cookie)
{
	uint32_t alive = 0;

	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot *slot = &pool->file->slot[i];
		uint64_t token = atomic_load(&slot->token);

		if (!owned_by(slot, cookie) || slot_ended(slot))
			continue;
		if (slot_dead(pool, slot) > 0)
			slot_end(pool->file, token, cookie);
		else
			alive++;
	}
	return alive;
}
