/* SPDX-License-Identifier: MIT */
/*
 * An add or a delete may be killed at any system call. The next one to come
 * finds what is left and puts it right: an add, a delete, or doctor.
 */
#include "tests/persistent_scene.h"

struct kernel_deadly {
	struct sys_ops ops;
	int left; /* calls until then */
};

static long
kernel_kill(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_deadly *self = (struct kernel_deadly *)(void *)sys;

	if (self->left-- == 0)
		kill(getpid(), SIGKILL);
	return kernel_real(nr, arg);
}

/* Does it in a child that dies at that call; false when it came to its end. */
static bool
die_at(struct scene *scene, change *what, int call)
{
	struct kernel_deadly kernel = {{.call = kernel_kill}, call};
	pid_t child = fork();
	int status;

	if (child == 0) {
		scene->pool.sys = &kernel.ops;
		_exit(what(&scene->pool, scene->block) != 0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status))
		cr_assert_eq(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

static void
add_again(struct scene *scene, const char *when)
{
	bool there = in_store(scene->block);
	int r = add(&scene->pool, scene->block);

	cr_assert_eq(r, there ? -EADDRINUSE : 0, "%s: %d", when, r);
	expect_agreement(scene, true, when);
	cr_assert(kit_missing("persistent.new") || there, "%s", when);
}

static void
delete_what_is_there(struct scene *scene, const char *when)
{
	bool there = in_store(scene->block) || in_pool(scene, scene->block);
	int r = erase(&scene->pool, scene->block);

	cr_assert_eq(r, there ? 0 : -ENOENT, "%s: %d", when, r);
	expect_agreement(scene, false, when);
	cr_assert_eq(erase(&scene->pool, scene->block), -ENOENT, "%s", when);
}

/* Which drops what the store does not have, and does not touch the store. */
static void
mend(struct scene *scene, const char *when)
{
	bool stored = in_store(scene->block);
	bool left_over = in_pool(scene, scene->block) && !stored;
	struct persistent_difference d;

	cr_assert_eq(persistent_mend(&scene->pool, temp_dir(), &d), 0);
	cr_assert_eq(d.left_over, left_over, "%s: %u", when, d.left_over);
	expect_agreement(scene, stored, when);
}

static void
die_everywhere(change *what, bool there_before)
{
	void (*const after[])(struct scene *, const char *) = {
		add_again, delete_what_is_there, mend};
	bool died = true;
	int left_over = 0, call;

	for (call = 0; died; call++)
		for (int i = 0; i < 3; i++) {
			struct scene scene = set_up();
			char when[80];

			snprintf(when, sizeof(when), "call %d, then %d", call,
				 i);
			if (there_before)
				cr_assert_eq(add(&scene.pool, scene.block), 0);
			died = die_at(&scene, what, call);
			left_over += in_pool(&scene, scene.block) &&
				     !in_store(scene.block);
			after[i](&scene, when);
			tear_down(&scene);
		}
	/* It did die between the two. */
	cr_assert_gt(left_over, 3);
	cr_assert_gt(call, 30);
}

CHECK(persistent, killed_while_adding)
{
	die_everywhere(add, false);
}

CHECK(persistent, killed_while_deleting)
{
	die_everywhere(erase, true);
}

/* It must not be in the way of those who would have its ports. */
CHECK(persistent, what_a_killed_add_left_is_no_conflict)
{
	struct scene scene = set_up();
	struct block over = scene.old;

	over.range.start++;
	cr_assert_eq(add(&scene.pool, over), -EADDRINUSE);
	unlink(kit_path("persistent")); /* the pool has what it lacks */
	cr_assert(in_pool(&scene, scene.old));
	cr_assert_eq(add(&scene.pool, over), 0);
	cr_assert(in_pool(&scene, over) && in_store(over));
	cr_assert_not(in_pool(&scene, scene.old));
	tear_down(&scene);
}
