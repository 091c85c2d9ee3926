/* SPDX-License-Identifier: MIT */
/* A persistent block's token, and when it is another one. */
#include "tests/persistent_scene.h"
#include "tests/steps.h"

static uint64_t
token_of(struct pool *pool, struct block block)
{
	uint64_t token = 0;

	cr_assert_eq(persistent_lookup(pool, block, &token), 0);
	cr_assert_eq(token,
		     slot_by_port(pool->file, block.protocol, block.range.start)
			     ->token);
	return token;
}

CHECK(persistent_token, stays_while_the_block_stays)
{
	struct scene scene = set_up();
	uint64_t token = token_of(&scene.pool, scene.old);
	struct persistent_report report;

	cr_assert_eq(add(&scene.pool, scene.block), 0);
	cr_assert_neq(token_of(&scene.pool, scene.block), token);
	cr_assert_eq(persistent_reload(&scene.pool, temp_dir(), &report), 0);
	cr_assert_eq(erase(&scene.pool, scene.block), 0);
	cr_assert_eq(token_of(&scene.pool, scene.old), token);
	tear_down(&scene);
}

/* A program that remembers the old one has no part in the new block. */
CHECK(persistent_token, is_another_when_the_block_is_made_again)
{
	struct scene scene = set_up();
	uint64_t token = token_of(&scene.pool, scene.old), again;

	cr_assert_eq(erase(&scene.pool, scene.old), 0);
	cr_assert_null(slot_by_token(scene.pool.file, token));
	cr_assert_eq(add(&scene.pool, scene.old), 0);
	again = token_of(&scene.pool, scene.old);
	cr_assert_neq(again, token);
	cr_assert_null(slot_by_token(scene.pool.file, token));
	tear_down(&scene);
}

struct lookup {
	struct pool *pool;
	struct block block;
	uint64_t token; /* the answer; 0: not found */
	bool over;
};

static void
look_up(void *context)
{
	struct lookup *lookup = context;
	uint64_t token = 0;
	int r;

	steps_begin();
	r = persistent_lookup(lookup->pool, lookup->block, &token);
	child_assert(r == 0 || r == -ENOENT);
	child_assert((r == 0) == (token != 0));
	lookup->token = token;
	lookup->over = true;
}

static bool
is_over(const void *context)
{
	return ((const struct lookup *)context)->over;
}

/* By a block of other ports in the same slot. */
static void
replace(struct pool_file *file, struct slot *slot)
{
	slot_free(file, slot);
	file->header.slot_hint = (uint32_t)(slot - file->slot);
	cr_assert_eq(slot_pick(file), slot);
	slot->start += slot->count;
	slot_mark(file, slot);
	slot_publish(slot);
}

/* A look-up takes no lock, and never tells another block's token. */
CHECK(persistent_token, is_never_that_of_the_slots_next_block)
{
	struct lookup *lookup = steps_shared(sizeof(*lookup));
	struct scene scene = set_up();
	struct pool_file *file = scene.pool.file;
	struct slot *slot =
		slot_by_token(file, token_of(&scene.pool, scene.old));
	int found = 0, all;

	rig_forget_persistent(); /* while they are where a guard has them */
	*lookup = (struct lookup){.pool = &scene.pool, .block = scene.old};
	all = steps_until(is_over, look_up, lookup);
	for (int steps = 1; steps <= all; steps++) {
		uint64_t token = atomic_load(&slot->token);
		pid_t pid;

		lookup->token = 0;
		pid = steps_fork(look_up, lookup);
		cr_assert(steps_go(pid, steps));
		replace(file, slot);
		steps_let_go(pid);
		cr_assert(lookup->token == 0 || lookup->token == token,
			  "step %d of %d", steps, all);
		found += lookup->token != 0;
		lookup->block.range.start = slot->start;
	}
	cr_assert(found > 0 && found < all);
	tear_down(&scene);
	munmap(lookup, sizeof(*lookup));
}
