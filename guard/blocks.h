/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Blocks: taken, found, ended. One that is being taken is written before its
 * ports are marked, and one that ends is unmarked before it is free, so a mark
 * always leads to a block that is whole. Requests find it between the two, when
 * it is living.
 *
 * A block may end, and its place go to another, while a program looks at it. So
 * whoever means to keep or to end it reads first which one it is.
 */
#ifndef PORTRES_GUARD_BLOCKS_H
#define PORTRES_GUARD_BLOCKS_H

#include <asm/errno.h>

#include "guard/marks.h"
#include "guard/namespaces.h"

static __always_inline struct guard_block *
block_at(uint32_t index)
{
	return bpf_map_lookup_elem(&blocks, &index);
}

/* The block with that mark, if it is still one of that namespace. */
static __always_inline struct guard_block *
block_marked(uint32_t mark, uint64_t namespace)
{
	struct guard_block *block = mark ? block_at(mark - 1) : 0;

	return block && block->instance && block->namespace == namespace ? block
									 : 0;
}

/* Which one lives there, or 0: read before all else of it. */
static __always_inline uint64_t
block_living(struct guard_block *block)
{
	return __sync_val_compare_and_swap(&block->living, 0, 0);
}

/* A block that is to be taken: as a struct guard_block, which would be too
 * large for a program's stack. */
struct wanted {
	uint64_t token;
	uint64_t owner;
	uint64_t namespace;
	uint64_t began;
	uint32_t trier;
	uint32_t state;
	int32_t heir;
	uint32_t next;
	uint32_t uid;
	uint32_t gid;
	uint32_t payer;
	uint32_t charge;
	uint16_t start;
	uint16_t count;
	uint16_t udp;
	uint16_t space;
};

struct pick {
	uint64_t instance;
	uint64_t from;
	uint32_t found; /* index + 1 */
};

static long
pick_one(uint32_t i, struct pick *pick)
{
	uint32_t index = (uint32_t)(pick->from + i) & (GUARD_BLOCKS - 1);
	struct guard_block *block = block_at(index);

	if (!block || __sync_val_compare_and_swap(&block->instance, 0,
						  pick->instance) != 0)
		return 0;
	pick->found = index + 1;
	return 1;
}

/* The charge of its payer, and the namespace's block. */
static __always_inline void
give_back(uint32_t payer, uint32_t charge, uint32_t space)
{
	user_discharge(payer, USER_PORTS(charge) + USER_BLOCK);
	namespace_leave(space);
}

/* Unmarks its ports, as far as they have its mark, and gives all back that it
 * has taken. */
static __noinline int
block_free(uint32_t index)
{
	struct guard_block *block = block_at(index);
	struct guard_counters *c = counters_get();
	struct walk walk = {};

	if (!block || !c)
		return 0;
	walk.space = block->space;
	walk.udp = block->udp;
	walk.start = block->start;
	walk.from = index + 1;
	bpf_loop(block->count, mark_one, &walk, 0);
	give_back(block->payer, block->charge, block->space);
	__sync_lock_test_and_set(&block->instance, 0);
	__sync_fetch_and_add(&c->blocks, -1);
	return 0;
}

/* If it is still that one: two may end it at the same time, and one does. */
static __always_inline void
block_end(uint32_t index, uint64_t living)
{
	struct guard_block *block = block_at(index);

	if (block && living &&
	    __sync_val_compare_and_swap(&block->living, living, 0) == living)
		block_free(index);
}

/*
 * Takes a block as `wanted` describes it, its user and its namespace's index
 * counted in already. Its index + 1, or -Exxx.
 */
static __noinline int
block_take(struct wanted *wanted)
{
	struct guard_counters *c = counters_get();
	struct guard_block *block;
	struct pick pick = {};
	struct walk walk = {};

	if (!c || !wanted)
		return -ENOBUFS;
	if (wanted->payer != GUARD_NOBODY &&
	    c->blocks >= GUARD_BLOCKS - GUARD_ROOTS_BLOCKS) {
		give_back(wanted->payer, wanted->charge, wanted->space);
		return -ENOBUFS;
	}
	pick.instance = __sync_fetch_and_add(&c->instance, 1) + 1;
	pick.from = c->hint;
	bpf_loop(GUARD_BLOCKS, pick_one, &pick, 0);
	block = pick.found ? block_at(pick.found - 1) : 0;
	if (!block) {
		give_back(wanted->payer, wanted->charge, wanted->space);
		return -ENOBUFS;
	}
	c->hint = pick.found;
	block->token = wanted->token;
	block->owner = wanted->owner;
	block->namespace = wanted->namespace;
	block->began = wanted->began;
	block->trier = wanted->trier;
	block->state = wanted->state;
	block->heir = wanted->heir;
	for (uint32_t i = 0; i < GUARD_HEIRS; i++)
		block->heirs[i] = 0;
	block->next = wanted->next;
	block->uid = wanted->uid;
	block->gid = wanted->gid;
	block->start = wanted->start;
	block->count = wanted->count;
	block->udp = wanted->udp;
	block->space = wanted->space;
	block->payer = wanted->payer;
	block->charge = wanted->charge;
	__sync_fetch_and_add(&c->blocks, 1);
	walk.space = wanted->space;
	walk.udp = wanted->udp;
	walk.start = wanted->start;
	walk.to = pick.found;
	bpf_loop(wanted->count, mark_one, &walk, 0);
	if (walk.failed) {
		block_free(pick.found - 1);
		return -EADDRINUSE;
	}
	__sync_lock_test_and_set(&block->living, pick.instance);
	return (int)pick.found;
}

#endif
