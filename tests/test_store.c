/* SPDX-License-Identifier: MIT */
/* The store's lock: nobody holds it who may not write the store. */
#include "core/pool/store.h"

#include "tests/store_kit.h"

CHECK(store, a_forked_childs_copy_does_not_keep_the_lock)
{
	struct store store, next;
	int copy;

	cr_assert_eq(store_open(&sys_kernel, temp_dir(), true, &store), 0);
	copy = dup(store.lock);
	/* While it is open it is locked, and the wait for it is bounded. */
	cr_assert_eq(kit_open_at_once(&next), -EBUSY);
	store_close(&store);
	cr_assert_eq(kit_open_at_once(&next), 0);
	store_close(&next);
	close(copy);
}

/* As everybody could who may read them. */
CHECK(store, locks_on_what_others_may_open_hold_nobody_up)
{
	struct store store;
	int directory, file;

	kit_text("persistent", "");
	directory = open(temp_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file = open(kit_path("persistent"), O_RDONLY | O_CLOEXEC);
	cr_assert_eq(flock(directory, LOCK_EX), 0);
	cr_assert_eq(flock(file, LOCK_EX), 0);
	cr_assert_eq(kit_open_at_once(&store), 0);
	cr_assert(kit_holds_the_name(&store));
	store_close(&store);
	close(directory);
	close(file);
}

static void
with_mode(const char *name, mode_t mode, uid_t owner)
{
	kit_text(name, "");
	cr_assert_eq(chmod(kit_path(name), mode), 0);
	if (geteuid() == 0)
		cr_assert_eq(chown(kit_path(name), owner, (gid_t)-1), 0);
}

static void
for_others(const char *name)
{
	with_mode(name, 0604, geteuid());
}

static void
for_a_group(const char *name)
{
	with_mode(name, 0660, geteuid());
}

/* As a former member of the group leaves it behind. */
static void
of_a_stranger(const char *name)
{
	with_mode(name, geteuid() == 0 ? 0600 : 0604, NOBODY);
}

CHECK(store, what_strangers_could_lock_is_made_anew)
{
	void (*const make[])(const char *) = {
		for_others, for_a_group, of_a_stranger, kit_fifo,
		kit_socket, kit_symlink, kit_device,	kit_hard_link,
	};

	for (size_t i = 0; i < sizeof(make) / sizeof(*make); i++) {
		struct store store;
		int r, held;

		if (make[i] == kit_device && geteuid() != 0)
			continue;
		make[i](LOCK);
		held = open(kit_path(LOCK), O_RDWR | O_NONBLOCK | O_CLOEXEC);
		flock(held, LOCK_EX);
		r = kit_open_at_once(&store);
		cr_assert_eq(r, 0, "thing %zu: %d", i, r);
		cr_assert(kit_holds_the_name(&store), "thing %zu", i);
		store_close(&store);
		close(held);
		unlink(kit_path(LOCK));
	}
	cr_assert(kit_has("secret", SECRET));
}

CHECK(store, a_directory_in_its_place_is_refused)
{
	struct store store;

	kit_directory(LOCK);
	cr_assert_eq(kit_open_at_once(&store), -EISDIR);
}

CHECK(store, a_lease_on_it_holds_nobody_up)
{
	struct store store;
	int held;

	kit_text(LOCK, "");
	held = kit_lease(LOCK);
	cr_assert_eq(kit_open_at_once(&store), 0);
	store_close(&store);
	close(held);
}

/* Members make it for each other, whoever's group is their first. */
CHECK(store, a_group_that_may_write_may_lock)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_fchown, -EPERM, NULL);
	struct store store;
	struct stat st;

	if (geteuid() == 0)
		cr_assert_eq(chown(temp_dir(), 0, NOBODY), 0);
	cr_assert_eq(chmod(temp_dir(), 0770), 0);
	cr_assert_eq(kit_open_at_once(&store), 0);
	store_close(&store);
	st = kit_stat(LOCK);
	cr_assert_eq(st.st_mode & 07777, 0660);
	cr_assert_eq(st.st_gid, kit_stat(".").st_gid);
	if (geteuid() != 0)
		return;
	/* A store that cannot be handed on is nobody else's. */
	unlink(kit_path(LOCK));
	cr_assert_eq(store_open(&kernel.ops, temp_dir(), true, &store), 0);
	store_close(&store);
	cr_assert_eq(kit_mode(LOCK) & 07777, 0600);
	cr_assert_eq(kernel.asked, 1);
	/* A store of another group is made anew. */
	cr_assert_eq(chmod(kit_path(LOCK), 0660), 0);
	cr_assert_eq(kit_open_at_once(&store), 0);
	store_close(&store);
	cr_assert_eq(kit_stat(LOCK).st_gid, NOBODY);
}
