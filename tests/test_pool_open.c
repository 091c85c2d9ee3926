/* SPDX-License-Identifier: MIT */
/* A pool is made whole before it is there, and opened without waiting. */
#include "core/pool/announce.h"
#include "core/pool/pool.h"

#include <sys/file.h>

#include "tests/kernel.h"
#include "tests/peer.h"
#include "tests/rig.h"

/* Counts one system call, and kills the process in front of the n-th of all. */
struct kernel_counting {
	struct sys_ops ops;
	long nr;
	int seen, calls, fatal;
};

static long
count_call(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_counting *self = (struct kernel_counting *)(void *)sys;

	self->seen += nr == self->nr;
	if (++self->calls == self->fatal)
		raise(SIGKILL);
	return kernel_real(nr, arg);
}

static struct kernel_counting
counting(long nr)
{
	return (struct kernel_counting){{.call = count_call}, nr, 0, 0, 0};
}

CHECK(pool_open, takes_no_lock)
{
	struct kernel_counting kernel = counting(SYS_flock);
	struct pool first, second;
	int stranger;

	cr_assert_eq(rig_open_with(&kernel.ops, &first), 0);
	stranger = open(rig_file(), O_RDWR | O_CLOEXEC);
	cr_assert_eq(flock(stranger, LOCK_EX), 0);
	cr_assert_eq(rig_open_with(&kernel.ops, &second), 0);
	cr_assert_eq(kernel.seen, 0);
	close(stranger);
	pool_close(&first);
	pool_close(&second);
}

static int
files_there(void)
{
	DIR *dir = opendir(temp_dir());
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

/* The maker is killed in front of its n-th call; false when it made all. */
static bool
kill_maker_at(int n)
{
	struct peer peer = peer_fork();
	bool killed;
	int status;

	if (peer.pid == 0) {
		struct kernel_counting kernel = counting(-1);
		struct pool pool;

		kernel.fatal = n;
		rig_open_with(&kernel.ops, &pool);
		_exit(0);
	}
	cr_assert_eq(waitpid(peer.pid, &status, 0), peer.pid);
	killed = WIFSIGNALED(status);
	cr_assert(killed || WEXITSTATUS(status) == 0);
	close(peer.in);
	close(peer.out);
	return killed;
}

CHECK(pool_open, a_killed_maker_leaves_all_or_nothing)
{
	int n = 1;

	temp_dir();
	for (bool killed = true; killed; n++) {
		int there;

		killed = kill_maker_at(n);
		there = files_there();
		cr_assert(there == 0 || there == 1, "call %d: %d", n, there);
		if (there) {
			struct kernel_counting kernel = counting(SYS_linkat);
			struct pool pool;

			/* The pool there is complete: nobody makes another. */
			cr_assert_eq(rig_open_with(&kernel.ops, &pool), 0);
			cr_assert_eq(kernel.seen, 0, "call %d", n);
			pool_close(&pool);
			unlink(rig_file());
		}
	}
	cr_assert_gt(n, 15);
}

/* Overlays and the like know no files without a name. */
CHECK(pool_open, makes_a_file_with_a_name_where_it_must)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_openat, -EOPNOTSUPP, ".");
	struct pool pool;

	cr_assert_eq(rig_open_with(&kernel.ops, &pool), 0);
	cr_assert_gt(kernel.asked, 0);
	cr_assert_eq(files_there(), 1);
	pool_close(&pool);
}

/* It may have people in it who should not write the directory's files. */
CHECK(pool_open, the_makers_own_group_has_no_part)
{
	struct kernel_refusing kernel = kernel_refusing(SYS_fchown, -EPERM, 0);
	struct pool pool;
	struct stat st;

	if (geteuid() != 0)
		return; /* only root can give the directory away */
	cr_assert_eq(chown(temp_dir(), 0, 4712), 0);
	cr_assert_eq(chmod(temp_dir(), 0770), 0);
	pool = rig_pool();
	pool_close(&pool);
	cr_assert_eq(stat(rig_file(), &st), 0);
	cr_assert(st.st_gid == 4712 && (st.st_mode & 07777) == 0660);
	unlink(rig_file());
	cr_assert_eq(rig_open_with(&kernel.ops, &pool), 0);
	pool_close(&pool);
	cr_assert_eq(stat(rig_file(), &st), 0);
	cr_assert(st.st_gid == getegid() && (st.st_mode & 07777) == 0600);
}

/* Two find it at once; the slower one must not take the new file away. */
CHECK(pool_open, an_emptied_file_is_replaced_once)
{
	enum { N = 8 };
	struct peer peer[N];
	uint64_t inode[N];

	for (int turn = 0; turn < 20; turn++) {
		temp_dir();
		close(open(rig_file(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
		for (int i = 0; i < N; i++) {
			peer[i] = peer_fork();
			if (peer[i].pid == 0) {
				struct pool pool;

				child_assert(peer_hear(&peer[i]));
				child_assert(
					rig_open_with(&sys_kernel, &pool) == 0);
				child_assert(write(peer[i].out, &pool.inode,
						   sizeof(pool.inode)) ==
					     sizeof(pool.inode));
				_exit(0);
			}
		}
		for (int i = 0; i < N; i++)
			peer_tell(&peer[i]);
		for (int i = 0; i < N; i++) {
			cr_assert_eq(
				read(peer[i].in, &inode[i], sizeof(inode[i])),
				sizeof(inode[i]));
			cr_assert_eq(inode[i], inode[0]);
			peer_verdict(peer_end(&peer[i]));
		}
		unlink(rig_file());
	}
}

/* The last boot left something in the middle of everything, and a block that
 * lives. */
static struct slot *
age(struct pool *pool, int fd, uint32_t first)
{
	struct reservation got = rig_reserve(pool, fd, first, 3);
	struct pool_file *file = pool->file;

	file->header.in_memory = 0;
	file->header.boot[0] ^= 1;
	atomic_store(&segment_of(file, 700)->word[3].owner, 4711);
	atomic_store(&file->header.dirty, 1);
	atomic_store(mark_of(file, PROTOCOL_UDP, 5000), 17);
	return slot_by_token(file, got.token);
}

CHECK(pool_open, another_boot_clears_what_was_under_way)
{
	struct pool pool = rig_pool(), again;
	int fd = tcp_socket();
	struct slot *slot = age(&pool, fd, own_ports());
	uint64_t boot[2];

	cr_assert_eq(sys_boot_id(&sys_kernel, boot), 0);
	again = rig_pool();
	cr_assert_eq(segment_of(pool.file, 700)->word[3].owner, 0);
	cr_assert_eq(pool.file->header.dirty, 0);
	cr_assert_eq(books_mark(pool.file, PROTOCOL_UDP, 5000), 0);
	cr_assert(slot_live(slot));
	cr_assert(rig_marks_right(pool.file));
	cr_assert_eq(memcmp(pool.file->header.boot, boot, sizeof(boot)), 0);
	pool_close(&again);

	/* In this boot the same things may be somebody's at work. */
	atomic_store(&segment_of(pool.file, 700)->word[3].owner, 4711);
	again = rig_pool();
	cr_assert_eq(segment_of(pool.file, 700)->word[3].owner, 4711);
	pool_close(&again);
	pool_close(&pool);
	close(fd);
}

/* Opening takes no lock but for that. */
CHECK(pool_open, another_boot_waits_a_tenth_of_a_second_for_the_lock)
{
	struct kernel_timeless kernel = kernel_timeless(0);
	struct pool pool = rig_pool(), again;
	int fd = tcp_socket(), holder;
	uint64_t began = kernel.now;

	age(&pool, fd, own_ports());
	holder = open(rig_file(), O_RDWR | O_CLOEXEC);
	cr_assert_eq(flock(holder, LOCK_EX), 0);
	cr_assert_eq(rig_open_with(&kernel.ops, &again), 0);
	cr_assert_geq(kernel.now - began, 100000000u);
	cr_assert_leq(kernel.now - began, 110000000u);
	cr_assert_eq(pool.file->header.dirty, 1);
	pool_close(&again);
	/* The next one repairs it. */
	close(holder);
	again = rig_pool();
	cr_assert_eq(pool.file->header.dirty, 0);
	pool_close(&again);
	pool_close(&pool);
	close(fd);
}

CHECK(pool_open, an_unreadable_boot_id_is_the_same_boot)
{
	struct kernel_refusing kernel = kernel_refusing(
		SYS_openat, -EACCES, "/proc/sys/kernel/random/boot_id");
	struct pool pool = rig_pool(), again;
	int fd = tcp_socket();

	age(&pool, fd, own_ports());
	cr_assert_eq(rig_open_with(&kernel.ops, &again), 0);
	cr_assert_eq(kernel.asked, 1);
	cr_assert_eq(segment_of(pool.file, 700)->word[3].owner, 4711);
	cr_assert_eq(pool.file->header.dirty, 1);
	pool_close(&again);
	pool_close(&pool);
	close(fd);
}

/* A pool that no reboot leaves is not asked about: two calls fewer. */
CHECK(pool_open, in_memory_no_boot_is_asked_for)
{
	struct kernel_refusing kernel = kernel_refusing(
		SYS_openat, -EACCES, "/proc/sys/kernel/random/boot_id");
	struct pool pool = rig_pool(), again;

	pool.file->header.in_memory = 1;
	cr_assert_eq(rig_open_with(&kernel.ops, &again), 0);
	cr_assert_eq(kernel.asked, 0);
	pool_close(&again);
	pool_close(&pool);
}
