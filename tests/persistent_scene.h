/* SPDX-License-Identifier: MIT */
/*
 * A pool and a store that somebody is changing.
 */
#ifndef PORTRES_TESTS_PERSISTENT_SCENE_H
#define PORTRES_TESTS_PERSISTENT_SCENE_H

#include "core/pool/persistent.h"
#include "tests/store_kit.h"

/* Each round begins with one block in pool and store. */
struct scene {
	struct pool pool;
	struct block old, block; /* the latter is not there */
};

typedef int change(struct pool *pool, struct block block);

static inline int
add(struct pool *pool, struct block block)
{
	uint64_t token = 0;
	int r = persistent_add(pool, temp_dir(), &block, NULL, &token);

	cr_assert_eq(r >= 0, token != 0);
	return r;
}

static inline int
erase(struct pool *pool, struct block block)
{
	return persistent_delete(pool, temp_dir(), block);
}

static inline struct scene
set_up(void)
{
	uint32_t first = own_ports();
	struct scene scene = {
		.pool = rig_pool(),
		.old = {PROTOCOL_TCP, {first, 3}},
		.block = {PROTOCOL_UDP, {first + 3, 4}},
	};

	cr_assert_eq(add(&scene.pool, scene.old), 0);
	return scene;
}

static inline void
tear_down(struct scene *scene)
{
	pool_close(&scene->pool);
	rig_remove_pool();
	unlink(kit_path("persistent"));
	unlink(kit_path("persistent.new"));
	unlink(kit_path("persistent.lock"));
}

static inline int
is_it(void *context, unsigned line, bool bad, struct block block)
{
	(void)line;
	return !bad && block_equal(*(struct block *)context, block);
}

static inline bool
in_store(struct block block)
{
	struct store store;
	bool there;

	cr_assert_eq(store_open(&sys_kernel, temp_dir(), false, &store), 0);
	there = store_each(&store, is_it, &block);
	store_close(&store);
	return there;
}

static inline bool
in_pool(struct scene *scene, struct block block)
{
	uint64_t token;

	return persistent_lookup(&scene->pool, block, &token) == 0;
}

/* The block is in both, or in neither, and the old one in both. */
static inline void
expect_agreement(struct scene *scene, bool there, const char *when)
{
	struct persistent_difference d;

	cr_assert_eq(in_store(scene->block), there, "%s: store", when);
	cr_assert_eq(in_pool(scene, scene->block), there, "%s: pool", when);
	cr_assert(in_store(scene->old) && in_pool(scene, scene->old), "%s",
		  when);
	cr_assert_eq(persistent_compare(&scene->pool, temp_dir(), &d), 0);
	cr_assert(d.left_over == 0 && d.missing == 0, "%s: %u, %u", when,
		  d.left_over, d.missing);
	cr_assert(rig_marks_right(scene->pool.file), "%s", when);
	cr_assert_eq(kit_mode("persistent") & 07777, 0644, "%s", when);
}

#endif
