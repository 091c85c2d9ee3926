/* SPDX-License-Identifier: MIT */
/*
 * Every system call of an add or a delete fails once, and the disk may not
 * confirm. The answer is true then, of the pool and of the store.
 */
#include "tests/failing.h"
#include "tests/persistent_scene.h"

/* Takes what is written, and cannot say whether the names are on disk. */
static long
kernel_doubt(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct stat st;

	(void)sys;
	if (nr == SYS_fsync && fstat((int)arg[0], &st) == 0 &&
	    S_ISDIR(st.st_mode))
		return -EIO;
	return kernel_real(nr, arg);
}

CHECK(persistent_failures, a_disk_that_does_not_confirm)
{
	struct sys_ops doubting = {.call = kernel_doubt};
	struct scene scene = set_up();

	scene.pool.sys = &doubting;
	cr_assert_eq(add(&scene.pool, scene.block), 1);
	expect_agreement(&scene, true, "added");
	cr_assert_eq(add(&scene.pool, scene.block), -EADDRINUSE);
	cr_assert_eq(erase(&scene.pool, scene.block), 1);
	expect_agreement(&scene, false, "deleted");
	scene.pool.sys = &sys_kernel;
	tear_down(&scene);
}

/* Not -ENOENT of an open: then there is no store, and nothing to keep. */
static const struct failing_way ways[] = {
	{SYS_openat, {EMFILE, EACCES, EINTR, ENOSPC}},
	{SYS_close, {EIO}},
	{SYS_read, {EIO, EINTR}},
	{SYS_write, {ENOSPC, EIO}},
	{SYS_fsync, {EIO}},
	{SYS_renameat2, {EIO, EPERM}},
	{SYS_unlinkat, {EPERM, EIO}},
	{SYS_fstat, {EIO}},
	{SYS_newfstatat, {EIO, ENOENT}},
	{SYS_fchmod, {EPERM}},
	{SYS_mkdirat, {ENOSPC}},
	{SYS_flock, {ENOLCK}},
	{SYS_mmap, {ENOMEM}},
	{SYS_prctl, {EINVAL}},
	{SYS_faccessat2, {EACCES, EIO}},
};

/* A failed add has added nothing; a failed delete may have to be repeated. */
static void
check_after(struct scene *scene, change *what, int r, const char *when)
{
	cr_assert_geq(r, -4095, "%s", when);
	cr_assert_eq(rig_gate, 0, "%s: the gate is shut", when);
	if (what == add) {
		expect_agreement(scene, r >= 0, when);
		return;
	}
	if (r < 0 && !in_store(scene->block))
		cr_assert_eq(erase(&scene->pool, scene->block), 0, "%s", when);
	expect_agreement(scene, r < 0 && in_store(scene->block), when);
}

/* Returns how many calls there were. */
static int
fail_once(change *what, int turn, long nr, int error, long *ret_nr)
{
	struct kernel_failing kernel = {.ops = {.call = kernel_fail},
					.turn = turn,
					.fails = nr,
					.error = error};
	struct scene scene = set_up();
	struct tidy before = tidy_look();
	char when[80];
	int r;

	snprintf(when, sizeof(when), "call %d (%ld) fails with %d", turn, nr,
		 error);
	if (what == erase)
		cr_assert_eq(add(&scene.pool, scene.block), 0);
	scene.pool.sys = &kernel.ops;
	r = what(&scene.pool, scene.block);
	scene.pool.sys = &sys_kernel;
	tidy_compare(&before);
	check_after(&scene, what, r, when);
	tear_down(&scene);
	if (ret_nr)
		memcpy(ret_nr, kernel.nr, sizeof(kernel.nr));
	return kernel.calls;
}

static void
fail_everywhere(change *what)
{
	static long nr[CALLS_MAX];
	int calls = fail_once(what, -1, 0, 0, nr), failures = 0;

	for (int turn = 0; turn < calls; turn++)
		for (size_t w = 0; w < sizeof(ways) / sizeof(*ways); w++)
			for (int n = 0; ways[w].nr == nr[turn] &&
					n < FAILING_ERRORS && ways[w].errors[n];
			     n++, failures++)
				fail_once(what, turn, nr[turn],
					  ways[w].errors[n], NULL);
	cr_assert_gt(failures, 30);
}

CHECK(persistent_failures, while_adding)
{
	fail_everywhere(add);
}

CHECK(persistent_failures, while_deleting)
{
	fail_everywhere(erase);
}
