/* SPDX-License-Identifier: MIT */
#include "core/pool/reserve.h"

#include <errno.h>

#include "core/pool/lease.h"
#include "core/pool/slot.h"

int
reserve_judge(struct pool *pool)
{
	return lease_judge(pool->sys, pool->forks, pool->file);
}

int
reserve_lives(struct pool *pool, uint64_t token)
{
	const struct slot *slot = slot_by_token(pool->file, token);
	int r;

	if (!slot)
		return 0;
	if (slot->kind != KIND_RUNTIME ||
	    lease_is_where_it_was(pool->sys, slot))
		return slot_by_token(pool->file, token) != NULL;
	r = reserve_judge(pool);
	if (!slot_by_token(pool->file, token))
		return 0;
	return r < 0 ? r : 1;
}

uint32_t
reserve_sweep(struct pool *pool)
{
	uint32_t freed = 0;

	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot *slot = &pool->file->slot[i];

		if (!slot_live(slot) || !slot_is_dead(slot))
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
		.guard = slot_guarded(slot),
	};
}

int
reserve_find(struct pool *pool, enum protocol protocol, uint64_t token,
	     struct reservation *ret, int *ret_holder)
{
	struct slot *slot = slot_by_token(pool->file, token);
	int holder = -1;

	if (!slot || slot->protocol != protocol)
		return -EINVAL;
	if (slot->kind == KIND_RUNTIME) {
		holder = lease_holder(pool->sys, slot);
		if (holder < 0)
			return holder == -ENOENT ? -EACCES : holder;
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

	if (reservation->guard.number)
		guard_release(pool->sys, holder, &reservation->guard);
	/* It may have been marked dead meanwhile: that takes no lock. */
	if (slot_live(slot) &&
	    (atomic_load(&slot->token) & ~TOKEN_DEAD) == reservation->token)
		slot_free(pool->file, slot);
	lease_drop(pool->sys, holder, reservation->token);
}

void
reserve_end_socket(struct pool *pool, uint64_t cookie)
{
	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot *slot = &pool->file->slot[i];

		if (slot_live(slot) && slot->kind == KIND_RUNTIME &&
		    slot->cookie == cookie)
			slot_mark_dead(pool->file, atomic_load(&slot->token),
				       cookie);
	}
}
