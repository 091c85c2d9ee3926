/* SPDX-License-Identifier: MIT */
#include "core/persistent.h"

#include <errno.h>

#include "core/persistent_inside.h"
#include "core/slot.h"

void
persistent_load(struct pool *pool, const char *path)
{
	struct persistent_report report;
	struct store store;

	if (store_open(pool->sys, path, false, &store) < 0)
		return;
	persistent_agree(pool, &store, &report);
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
	/* What is in the way of a line may be a dead owner's. */
	reserve_judge(pool);
	r = pool_enter(pool, POOL_WAIT, &lock);
	if (r == 0) {
		r = persistent_agree(pool, &store, ret);
		pool_leave(pool, &lock);
	}
	store_close(&store);
	return r;
}

int
persistent_mend(struct pool *pool, const char *path,
		struct persistent_difference *ret)
{
	struct pool_lock lock;
	struct store store;
	int r = store_open(pool->sys, path, true, &store);

	if (r < 0)
		return r;
	r = pool_enter(pool, POOL_WAIT, &lock);
	if (r == 0) {
		r = persistent_look(pool, &store, true, ret);
		pool_leave(pool, &lock);
	}
	store_close(&store);
	return r;
}

int
persistent_compare(struct pool *pool, const char *path,
		   struct persistent_difference *ret)
{
	struct store store;
	int r;

	if (!pool_whole(pool))
		return -ESTALE;
	r = store_open(pool->sys, path, false, &store);
	if (r < 0)
		return r;
	r = persistent_look(pool, &store, false, ret);
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
	slot = persistent_slot(pool, block);
	if (slot)
		slot_free(pool->file, slot);
	pool_leave(pool, &lock);
	return 0;
}

static int
reserve_once(struct pool *pool, const struct store *store,
	     const struct acquire *wanted, struct reservation *ret)
{
	struct persistent_report report;
	struct pool_lock lock;
	int r = pool_enter(pool, POOL_WAIT, &lock);

	if (r < 0)
		return r;
	r = persistent_agree(pool, store, &report);
	if (r == 0)
		r = reserve_acquire(pool, wanted, ret);
	pool_leave(pool, &lock);
	return r;
}

static int
reserve(struct pool *pool, const struct store *store, struct block block,
	struct reservation *ret)
{
	struct acquire wanted = persistent_wanted(pool);
	int r;

	wanted.protocol = block.protocol;
	wanted.range = block.range;
	do
		r = reserve_once(pool, store, &wanted, ret);
	while (r == -EAGAIN && (r = reserve_judge_for(pool, &wanted)) == 0);
	return r;
}

/*
 * The pool first, because it knows of conflicts. Whoever dies between the two
 * leaves a slot that the store does not have; the next change drops it.
 */
static int
add_to(struct store *store, struct pool *pool, struct block block,
       uint64_t *ret_token)
{
	struct reservation made;
	int r = reserve(pool, store, block, &made);

	if (r < 0)
		return r;
	r = store_replace(store, NULL, &block);
	if (r < 0)
		withdraw(pool, block);
	else
		*ret_token = made.token;
	return r;
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

/*
 * The pool has to agree first, or what a killed add left there could neither
 * be used nor deleted. 1 when it had the block before that, 0, or -Exxx.
 */
static int
agree_and_ask(struct store *store, struct pool *pool, struct block block)
{
	struct persistent_report report;
	struct pool_lock lock;
	int r = pool_enter(pool, POOL_WAIT, &lock);
	bool there;

	if (r < 0)
		return r;
	there = persistent_slot(pool, block) != NULL;
	r = persistent_agree(pool, store, &report);
	pool_leave(pool, &lock);
	return r < 0 ? r : there;
}

/* The store first: what it no longer has, the next change drops anyway. */
static int
delete_from(struct store *store, struct pool *pool, struct block block)
{
	int there = agree_and_ask(store, pool, block);
	int r, replaced;

	if (there < 0)
		return there;
	if (!store_each(store, is_it, &block))
		return there ? 0 : -ENOENT;
	replaced = store_replace(store, &block, NULL);
	if (replaced < 0)
		return replaced;
	r = withdraw(pool, block);
	return r < 0 ? r : replaced;
}

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
	r = delete_from(&store, pool, block);
	store_close(&store);
	return r;
}

int
persistent_lookup(struct pool *pool, struct block block, uint64_t *ret_token)
{
	const struct slot *slot;
	uint64_t token;

	if (!block_valid(block))
		return -EINVAL;
	if (!pool_whole(pool))
		return -ENETDOWN;
	slot = persistent_slot(pool, block);
	token = slot ? atomic_load(&slot->token) : 0;
	/* Another block may be there by now: this takes no lock. */
	if (!slot || persistent_slot(pool, block) != slot ||
	    slot_by_token(pool->file, token) != slot)
		return -ENOENT;
	*ret_token = token;
	return 0;
}
