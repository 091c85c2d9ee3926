/* SPDX-License-Identifier: MIT */
/* Which directory a user's programs share, whatever others do to its name. */
#include "core/pool/user_pool.h"

#include "tests/kernel.h"
#include "tests/peer.h"
#include "tests/rig.h"

/*
 * The test's directory stands for /dev/shm, which is root's. If it is that of
 * the user whom the kernel shows for all who are not mapped, all look alike.
 */
#define SKIP_NOBODY()                                                          \
	do {                                                                   \
		if (geteuid() == 65534)                                        \
			SKIP("user 65534 is everybody who is not mapped");     \
	} while (0)

/* The user's directory in the test's, with that suffix. */
static const char *
named(const char *suffix)
{
	static char path[2][160];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/portres-%u%s", temp_dir(),
		 geteuid(), suffix);
	return path[turn];
}

static int
open_with(const struct sys_ops *sys, struct pool *ret)
{
	return user_pool_open(sys, temp_dir(), NULL, 1, &rig_forks, ret);
}

/* The suffix of the directory that is opened, or NULL. */
static const char *
opened(const struct sys_ops *sys)
{
	static char suffix[160];
	struct pool pool;
	char *slash;

	if (open_with(sys, &pool) < 0)
		return NULL;
	snprintf(suffix, sizeof(suffix), "%s", pool.path + strlen(named("")));
	slash = strchr(suffix, '/');
	*slash = '\0';
	pool_close(&pool);
	return suffix;
}

CHECK(user_pool, is_made_once_and_closed_to_others)
{
	struct stat st;

	SKIP_NOBODY();
	cr_assert_str_eq(opened(&sys_kernel), "");
	cr_assert_eq(stat(named(""), &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0700);
	cr_assert_str_eq(opened(&sys_kernel), "");
}

CHECK(user_pool, is_the_next_name_where_another_has_made_the_first)
{
	if (geteuid() != 0)
		return; /* only root can give directories away */
	cr_assert_eq(mkdir(named(""), 0777), 0);
	cr_assert_eq(chown(named(""), 4711, 4711), 0);
	cr_assert_eq(symlink("/", named(".1")), 0);
	close(open(named(".2"), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	cr_assert_str_eq(opened(&sys_kernel), ".3");
	/* One of his own that is there wins over making the first one. */
	cr_assert_eq(rmdir(named("")), 0);
	cr_assert_str_eq(opened(&sys_kernel), ".3");
	/* Names of other users are none of his. */
	cr_assert_eq(mkdir(named("0"), 0700), 0);
	cr_assert_eq(rmdir(named(".3")), -1);
	cr_assert_str_eq(opened(&sys_kernel), ".3");
}

/* A directory that others may write is not his, though he made it. */
CHECK(user_pool, is_not_one_that_strangers_may_write)
{
	SKIP_NOBODY();
	cr_assert_eq(mkdir(named(""), 0700), 0);
	cr_assert_eq(chmod(named(""), 0777), 0);
	cr_assert_str_eq(opened(&sys_kernel), ".1");
}

/* A kernel in which the first name is taken by another just before we make it.
 */
struct kernel_squatted {
	struct sys_ops ops;
	int made;
	bool ours; /* the other one is a program of the same user */
};

static long
squat(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_squatted *self = (struct kernel_squatted *)(void *)sys;

	if (nr == SYS_mkdirat && self->made++ == 0) {
		cr_assert_eq(mkdir((const char *)arg[1], 0700), 0);
		if (!self->ours)
			cr_assert_eq(chown((const char *)arg[1], 4711, 0), 0);
	}
	return kernel_real(nr, arg);
}

CHECK(user_pool, programs_that_make_it_at_once_agree)
{
	struct kernel_squatted kernel = {{.call = squat}, 0, true};

	SKIP_NOBODY();
	/* Both have looked, and found none: the shorter name is for both. */
	cr_assert_str_eq(opened(&kernel.ops), "");
	cr_assert_str_eq(opened(&sys_kernel), "");
	if (geteuid() != 0)
		return;
	unlink(strcat(strcpy((char[200]){0}, named("")), "/pool-1"));
	nftw(named(""), check_remove, 8, FTW_DEPTH | FTW_PHYS);
	nftw(named(".1"), check_remove, 8, FTW_DEPTH | FTW_PHYS);
	kernel = (struct kernel_squatted){{.call = squat}, 0, false};
	cr_assert_str_eq(opened(&kernel.ops), ".1");
	cr_assert_str_eq(opened(&sys_kernel), ".1");
}

/* One that shows the place as nobody's, as a user namespace shows /dev/shm. */
struct kernel_unmapped {
	struct sys_ops ops;
	ino_t place;
	uid_t self, shown;
};

static long
show_unmapped(const struct sys_ops *sys, long nr, const long arg[6])
{
	const struct kernel_unmapped *self = (const void *)sys;
	long r;

	if (nr == SYS_geteuid)
		return self->shown;
	r = kernel_real(nr, arg);
	if (nr == SYS_fstat && r == 0) {
		struct stat *st = (struct stat *)arg[1];

		st->st_uid =
			st->st_ino != self->place && st->st_uid == self->self
				? self->shown
				: 65534;
	}
	return r;
}

static struct kernel_unmapped
unmapped(uid_t shown)
{
	struct stat st;

	cr_assert_eq(stat(temp_dir(), &st), 0);
	return (struct kernel_unmapped){
		{.call = show_unmapped}, st.st_ino, geteuid(), shown};
}

CHECK(user_pool, in_a_user_namespace_is_the_outsides)
{
	/* Root in there, mostly; here another number will do. */
	struct kernel_unmapped kernel = unmapped(1234);
	char other[160];

	SKIP_NOBODY();
	/* There is none: whose name would it be? */
	cr_assert_null(opened(&kernel.ops));
	snprintf(other, sizeof(other), "%s/portres-1234", temp_dir());
	cr_assert_neq(access(other, F_OK), 0);
	cr_assert_str_eq(opened(&sys_kernel), "");
	cr_assert_str_eq(opened(&kernel.ops), "");
	/* Somebody else's, whom nobody here knows, is not ours. */
	if (geteuid() == 0) {
		cr_assert_eq(chown(named(""), 4711, 0), 0);
		cr_assert_null(opened(&kernel.ops));
	}
}

/* Nor is he mapped himself: everything seems to be his. */
CHECK(user_pool, of_a_user_who_is_nobody_is_none)
{
	struct kernel_unmapped kernel = unmapped(65534);
	char other[160];

	SKIP_NOBODY();
	cr_assert_str_eq(opened(&sys_kernel), "");
	snprintf(other, sizeof(other), "%s/portres-65534", temp_dir());
	cr_assert_eq(mkdir(other, 0700), 0);
	cr_assert_null(opened(&kernel.ops));
}
