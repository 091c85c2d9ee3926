/* SPDX-License-Identifier: MIT */
/*
 * The scene while a system call fails: every operation on a pool.
 */
#ifndef PORTRES_TESTS_FAILING_SCENE_H
#define PORTRES_TESTS_FAILING_SCENE_H

#include "core/pool/acquire.h"
#include "core/pool/announce.h"
#include "core/pool/user_pool.h"
#include "core/kernel/last_close.h"
#include "tests/rig.h"

/* One operation on a pool, from start to end. */
struct scene {
	struct pool pool;
	uint32_t first;
	int fd, dead; /* the owner of a block, and of one that is gone */
	struct reservation mine;
	const struct sys_ops *sys;
};

typedef int operation(struct scene *scene);

static inline int
inside(struct scene *scene, operation *what)
{
	struct pool_lock lock;
	int r = pool_enter(&scene->pool, POOL_WAIT, &lock);

	if (r < 0)
		return r;
	r = what(scene);
	pool_leave(&scene->pool, &lock);
	return r;
}

/* As callers do, who leave the pool in between. */
static inline int
try_acquire(struct scene *scene, struct acquire wanted)
{
	struct pool *pool = &scene->pool;
	struct reservation got;
	struct pool_lock lock;
	int r;

	do {
		r = pool_enter(pool, POOL_WAIT, &lock);
		if (r < 0)
			return r;
		r = reserve_acquire(pool, &wanted, &got);
		pool_leave(pool, &lock);
	} while (r == -EAGAIN && (r = reserve_judge_for(pool, &wanted)) == 0);
	return r;
}

static inline int
acquire(struct scene *scene, uint32_t start)
{
	const struct range_list window = {1, {{scene->first, PORTS_OWN}}};
	struct acquire wanted = rig_wanted(scene->fd, start, 3);

	wanted.wildcard = &window;
	return try_acquire(scene, wanted);
}

static inline int
acquire_free(struct scene *scene)
{
	return acquire(scene, scene->first + 20);
}

static inline int
acquire_dead(struct scene *scene)
{
	return acquire(scene, scene->first + 10);
}

/* The port of a listener: sock_diag is asked as well. */
static inline int
acquire_used(struct scene *scene)
{
	return acquire(scene, scene->first + 30);
}

static inline int
acquire_any(struct scene *scene)
{
	return acquire(scene, 0);
}

/* So full of the dead that they must be swept away. */
static inline int
acquire_swept(struct scene *scene)
{
	const struct range_list window = {1, {{scene->first + 10, 3}}};
	struct acquire wanted = rig_wanted(scene->fd, 0, 3);

	wanted.wildcard = &window;
	return try_acquire(scene, wanted);
}

static inline int
release(struct scene *scene)
{
	struct reservation found;
	int holder;
	int r = reserve_find(&scene->pool, PROTOCOL_TCP, scene->mine.token,
			     &found, &holder);

	if (r == 0)
		reserve_release(&scene->pool, &found, holder);
	return r;
}

/* The socket has another number by now. */
static inline int
release_moved(struct scene *scene)
{
	slot_by_token(scene->pool.file, scene->mine.token)->fd = -1;
	return release(scene);
}

static inline int
look(struct scene *scene)
{
	const struct slot *slot =
		slot_by_port(scene->pool.file, PROTOCOL_TCP, scene->first + 10);

	return slot ? reserve_lives(&scene->pool, atomic_load(&slot->token))
		    : 0;
}

static inline int
sweep(struct scene *scene)
{
	return reserve_judge(&scene->pool);
}

static inline int
open_again(struct scene *scene)
{
	struct pool pool;
	int r = rig_open_with(scene->sys, &pool);

	if (r == 0)
		pool_close(&pool);
	return r;
}

static inline int
open_new(struct scene *scene)
{
	char path[128];
	struct pool pool;
	int r = user_pool_open(scene->sys, temp_dir(), NULL, 1, &rig_forks,
			       &pool);

	if (r == 0)
		pool_close(&pool);
	snprintf(path, sizeof(path), "%s/portres-%u/pool-1", temp_dir(),
		 geteuid());
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	return r;
}

/* A copy of the owning socket, by us. */
static inline int
closed(struct scene *scene)
{
	int fd = dup(scene->fd);
	struct last_close watch;

	last_close_begin(scene->sys, fd, &watch);
	close(fd);
	return last_close_end(scene->sys, &watch);
}

static inline int
announced(struct scene *scene)
{
	struct announcer self = {0};
	struct announce a;
	int r = announce_begin(scene->sys, &self, scene->pool.file,
			       (uint16_t)scene->first, &a);

	if (r == 0)
		announce_end(&a);
	return r;
}

#endif
