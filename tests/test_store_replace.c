/* SPDX-License-Identifier: MIT */
/* The file that replaces the store: its mode, whose it is, and when. */
#include "core/pool/store.h"

#include "tests/store_kit.h"

#define NAME "persistent"
#define NEW "persistent.new"
#define LINE "tcp 5000 20\n"

static void
expect_mode(mode_t mode, const char *what)
{
	cr_assert_eq(kit_mode(NAME), S_IFREG | mode, "%s: %o", what,
		     kit_mode(NAME));
}

/* Whatever a member of the group made of it, and whatever the umask says. */
CHECK(store_replace, its_mode_is_of_no_ones_choice)
{
	static const mode_t modes[] = {04755, 02755, 0777, 0600, 0000, 06644};

	temp_dir(); /* is not what the mask is for */
	umask(0777);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		unlink(kit_path(NAME));
		kit_text(NAME, "# \xc3\xa4\n");
		cr_assert_eq(chmod(kit_path(NAME), modes[i]), 0);
		if (modes[i] == 0 && geteuid() != 0) {
			cr_assert_eq(kit_add(&sys_kernel), -EACCES);
			continue;
		}
		cr_assert_eq(kit_add(&sys_kernel), 0);
		expect_mode(0644, "as usual");
		cr_assert(kit_has(NAME, "# \xc3\xa4\n" LINE));
	}
	unlink(kit_path(NAME));
	cr_assert_eq(kit_add(&sys_kernel), 0);
	expect_mode(0644, "where there was none");
}

CHECK(store_replace, a_group_that_may_write_the_directory_has_it)
{
	struct kernel_refusing refusing =
		kernel_refusing(SYS_fchown, -EPERM, NULL);
	/* As containers do that have one user only. */
	struct kernel_refusing pretending =
		kernel_refusing(SYS_fchown, 0, NULL);
	gid_t group = geteuid() == 0 ? NOBODY : getegid();

	cr_assert_eq(chown(temp_dir(), (uid_t)-1, group), 0);
	cr_assert_eq(chmod(temp_dir(), 0770), 0);
	cr_assert_eq(kit_add(&sys_kernel), 0);
	expect_mode(0664, "shared");
	cr_assert_eq(kit_stat(NAME).st_gid, group);
	if (group == getegid())
		return;
	/* To the group of who ran us it would mean: write another's file. */
	cr_assert_eq(kit_add(&refusing.ops), 0);
	expect_mode(0644, "refused");
	cr_assert_eq(kit_add(&pretending.ops), 0);
	expect_mode(0644, "pretended");
}

CHECK(store_replace, a_mode_that_cannot_be_set_replaces_nothing)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_fchmod, -EPERM, NULL);

	kit_text(NAME, "tcp 1 1\n");
	cr_assert_eq(kit_add(&kernel.ops), -EPERM);
	cr_assert(kit_has(NAME, "tcp 1 1\n") && kit_missing(NEW));
}

static void
leave_open(const char *name)
{
	kit_text(name, "");
	cr_assert_eq(chmod(kit_path(name), 0666), 0);
}

/* A file that somebody has put there is not what we write to. */
CHECK(store_replace, what_stands_in_its_place_is_not_written)
{
	void (*const make[])(const char *) = {
		leave_open,  kit_fifo,	 kit_socket,
		kit_symlink, kit_device, kit_hard_link,
	};

	for (size_t i = 0; i < sizeof(make) / sizeof(*make); i++) {
		int kept, r;
		char c;

		if (make[i] == kit_device && geteuid() != 0)
			continue;
		unlink(kit_path(NAME));
		make[i](NEW);
		/* A symbolic link is not followed here either. */
		kept = open(kit_path(NEW),
			    O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
		r = kit_add(&sys_kernel);
		cr_assert_eq(r, 0, "thing %zu: %d", i, r);
		expect_mode(0644, "made anew");
		cr_assert(kit_has(NAME, LINE) && kit_missing(NEW));
		if (make[i] == leave_open || make[i] == kit_fifo)
			cr_assert_leq(read(kept, &c, 1), 0, "thing %zu", i);
		close(kept);
	}
	cr_assert(kit_has("secret", SECRET));
	kit_directory(NEW);
	cr_assert_eq(kit_add(&sys_kernel), -EISDIR);
	cr_assert(kit_has(NAME, LINE));
}

static void
make_link(void)
{
	cr_assert_eq(link(kit_path("secret"), kit_path(NEW)), 0);
}

/* Put there in the last moment, again and again. */
CHECK(store_replace, nor_what_comes_there_meanwhile)
{
	struct kernel_meddling once =
		kernel_meddling(SYS_openat, NEW, make_link, 1);
	struct kernel_meddling always =
		kernel_meddling(SYS_openat, NEW, make_link, -1);

	kit_text("secret", SECRET);
	cr_assert_eq(kit_add(&once.ops), 0);
	cr_assert_eq(once.times, 0);
	cr_assert(kit_has(NAME, LINE));
	cr_assert_eq(kit_add(&always.ops), -EBUSY);
	cr_assert(kit_has(NAME, LINE) && kit_has("secret", SECRET));
}

/* Writes down what a power failure makes a difference to, and checks opens. */
struct kernel_noting {
	struct sys_ops ops;
	char order[64]; /* w: written, f: file synced, r: renamed, d: directory
			 */
	int opened;	/* without O_CLOEXEC */
	int written;
};

static long
kernel_note(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_noting *self = (struct kernel_noting *)(void *)sys;
	size_t n = strlen(self->order);
	struct stat st;

	cr_assert_lt(n, sizeof(self->order) - 1);
	if (nr == SYS_openat && !(arg[2] & O_CLOEXEC))
		self->opened++;
	if (nr == SYS_write || nr == SYS_renameat2)
		self->order[n] = nr == SYS_write ? 'w' : 'r';
	if (nr == SYS_fsync || nr == SYS_fdatasync) {
		cr_assert_eq(fstat((int)arg[0], &st), 0);
		self->order[n] = S_ISDIR(st.st_mode) ? 'd' : 'f';
	}
	return kernel_real(nr, arg);
}

/* One write, or a limit and a full disk have more to interrupt. */
CHECK(store_replace, on_disk_before_its_name_and_its_name_before_it_returns)
{
	struct kernel_noting kernel = {.ops = {.call = kernel_note}};

	kit_text(NAME, "# one\n# two\n# three");
	cr_assert_eq(kit_add(&kernel.ops), 0);
	cr_assert_str_eq(kernel.order, "wfrd");
	cr_assert_eq(kernel.opened, 0);
	cr_assert(kit_has(NAME, "# one\n# two\n# three\n" LINE));
}
