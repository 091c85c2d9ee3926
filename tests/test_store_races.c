/* SPDX-License-Identifier: MIT */
/* The store's lock while others remove, replace and make it. */
#include "core/pool/store.h"

#include "tests/store_kit.h"

static void
replace_lock(void)
{
	int fd;

	unlink(kit_path(LOCK));
	fd = open(kit_path(LOCK), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
}

/* Between the open and the lock it is removed, and others lock a new one. */
CHECK(store_races, a_lock_without_its_name_is_none)
{
	struct kernel_meddling once =
		kernel_meddling(SYS_flock, NULL, replace_lock, 1);
	struct kernel_meddling always =
		kernel_meddling(SYS_flock, NULL, replace_lock, -1);
	struct store store;

	cr_assert_eq(store_open(&once.ops, temp_dir(), true, &store), 0);
	cr_assert(kit_holds_the_name(&store));
	store_close(&store);
	cr_assert_eq(store_open(&always.ops, temp_dir(), true, &store), -EBUSY);
}

static int others;

static void
lock_another(void)
{
	replace_lock();
	others = open(kit_path(LOCK), O_RDWR | O_CLOEXEC);
	cr_assert_eq(flock(others, LOCK_EX), 0);
}

/* The file that we opened is removed: whoever has the name now keeps it. */
CHECK(store_races, the_next_lock_is_not_removed)
{
	struct kernel_timeless timeless = kernel_timeless(0);
	struct kernel_meddling kernel =
		kernel_meddling(SYS_openat, LOCK, lock_another, 1);
	struct stat before, after;
	struct store store;

	replace_lock();
	kernel.after = true;
	kernel.behind = &timeless.ops;
	cr_assert_eq(store_open(&kernel.ops, temp_dir(), true, &store), -EBUSY);
	after = kit_stat(LOCK);
	cr_assert_eq(fstat(others, &before), 0);
	cr_assert_eq(after.st_ino, before.st_ino);
	close(others);
}

/* One that may not be opened, so many times. */
struct kernel_forbidding {
	struct sys_ops ops;
	ino_t inode;
	int times;
};

static long
kernel_forbid(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_forbidding *self =
		(struct kernel_forbidding *)(void *)sys;
	struct stat st;

	if (nr == SYS_openat && strcmp((const char *)arg[1], LOCK) == 0 &&
	    lstat(kit_path(LOCK), &st) == 0 && st.st_ino == self->inode &&
	    self->times > 0) {
		self->times--;
		return -EACCES;
	}
	return kernel_real(nr, arg);
}

/* Its maker is about to hand it to the group; or never will. */
CHECK(store_races, a_lock_that_we_may_not_open_has_a_moment)
{
	static const int times[] = {3, 1000000};

	for (int i = 0; i < 2; i++) {
		struct kernel_forbidding kernel = {
			.ops = {.call = kernel_forbid}, .times = times[i]};
		struct store store;

		replace_lock();
		kernel.inode = kit_stat(LOCK).st_ino;
		cr_assert_eq(store_open(&kernel.ops, temp_dir(), true, &store),
			     0);
		cr_assert(kit_holds_the_name(&store));
		cr_assert_eq(kernel.times == 0, i == 0);
		store_close(&store);
	}
}

CHECK(store_races, who_has_lost_the_lock_replaces_nothing)
{
	struct store store;

	kit_text("persistent", "tcp 1 1\n");
	cr_assert_eq(store_open(&sys_kernel, temp_dir(), true, &store), 0);
	replace_lock();
	cr_assert_eq(store_replace(&store, NULL, &kit_block), -EBUSY);
	store_close(&store);
	cr_assert(kit_has("persistent", "tcp 1 1\n"));
	cr_assert(kit_missing("persistent.new"));
}
