/* SPDX-License-Identifier: MIT */
/* Pool files and directories that are not what they should be. */
#include "core/pool/pool.h"

#include <sys/un.h>

#include "tests/kernel.h"
#include "tests/rig.h"

static void
expect_unusable(const char *why)
{
	struct pool pool = {.inode = 99};
	int r = rig_open_with(&sys_kernel, &pool);

	cr_assert_eq(r, -ENETDOWN, "%s: %d", why, r);
	cr_assert_eq(pool.inode, 99, "%s: *ret was touched", why);
	cr_assert_eq(rig_gate, 0);
}

static void
expect_stale(struct pool *pool, const char *why)
{
	struct pool_lock lock;
	int r = pool_enter(pool, POOL_WAIT, &lock);

	cr_assert_eq(r, -ESTALE, "%s: %d", why, r);
	cr_assert_eq(rig_gate, 0);
	pool_close(pool);
}

/* Writes bytes into a fresh pool file that nobody maps. */
static void
write_at(off_t at, const void *from, size_t n)
{
	struct pool pool = rig_pool();
	int fd = open(rig_file(), O_RDWR | O_CLOEXEC);

	pool_close(&pool);
	cr_assert_eq(pwrite(fd, from, n, at), (ssize_t)n);
	close(fd);
}

CHECK(pool_damage, foreign_headers_are_refused)
{
	static const struct {
		const char *what;
		off_t at;
		uint32_t value;
	} wrong[] = {
		{"magic", offsetof(struct pool_header, magic), 0x12345678},
		{"layout", offsetof(struct pool_header, layout),
		 POOL_LAYOUT + 1},
		{"layout", offsetof(struct pool_header, layout), 0},
		{"size", offsetof(struct pool_header, size),
		 sizeof(struct pool_file) - 1},
		{"slot", offsetof(struct pool_header, slot_size), 63},
		{"segment", offsetof(struct pool_header, segment_size), 8192}};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct pool pool = rig_pool();

		write_at(wrong[i].at, &wrong[i].value, 4);
		expect_stale(&pool, wrong[i].what);
		expect_unusable(wrong[i].what);
		unlink(rig_file());
	}
}

CHECK(pool_damage, changed_sizes_are_noticed_without_a_touch)
{
	static const off_t sizes[] = {0,
				      1,
				      4096,
				      sizeof(struct pool_file) - 1,
				      sizeof(struct pool_file) + 1,
				      sizeof(struct pool_file) * 2};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct pool pool = rig_pool();

		cr_assert_eq(truncate(rig_file(), sizes[i]), 0);
		expect_stale(&pool, "other size");
		if (sizes[i] != 0)
			expect_unusable("other size");
		unlink(rig_file());
	}
}

/* Its maker died before he filled it; whoever comes next does that. */
CHECK(pool_damage, an_empty_file_is_filled)
{
	int fd = open(rig_file(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	struct pool pool;
	struct pool_lock lock;

	close(fd);
	pool = rig_pool();
	lock = rig_enter(&pool);
	pool_leave(&pool, &lock);
	pool_close(&pool);
	/* Filled to its size, but without a header. */
	write_at(0, &(uint64_t){0}, 8);
	pool = rig_pool();
	cr_assert_eq(pool.file->header.magic, POOL_MAGIC);
	pool_close(&pool);
}

CHECK(pool_damage, things_that_are_no_files_are_refused)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char target[128];
	struct pool pool;
	int fd;

	cr_assert_eq(mkfifo(rig_file(), 0600), 0);
	expect_unusable("fifo");
	unlink(rig_file());

	cr_assert_eq(mkdir(rig_file(), 0700), 0);
	expect_unusable("directory");
	rmdir(rig_file());

	strcpy(name.sun_path, rig_file());
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	expect_unusable("socket");
	close(fd);
	unlink(rig_file());

	/* A link to a good pool is still a link. */
	pool = rig_pool();
	snprintf(target, sizeof(target), "%s/elsewhere", temp_dir());
	cr_assert_eq(rename(rig_file(), target), 0);
	cr_assert_eq(symlink(target, rig_file()), 0);
	expect_unusable("link");
	expect_stale(&pool, "link");
}

CHECK(pool_damage, strangers_could_write)
{
	struct pool pool = rig_pool();

	pool_close(&pool);
	cr_assert_eq(chmod(rig_file(), 0602), 0);
	expect_unusable("file for all");
	cr_assert_eq(chmod(rig_file(), 0600), 0);
	cr_assert_eq(chmod(temp_dir(), 0777), 0);
	expect_unusable("directory for all");
	/* As /tmp: a sticky directory lets everybody make the file first. */
	cr_assert_eq(chmod(temp_dir(), 01777), 0);
	expect_unusable("sticky");
	cr_assert_eq(chmod(temp_dir(), 0755), 0);
	pool = rig_pool();
	pool_close(&pool);
}

CHECK(pool_damage, owners_must_be_ours)
{
	struct pool pool = rig_pool();

	pool_close(&pool);
	if (geteuid() != 0)
		return; /* only root can give files away */
	cr_assert_eq(chown(rig_file(), 4711, 4712), 0);
	expect_unusable("foreign file");
	/* A group that shares the directory shares its files. */
	cr_assert_eq(chown(temp_dir(), 0, 4712), 0);
	expect_unusable("group may not write");
	cr_assert_eq(chmod(temp_dir(), 0770), 0);
	pool = rig_pool();
	pool_close(&pool);
	cr_assert_eq(chown(temp_dir(), 4711, 0), 0);
	expect_unusable("foreign directory");
}

CHECK(pool_damage, directories_that_are_none)
{
	char path[128], link[128];
	struct pool pool;

	snprintf(path, sizeof(path), "%s/plain", temp_dir());
	close(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	snprintf(link, sizeof(link), "%s/link", temp_dir());
	cr_assert_eq(symlink(temp_dir(), link), 0);
	for (int own = 0; own < 2; own++)
		cr_assert_eq(pool_open(&sys_kernel, path, own, NULL, 1,
				       &rig_forks, &pool),
			     own ? -EPERM : -ENETDOWN);
	/* The administrator may name a link; where we make it, we do not. */
	cr_assert_eq(
		pool_open(&sys_kernel, link, true, NULL, 1, &rig_forks, &pool),
		-EPERM);
	cr_assert_eq(
		pool_open(&sys_kernel, link, false, NULL, 1, &rig_forks, &pool),
		0);
	pool_close(&pool);
}

/* One that says where its files are. */
struct kernel_elsewhere {
	struct sys_ops ops;
	long type;
};

static long
stay_elsewhere(const struct sys_ops *sys, long nr, const long arg[6])
{
	const struct kernel_elsewhere *self = (const void *)sys;
	long r = kernel_real(nr, arg);

	if (nr == SYS_fstatfs && r == 0)
		((struct statfs *)arg[1])->f_type = self->type;
	return r;
}

CHECK(pool_damage, network_file_systems_are_refused)
{
	static const long remote[] = {0x6969, 0xff534d42, 0x01021997,
				      0x65735546};
	struct kernel_elsewhere kernel = {.ops.call = stay_elsewhere};
	struct pool pool;

	for (size_t i = 0; i < sizeof(remote) / sizeof(long); i++) {
		kernel.type = remote[i];
		cr_assert_eq(rig_open_with(&kernel.ops, &pool), -ENETDOWN,
			     "%lx", remote[i]);
	}
	kernel.type = 0xef53; /* ext4 */
	cr_assert_eq(rig_open_with(&kernel.ops, &pool), 0);
	pool_close(&pool);
}

CHECK(pool_damage, a_removed_or_replaced_file_is_stale)
{
	struct pool pool = rig_pool(), fresh;
	struct pool_lock lock;

	unlink(rig_file());
	expect_stale(&pool, "removed");

	pool = rig_pool();
	unlink(rig_file());
	fresh = rig_pool();
	expect_stale(&pool, "replaced");
	lock = rig_enter(&fresh);
	pool_leave(&fresh, &lock);
	pool_close(&fresh);
}
