/* SPDX-License-Identifier: MIT */
/*
 * A guard is told of persistent blocks in an order that no death spoils: it
 * never has a block that neither store nor pool know of.
 */
#include <sys/file.h>

#include "include/portres.h"
#include "tests/persistent_scene.h"

/* A kernel with a guard that takes any block, and looks around when asked. */
struct kernel_guarded {
	struct sys_ops ops;
	struct scene *scene;
	int kept, dropped;
	int unlocked; /* of those kept: while others could write the store */
};

static bool
may_be_written(void)
{
	int fd = open(kit_path("persistent.lock"), O_RDWR | O_CLOEXEC);
	bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;

	close(fd);
	return !locked;
}

static void
note(struct kernel_guarded *self, int what, const struct portres_guard *request)
{
	const struct range range = self->scene->block.range;

	if (ntohs(request->start_port) != range.start ||
	    request->number_of_ports != range.count)
		return;
	cr_assert(in_pool(self->scene, self->scene->block));
	if (what == PORTRES_GUARD_KEEP) {
		cr_assert(in_store(self->scene->block));
		cr_assert_eq(request->uid, geteuid());
		self->kept++;
		self->unlocked += may_be_written();
	} else if (what == PORTRES_GUARD_DROP) {
		self->dropped++;
	}
}

static long
answer(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_guarded *self = (struct kernel_guarded *)(void *)sys;

	if (nr != SYS_setsockopt || arg[1] != PORTRES_GUARD)
		return kernel_real(nr, arg);
	note(self, (int)arg[2], (const struct portres_guard *)arg[3]);
	kernel_real(nr, arg); /* if there is one */
	return 0;
}

static struct kernel_guarded
kernel_guarded(struct scene *scene)
{
	return (struct kernel_guarded){{.call = answer}, scene, 0, 0, 0};
}

CHECK(persistent_guard, has_what_store_and_pool_have)
{
	struct scene scene = set_up();
	struct kernel_guarded kernel = kernel_guarded(&scene);

	scene.pool.sys = &kernel.ops;
	cr_assert_eq(add(&scene.pool, scene.block), 0);
	cr_assert_eq(kernel.kept, 1);
	cr_assert_eq(erase(&scene.pool, scene.block), 0);
	cr_assert_eq(kernel.dropped, 1);
	tear_down(&scene);
}

/* It would keep one that is being deleted, for good. */
CHECK(persistent_guard, is_told_of_all_while_none_is_deleted)
{
	struct scene scene = set_up();
	struct kernel_guarded kernel = kernel_guarded(&scene);
	uint32_t refused;

	cr_assert_eq(add(&scene.pool, scene.block), 0);
	scene.pool.sys = &kernel.ops;
	cr_assert_eq(persistent_keep(&scene.pool, temp_dir(), &refused), 2);
	cr_assert_eq(kernel.kept, 1);
	cr_assert_eq(kernel.unlocked, 0);
	tear_down(&scene);
}

/* Or of which nobody can say that none is. */
CHECK(persistent_guard, is_told_of_none_while_the_store_is_being_changed)
{
	struct kernel_timeless timeless = kernel_timeless(0);
	struct scene scene = set_up();
	struct store changing;
	uint32_t refused;

	cr_assert_eq(kit_open_at_once(&changing), 0);
	scene.pool.sys = &timeless.ops;
	cr_assert_eq(persistent_keep(&scene.pool, temp_dir(), &refused),
		     -EBUSY);
	scene.pool.sys = &sys_kernel;
	store_close(&changing);
	tear_down(&scene);
}

/* A line that has gone from the store. */
CHECK(persistent_guard, is_told_before_a_slot_without_a_line_ends)
{
	struct scene scene = set_up();
	struct kernel_guarded kernel = kernel_guarded(&scene);
	struct persistent_report report;

	cr_assert_eq(add(&scene.pool, scene.block), 0);
	kit_write("persistent", "", 0);
	scene.pool.sys = &kernel.ops;
	cr_assert_eq(persistent_reload(&scene.pool, temp_dir(), &report), 0);
	cr_assert_eq(kernel.dropped, 1);
	cr_assert_not(in_pool(&scene, scene.block));
	tear_down(&scene);
}

/* A kernel that counts, and has a guard or none. */
struct kernel_counting {
	struct sys_ops ops;
	int r; /* what the guard answers */
	int kept, dropped;
	int sockets;  /* made */
	int readings; /* of the store */
};

static long
count(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_counting *self = (struct kernel_counting *)(void *)sys;

	self->sockets += nr == SYS_socket;
	self->readings += nr == SYS_openat &&
			  strcmp((const char *)arg[1], "persistent") == 0;
	if (nr != SYS_setsockopt || arg[1] != PORTRES_GUARD)
		return kernel_real(nr, arg);
	self->kept += arg[2] == PORTRES_GUARD_KEEP;
	self->dropped += arg[2] == PORTRES_GUARD_DROP;
	kernel_real(nr, arg); /* if there is one */
	return self->r;
}

static const int answers[] = {0, -ENOPROTOOPT};

/* Each of thousands of blocks would have made one, under the lock. */
CHECK(persistent_guard, is_asked_by_one_socket)
{
	for (int i = 0; i < 2; i++) {
		struct kernel_counting kernel = {{.call = count},
						 .r = answers[i]};
		struct scene scene = set_up();
		struct persistent_report report;

		for (uint32_t n = 0; n < 4; n++) {
			const struct range one = {scene.block.range.start + n,
						  1};

			cr_assert_eq(add(&scene.pool,
					 (struct block){PROTOCOL_TCP, one}),
				     0);
		}
		kit_write("persistent", "", 0);
		scene.pool.sys = &kernel.ops;
		cr_assert_eq(
			persistent_reload(&scene.pool, temp_dir(), &report), 0);
		cr_assert_eq(report.removed, 5);
		cr_assert_eq(kernel.sockets, 1);
		cr_assert_eq(kernel.dropped, answers[i] == 0 ? 5 : 1);
		tear_down(&scene);
	}
}

CHECK(persistent_guard, costs_no_second_reading_of_the_store)
{
	for (int i = 0; i < 2; i++) {
		struct kernel_counting kernel = {{.call = count},
						 .r = answers[i]};
		struct scene scene = set_up();
		struct persistent_report report;

		scene.pool.sys = &kernel.ops;
		cr_assert_eq(add(&scene.pool, scene.block), 0);
		cr_assert_eq(kernel.readings, 1);
		cr_assert_eq(kernel.kept, 1);
		cr_assert_eq(
			persistent_reload(&scene.pool, temp_dir(), &report), 0);
		cr_assert_eq(kernel.readings, 2);
		cr_assert_eq(kernel.kept, answers[i] == 0 ? 3 : 2);
		tear_down(&scene);
	}
}
