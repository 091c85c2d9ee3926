/* SPDX-License-Identifier: MIT */
#include "core/pool/persistent.h"

#include <errno.h>

#include "core/kernel/ephemeral.h"
#include "core/kernel/guard.h"
#include "core/pool/acquire.h"
#include "core/pool/keeper.h"
#include "core/pool/lease.h"
#include "core/pool/slot.h"

/*
 * The pool is made to agree with the store, in two readings of the text. A
 * program's first bind may have to do it, so it takes one system call for each
 * block that it reserves, one for each block in the way of a line, and none for
 * other lines, whatever the text is.
 */

/* Too large for the stack of a signal handler: mapped. */
struct agreement {
	struct pool *pool;
	struct acquire wanted;
	struct persistent_report report;
	struct keeper keeper;
	uint32_t missing;
	bool full;
	uint64_t seen[SLOT_COUNT / 64]; /* slots that the store has, too */
	/* Blocks that have been in the way of a line: thousands of lines that
	 * overlap one must not walk through the marks each. */
	struct port_set in_the_way[PROTOCOL_COUNT];
};

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

/* A request for a persistent block; the caller sets protocol and range. */
static struct acquire
wanted_block(struct pool *pool)
{
	static const struct range_list nowhere;

	return (struct acquire){
		.kind = KIND_PERSISTENT,
		.fd = -1,
		.wildcard = &nowhere,
		.ephemeral = ephemeral_range(pool->sys),
		.now = sys_clock(pool->sys, CLOCK_REALTIME),
	};
}

static int
see(void *context, unsigned line, bool bad, struct block block)
{
	struct agreement *a = context;
	struct slot *slot = bad ? NULL : slot_of(a->pool, block);
	size_t n;

	(void)line;
	if (!slot) {
		a->missing += !bad;
		return 0;
	}
	a->report.kept++;
	n = (size_t)(slot - a->pool->file->slot);
	a->seen[n / 64] |= (uint64_t)1 << n % 64;
	return 0;
}

/* Counts persistent slots without a line; with `drop` frees them. */
static uint32_t
count_unseen(struct agreement *a, bool drop)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < SLOT_COUNT; n++) {
		struct slot *slot = &a->pool->file->slot[n];

		if (!slot_live(slot) || slot->kind != KIND_PERSISTENT ||
		    a->seen[n / 64] >> n % 64 & 1)
			continue;
		if (drop) {
			struct block block = {(enum protocol)(slot->protocol %
							      PROTOCOL_COUNT),
					      slot_range(slot)};

			a->report.unguarded += !keeper_drop(&a->keeper, block);
			slot_free(a->pool->file, slot);
		}
		count++;
	}
	return count;
}

/* Notes the block in the way, which lives: dead ones have just been freed. */
static void
note_in_the_way(struct agreement *a, struct block block)
{
	const struct slot *slot = slot_by_port(a->pool->file, block.protocol,
					       a->pool->in_the_way);
	const struct range range =
		slot ? slot_range(slot) : (struct range){0, 0};

	/* Strangers may have written it since it was looked at. */
	if (range_valid(range))
		port_set_add(&a->in_the_way[block.protocol], range);
}

static bool
reserve_line(struct agreement *a, struct block block)
{
	struct reservation made;
	int r;

	if (a->full ||
	    port_set_meets(&a->in_the_way[block.protocol], block.range))
		return false;
	a->wanted.protocol = block.protocol;
	a->wanted.range = block.range;
	r = reserve_acquire(a->pool, &a->wanted, &made);
	if (r == -EADDRINUSE)
		note_in_the_way(a, block);
	a->full = r == -ENOBUFS;
	return r == 0;
}

static int
add(void *context, unsigned line, bool bad, struct block block)
{
	struct agreement *a = context;

	if (!bad && slot_of(a->pool, block))
		return 0;
	if (!bad && reserve_line(a, block)) {
		a->report.added++;
		return 0;
	}
	if (a->report.bad++ == 0)
		a->report.first_bad = line;
	return 0;
}

/* NULL when there is no memory. */
static struct agreement *
begin(struct pool *pool, const struct store *store)
{
	long at = sys_mmap_private(pool->sys, sizeof(struct agreement));
	struct agreement *a = (struct agreement *)at;

	if (at < 0)
		return NULL;
	a->pool = pool;
	keeper_begin(&a->keeper, pool->sys);
	store_each(store, see, a);
	return a;
}

static void
end(struct agreement *a)
{
	keeper_end(&a->keeper);
	sys_munmap(a->pool->sys, a, sizeof(*a));
}

/*
 * Makes the pool agree with the store. Returns 0, or -ENOMEM and has done
 * nothing.
 */
static int
agree(struct pool *pool, const struct store *store,
      struct persistent_report *ret)
{
	struct agreement *a = begin(pool, store);

	if (!a)
		return -ENOMEM;
	a->report.removed = count_unseen(a, true);
	a->wanted = wanted_block(pool);
	a->wanted.though_in_use = true; /* its program may be bound already */
	/* Owners in the way have been checked, or count as alive. */
	a->wanted.judged = (struct judgement){UINT64_MAX, 1};
	store_each(store, add, a);
	*ret = a->report;
	end(a);
	return 0;
}

/* Compares them; with `mend` frees blocks that only the pool has. 0 or
 * -ENOMEM. */
static int
compare(struct pool *pool, const struct store *store, bool mend,
	struct persistent_difference *ret)
{
	struct agreement *a = begin(pool, store);

	if (!a)
		return -ENOMEM;
	ret->left_over = count_unseen(a, mend);
	ret->missing = a->missing;
	end(a);
	return 0;
}

void
persistent_load(struct pool *pool, const char *path)
{
	struct persistent_report report;
	struct store store;

	if (store_open(pool->sys, path, false, &store) < 0)
		return;
	agree(pool, &store, &report);
	store_close(&store);
}

/* As persistent_keep(); with `only`, that block. */
static int
keep(struct pool *pool, const struct store *store, const struct block *only,
     uint32_t *ret_refused)
{
	bool is_there = store->directory >= 0;
	gid_t group = is_there && store->shared ? store->group : (gid_t)-1;
	struct fork_block_hold held;
	struct keeper keeper;
	int r = 0, n = 0;

	*ret_refused = 0;
	fork_block_hold(pool->sys, pool->forks->word(), FORK_BLOCK_HOLD_NS,
			&held);
	keeper_begin(&keeper, pool->sys);
	for (uint32_t i = 0; i < SLOT_COUNT && r != -ENOPROTOOPT; i++) {
		const struct slot *slot = &pool->file->slot[i];
		struct block block = {slot->protocol, slot_range(slot)};

		if (!slot_live(slot) || slot->kind != KIND_PERSISTENT ||
		    !block_valid(block) || (only && !block_equal(*only, block)))
			continue;
		r = keeper_keep(&keeper, block, is_there ? store->owner : 0,
				group);
		n += r == 0;
		*ret_refused += r < 0 && r != -EALREADY && r != -ENOPROTOOPT;
	}
	keeper_end(&keeper);
	fork_block_release(pool->sys, pool->forks->word(), &held);
	return r == -ENOPROTOOPT ? r : n;
}

/* With the store's lock, or a block that is deleted meanwhile would stay with
 * the guard. No store is made for that, and one that may not be written is read
 * without it. */
static int
open_to_keep(const struct sys_ops *sys, const char *path, struct store *ret)
{
	struct store locked;
	int r = store_open(sys, path, false, ret);
	int writer;

	if (r < 0 || ret->directory < 0)
		return r;
	writer = store_open(sys, path, true, &locked);
	if (writer == 0 || writer == -EBUSY)
		store_close(ret);
	if (writer == 0)
		*ret = locked;
	return writer == -EBUSY ? writer : 0;
}

int
persistent_keep(struct pool *pool, const char *path, uint32_t *ret_refused)
{
	struct store store;
	int r = open_to_keep(pool->sys, path, &store);

	*ret_refused = 0;
	if (r < 0)
		return r;
	r = keep(pool, &store, NULL, ret_refused);
	store_close(&store);
	return r;
}

int
persistent_reload(struct pool *pool, const char *path,
		  struct persistent_report *ret)
{
	struct pool_lock lock;
	struct store store;
	uint32_t refused;
	int r = store_open(pool->sys, path, true, &store);

	if (r < 0)
		return r;
	/* The owner in the way of a line may be dead. */
	reserve_judge(pool);
	r = pool_enter(pool, POOL_WAIT, &lock);
	if (r == 0) {
		r = agree(pool, &store, ret);
		pool_leave(pool, &lock);
	}
	if (r == 0) {
		keep(pool, &store, NULL, &refused);
		ret->unguarded += refused;
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
		r = compare(pool, &store, true, ret);
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
	r = compare(pool, &store, false, ret);
	store_close(&store);
	return r;
}

/* Frees the pool's slot of the block. 0, PERSISTENT_UNGUARDED or -Exxx. */
static int
withdraw(struct pool *pool, struct block block)
{
	struct pool_lock lock;
	struct keeper keeper;
	struct slot *slot;
	bool given_back;
	int r = pool_enter(pool, POOL_WAIT, &lock);

	if (r < 0)
		return r;
	keeper_begin(&keeper, pool->sys);
	given_back = keeper_drop(&keeper, block);
	keeper_end(&keeper);
	slot = slot_of(pool, block);
	if (slot)
		slot_free(pool->file, slot);
	pool_leave(pool, &lock);
	return given_back ? 0 : PERSISTENT_UNGUARDED;
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
	r = agree(pool, store, &report);
	if (r == 0)
		r = reserve_acquire(pool, wanted, ret);
	pool_leave(pool, &lock);
	return r;
}

static int
reserve(struct pool *pool, const struct store *store, struct block block,
	const struct anywhere *anywhere, struct reservation *ret)
{
	struct acquire wanted = wanted_block(pool);
	int r;

	wanted.protocol = block.protocol;
	wanted.range = block.range;
	if (anywhere) {
		wanted.wildcard = &anywhere->ranges;
		wanted.forbidden = &anywhere->forbidden;
	}
	do
		r = reserve_once(pool, store, &wanted, ret);
	while (r == -EAGAIN && (r = reserve_judge_for(pool, &wanted)) == 0);
	return r;
}

/* The pool first, because it knows of conflicts. A death between the two leaves
 * a slot without a line, which the next change frees. */
static int
add_to(struct store *store, struct pool *pool, struct block *block,
       const struct anywhere *anywhere, uint64_t *ret_token)
{
	struct block got = {.protocol = block->protocol};
	struct reservation made;
	int r = reserve(pool, store, *block, anywhere, &made);

	if (r < 0)
		return r;
	got.range = made.range;
	r = store_replace(store, NULL, &got);
	if (r < 0) {
		withdraw(pool, got);
		return r;
	}
	*block = got;
	*ret_token = made.token;
	return r;
}

int
persistent_add(struct pool *pool, const char *path, struct block *block,
	       const struct anywhere *anywhere, uint64_t *ret_token)
{
	struct store store;
	uint32_t refused;
	int r;

	if (!range_valid(block->range) || block->protocol >= PROTOCOL_COUNT ||
	    (!block->range.start && !anywhere))
		return -EINVAL;
	r = store_open(pool->sys, path, true, &store);
	if (r < 0)
		return r;
	r = add_to(&store, pool, block, anywhere, ret_token);
	if (r >= 0) {
		keep(pool, &store, block, &refused);
		r |= refused ? PERSISTENT_UNGUARDED : 0;
	}
	store_close(&store);
	return r;
}

static int
is_line_of(void *context, unsigned line, bool bad, struct block block)
{
	const struct block *wanted = context;

	(void)line;
	return !bad && block_equal(*wanted, block);
}

/*
 * Makes the pool agree first, or a block that a killed add left there could
 * neither be used nor deleted. 1 when the pool had the block before that, 0, or
 * -Exxx.
 */
static int
agree_and_find(struct store *store, struct pool *pool, struct block block)
{
	struct persistent_report report;
	struct pool_lock lock;
	int r = pool_enter(pool, POOL_WAIT, &lock);
	bool there;

	if (r < 0)
		return r;
	there = slot_of(pool, block) != NULL;
	r = agree(pool, store, &report);
	pool_leave(pool, &lock);
	return r < 0 ? r : there;
}

/* The store first: the next change frees a slot without a line anyway. */
static int
delete_from(struct store *store, struct pool *pool, struct block block)
{
	int there = agree_and_find(store, pool, block);
	int r, replaced;

	if (there < 0)
		return there;
	if (!store_each(store, is_line_of, &block))
		return there ? 0 : -ENOENT;
	replaced = store_replace(store, &block, NULL);
	if (replaced < 0)
		return replaced;
	r = withdraw(pool, block);
	return r < 0 ? r : replaced | r;
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
	slot = slot_of(pool, block);
	token = slot ? atomic_load(&slot->token) : 0;
	/* The slot may have another block by now: this takes no lock. */
	if (!slot || slot_of(pool, block) != slot ||
	    slot_by_token(pool->file, token) != slot)
		return -ENOENT;
	*ret_token = token;
	return 0;
}

static int
join_inside(struct pool *pool, struct block wanted, int fd, uint64_t *ret_token)
{
	uint32_t port = wanted.range.start;
	const struct slot *slot = NULL;
	struct guarded guarded;
	struct range range;
	uint64_t token;
	int r;

	for (; port < range_end(wanted.range); port++) {
		slot = slot_by_port(pool->file, wanted.protocol, port);
		if (slot && slot->kind == KIND_PERSISTENT)
			break;
		slot = NULL;
	}
	if (!slot)
		return -ENOENT;
	range = slot_range(slot);
	if (port != wanted.range.start ||
	    range_end(wanted.range) > range_end(range))
		return -EADDRINUSE;
	token = atomic_load(&slot->token);
	r = lease_share(pool->sys, fd, token);
	if (r < 0)
		return r;
	guarded = slot_guarded(slot);
	/* Otherwise heirs are refused; but there may be no guard, or it may not
	 * have the block. */
	r = guard_join(pool->sys, fd, &guarded);
	if (r == -ENOBUFS || r == -EACCES) {
		lease_drop(pool->sys, fd, token);
		return r == -ENOBUFS ? -EUSERS : -EPERM;
	}
	*ret_token = token;
	return 0;
}

int
persistent_join(struct pool *pool, struct block wanted, int fd,
		uint64_t *ret_token)
{
	struct pool_lock lock;
	int r;

	if (!block_valid(wanted))
		return -EINVAL;
	r = pool_enter(pool, POOL_WAIT, &lock);
	if (r < 0)
		return r;
	r = join_inside(pool, wanted, fd, ret_token);
	pool_leave(pool, &lock);
	return r;
}
