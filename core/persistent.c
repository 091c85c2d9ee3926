/* SPDX-License-Identifier: MIT */
#include "core/persistent.h"

#include <errno.h>

#include "core/ephemeral.h"
#include "core/reserve.h"
#include "core/slot.h"

/* The pool's slot for exactly this block, or NULL. */
static struct slot *
slot_of(struct pool *pool, struct block block)
{
	struct slot *slot =
		slot_by_port(pool->file, block.protocol, block.range.start);
	struct block found = {.protocol = block.protocol};

	if (!slot || slot->kind != KIND_PERSISTENT)
		return NULL;
	found.range = slot_range(slot);
	return block_equal(found, block) ? slot : NULL;
}

static int
reserve(struct pool *pool, struct block block, bool though_in_use,
	struct reservation *ret)
{
	static const struct range_list nowhere;
	const struct acquire acquire = {
		.kind = KIND_PERSISTENT,
		.protocol = block.protocol,
		.range = block.range,
		.fd = -1,
		.though_in_use = though_in_use,
		.wildcard = &nowhere,
		.ephemeral = ephemeral_range(pool->sys),
		.now = sys_clock(pool->sys, CLOCK_REALTIME),
	};

	return reserve_acquire(pool, &acquire, ret);
}

/* Making the pool agree with the store, in three readings of it. */
struct agreement {
	struct pool *pool;
	struct persistent_report report;
	uint64_t seen[SLOT_COUNT / 64]; /* slots that the store has, too */
};

static int
see(void *context, unsigned line, bool bad, struct block block)
{
	struct agreement *a = context;
	struct slot *slot = bad ? NULL : slot_of(a->pool, block);

	(void)line;
	if (slot) {
		size_t n = (size_t)(slot - a->pool->file->slot);

		a->seen[n / 64] |= (uint64_t)1 << n % 64;
		a->report.kept++;
	}
	return 0;
}

static void
remove_unseen(struct agreement *a)
{
	for (uint32_t n = 0; n < SLOT_COUNT; n++) {
		struct slot *slot = &a->pool->file->slot[n];

		if (!slot_live(slot) || slot->kind != KIND_PERSISTENT ||
		    a->seen[n / 64] >> n % 64 & 1)
			continue;
		slot_free(a->pool->file, slot);
		a->report.removed++;
	}
}

static int
add(void *context, unsigned line, bool bad, struct block block)
{
	struct agreement *a = context;
	struct reservation made;

	if (!bad && slot_of(a->pool, block))
		return 0;
	if (!bad && reserve(a->pool, block, true, &made) == 0) {
		a->report.added++;
		return 0;
	}
	if (a->report.bad++ == 0)
		a->report.first_bad = line;
	return 0;
}

static struct persistent_report
agree(struct pool *pool, const struct store *store)
{
	struct agreement a = {.pool = pool};

	store_each(store, see, &a);
	remove_unseen(&a);
	store_each(store, add, &a);
	return a.report;
}

void
persistent_load(struct pool *pool, const char *path)
{
	struct store store;

	if (store_open(pool->sys, path, false, &store) < 0)
		return;
	agree(pool, &store);
	store_close(&store);
}

int
persistent_reload(struct pool *pool, const char *path,
		  struct persistent_report *ret)
{
	struct pool_lock lock;
	struct store store;
	int r = store_open(pool->sys, path, true, &store);

	if (r < 0)
		return r;
	r = pool_enter(pool, POOL_WAIT, &lock);
	if (r == 0) {
		*ret = agree(pool, &store);
		pool_leave(pool, &lock);
	}
	store_close(&store);
	return r;
}

/* Frees the pool's slot of the block. */
static int
withdraw(struct pool *pool, struct block block)
{
	struct pool_lock lock;
	struct slot *slot;
	int r = pool_enter(pool, POOL_WAIT, &lock);

	if (r < 0)
		return r;
	slot = slot_of(pool, block);
	if (slot)
		slot_free(pool->file, slot);
	pool_leave(pool, &lock);
	return 0;
}

/*
 * The pool first, because it knows of conflicts. Whoever dies between the two
 * leaves a slot that the store does not have; the next change drops it.
 */
static int
add_to(struct store *store, struct pool *pool, struct block block,
       uint64_t *ret_token)
{
	struct pool_lock lock;
	struct reservation made;
	int r = pool_enter(pool, POOL_WAIT, &lock);

	if (r < 0)
		return r;
	agree(pool, store);
	r = reserve(pool, block, false, &made);
	pool_leave(pool, &lock);
	if (r < 0)
		return r;
	r = store_replace(store, NULL, &block);
	if (r < 0) {
		withdraw(pool, block);
		return r;
	}
	*ret_token = made.token;
	return 0;
}

int
persistent_add(struct pool *pool, const char *path, struct block block,
	       uint64_t *ret_token)
{
	struct store store;
	int r;

	if (!block_valid(block))
		return -EINVAL;
	r = store_open(pool->sys, path, true, &store);
	if (r < 0)
		return r;
	r = add_to(&store, pool, block, ret_token);
	store_close(&store);
	return r;
}

static int
is_it(void *context, unsigned line, bool bad, struct block block)
{
	const struct block *wanted = context;

	(void)line;
	return !bad && block_equal(*wanted, block);
}

/* The store first: what it no longer has, the next change drops anyway. */
int
persistent_delete(struct pool *pool, const char *path, struct block block)
{
	struct store store;
	int r;

	if (!block_valid(block))
		return -EINVAL;
	r = store_open(pool->sys, path, true, &store);
	if (r < 0)
		return r;
	r = store_each(&store, is_it, &block) ? 0 : -ENOENT;
	if (r == 0)
		r = store_replace(&store, &block, NULL);
	if (r == 0)
		r = withdraw(pool, block);
	store_close(&store);
	return r;
}

int
persistent_lookup(struct pool *pool, struct block block, uint64_t *ret_token)
{
	struct pool_lock lock;
	struct slot *slot;
	int r;

	if (!block_valid(block))
		return -EINVAL;
	r = pool_enter(pool, POOL_WAIT, &lock);
	if (r < 0)
		return r;
	slot = slot_of(pool, block);
	if (slot)
		*ret_token = atomic_load(&slot->token);
	pool_leave(pool, &lock);
	return slot ? 0 : -ENOENT;
}
