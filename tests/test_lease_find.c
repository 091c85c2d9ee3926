/* SPDX-License-Identifier: MIT */
/* Finding a lease: where the slot says, elsewhere, and where we may not look.
 */
#include "core/pool/lease.h"

#include <sys/resource.h>

#include "core/kernel/sock.h"
#include "core/pool/acquire.h"
#include "tests/books.h"
#include "tests/kernel.h"
#include "tests/peer.h"
#include "tests/rig.h"

static struct slot *
owned_slot(struct pool_file *file, int fd)
{
	struct slot *slot = books_add(file, PROTOCOL_TCP, 5000, 1);

	slot->fd = fd;
	slot->pid = (uint32_t)getpid();
	cr_assert_eq(sock_cookie(&sys_kernel, fd, &slot->cookie), 0);
	cr_assert_eq(lease_hold(&sys_kernel, fd, slot), 0);
	return slot;
}

static struct pool_file *
books_of_now(void)
{
	struct pool_file *file = books_new();

	file->header.sequence = books_sequence();
	return file;
}

CHECK(lease_find, holder_is_where_it_was_or_anywhere_in_this_process)
{
	struct pool_file *file = books_of_now();
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);
	int high, other;

	cr_assert_eq(lease_holder(&sys_kernel, slot), fd);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 700);
	close(fd);
	cr_assert_eq(lease_holder(&sys_kernel, slot), high);
	/* Another socket has its number now. */
	other = tcp_socket();
	cr_assert_eq(other, fd);
	cr_assert_eq(lease_holder(&sys_kernel, slot), high);
	slot->fd = -1;
	cr_assert_eq(lease_holder(&sys_kernel, slot), high);
	slot->fd = INT32_MAX;
	cr_assert_eq(lease_holder(&sys_kernel, slot), high);
	close(high);
	cr_assert_eq(lease_holder(&sys_kernel, slot), -ENOENT);
	close(other);
	free(file);
}

/* More descriptors than one getdents() tells. */
CHECK(lease_find, holder_is_found_among_many)
{
	enum { N = 600 };
	struct pool_file *file = books_of_now();
	struct rlimit room = {N + 100, N + 100};
	int fd = tcp_socket(), copies[N];
	struct slot *slot = owned_slot(file, fd);

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &room), 0);
	for (int i = 0; i < N; i++)
		copies[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(copies[N - 1], 0);
	cr_assert_eq(dup3(fd, copies[N - 1], O_CLOEXEC), copies[N - 1]);
	close(fd);
	cr_assert_eq(lease_holder(&sys_kernel, slot), copies[N - 1]);
	for (int i = 0; i < N; i++)
		close(copies[i]);
	cr_assert_eq(lease_holder(&sys_kernel, slot), -ENOENT);
	free(file);
}

CHECK(lease_find, a_process_without_the_socket_is_no_holder)
{
	struct pool_file *file = books_of_now();
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		child_assert(lease_holder(&sys_kernel, slot) == fd);
		close(fd);
		child_assert(lease_holder(&sys_kernel, slot) == -ENOENT);
		child_assert(rig_alive(slot));
		_exit(0);
	}
	peer_verdict(peer_end(&peer));
	close(fd);
	free(file);
}

CHECK(lease_find, one_judgement_tells_the_living_from_the_dead)
{
	enum { N = 200 };
	struct pool_file *file = books_of_now();
	struct slot *slot[N];
	int fd = tcp_socket(), dead = tcp_socket();

	for (int i = 0; i < N; i++)
		slot[i] = owned_slot(file, i % 3 ? fd : dead);
	close(dead);
	cr_assert_eq(lease_judge(&sys_kernel, NULL, file), (N + 2) / 3);
	for (int i = 0; i < N; i++)
		cr_assert_eq(slot_is_dead(slot[i]), i % 3 == 0, "slot %d", i);
	/* Nobody is judged twice. */
	cr_assert_eq(lease_judge(&sys_kernel, NULL, file), 0);
	close(fd);
	free(file);
}

/* A lock of an earlier token of the slot says nothing about the present one. */
CHECK(lease_find, locks_of_the_past_save_nobody)
{
	struct pool_file *file = books_of_now();
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);

	atomic_fetch_add(&slot->token, (uint64_t)5 << TOKEN_SHIFT);
	slot->fd = -1;
	cr_assert_eq(lease_judge(&sys_kernel, NULL, file), 1);
	close(fd);
	free(file);
}

/*
 * Anybody may lock any byte of a file of his own. Only an owning socket's lock
 * is a lease: the inode counts, and the device that it is on.
 */
CHECK(lease_find, the_same_lock_on_another_file_saves_nobody)
{
	struct pool_file *file = books_of_now();
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);

	slot->inode++;
	cr_assert_eq(rig_lease(&sys_kernel, slot), 0);
	slot->inode--;
	slot->device++;
	cr_assert_eq(rig_lease(&sys_kernel, slot), 0);
	slot->device--;
	cr_assert_eq(rig_lease(&sys_kernel, slot), 1);
	close(fd);
	free(file);
}

/* A kernel in which something happens while the list of locks is opened. */
struct kernel_meanwhile {
	struct sys_ops ops;
	void (*happens)(void);
	int opened;
};

static long
call_meanwhile(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_meanwhile *self = (struct kernel_meanwhile *)(void *)sys;

	if (nr == SYS_openat && self->opened++ == 0)
		self->happens();
	return kernel_real(nr, arg);
}

static struct pool_file *meanwhile_file;
static struct slot *meanwhile_slot;

/* The slot is freed and has another owner, whose lease is not yet to be seen.
 */
static void
reuse_slot(void)
{
	struct pool_file *file = meanwhile_file;

	slot_free(file, meanwhile_slot);
	file->header.slot_hint = books_number(file, meanwhile_slot);
	cr_assert_eq(books_add(file, PROTOCOL_TCP, 5000, 1), meanwhile_slot);
}

/* And one is new altogether. */
static void
add_slot(void)
{
	meanwhile_slot = books_add(meanwhile_file, PROTOCOL_TCP, 6000, 1);
}

CHECK(lease_find, who_comes_during_a_judgement_is_not_judged)
{
	struct kernel_meanwhile kernel = {.ops.call = call_meanwhile};
	struct pool_file *file = meanwhile_file = books_of_now();
	int fd = tcp_socket();
	struct slot *dead = owned_slot(file, fd);

	meanwhile_slot = dead;
	close(fd);
	kernel.happens = reuse_slot;
	cr_assert_eq(lease_judge(&kernel.ops, NULL, file), 0);
	cr_assert_not(slot_is_dead(dead));
	cr_assert_gt(kernel.opened, 0);
	kernel.opened = 0;
	kernel.happens = add_slot;
	cr_assert_eq(lease_judge(&kernel.ops, NULL, file), 1);
	cr_assert(slot_is_dead(dead));
	cr_assert_not(slot_is_dead(meanwhile_slot));
	free(file);
}

/* But whoever has no descriptor left to look with is told that. */
CHECK(lease_find, what_cannot_be_read_counts_as_alive)
{
	struct pool_file *file = books_of_now();
	const int errors[] = {-EACCES, -ENOENT, -EPERM, -EMFILE, -ENFILE};
	int fd = tcp_socket();
	struct slot *slot = owned_slot(file, fd);

	close(fd);
	for (size_t i = 0; i < 5; i++) {
		struct kernel_refusing all =
			kernel_refusing(SYS_openat, errors[i], "/proc/");
		struct kernel_refusing read =
			kernel_refusing(SYS_pread64, -EIO, NULL);

		cr_assert_eq(lease_judge(&all.ops, NULL, file), errors[i]);
		cr_assert_eq(lease_judge(&read.ops, NULL, file), -EIO);
		cr_assert_not(slot_is_dead(slot));
		cr_assert_eq(lease_holder(&all.ops, slot),
			     i < 3 ? -ENOENT : errors[i]);
	}
	cr_assert_eq(lease_judge(&sys_kernel, NULL, file), 1);
	free(file);
}

/* One call, however many leases the socket has; the list is the long way. */
CHECK(lease_find, where_it_was_is_the_short_way)
{
	struct pool_file *file = books_of_now();
	int fd = tcp_socket(), other;
	struct slot *slot = owned_slot(file, fd);
	struct kernel_refusing kernel =
		kernel_refusing(SYS_readlinkat, -EACCES, NULL);
	struct kernel_refusing opens = kernel_refusing(SYS_openat, -EIO, NULL);

	for (int i = 0; i < 300; i++)
		owned_slot(file, fd);
	cr_assert(lease_is_where_it_was(&opens.ops, slot));
	cr_assert_eq(opens.asked, 0);
	cr_assert_not(lease_is_where_it_was(&kernel.ops, slot));
	cr_assert_eq(kernel.asked, 1);
	slot->pid = UINT32_MAX;
	cr_assert_not(lease_is_where_it_was(&sys_kernel, slot));
	slot->pid = (uint32_t)getpid();
	slot->fd = -1;
	cr_assert_not(lease_is_where_it_was(&sys_kernel, slot));
	slot->fd = fd;
	close(fd);
	cr_assert_not(lease_is_where_it_was(&sys_kernel, slot));
	/* Another socket at its number is another one. */
	other = tcp_socket();
	cr_assert_eq(other, fd);
	cr_assert_not(lease_is_where_it_was(&sys_kernel, slot));
	close(other);
	free(file);
}

/* The list need not be asked about the living: it may be long. */
CHECK(lease_find, no_list_is_read_while_all_are_where_they_were)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_openat, -EACCES, "/proc/locks");
	struct pool_file *file = books_of_now();
	int fd = tcp_socket(), copy;
	struct slot *slot = owned_slot(file, fd);

	owned_slot(file, fd);
	cr_assert_eq(lease_judge(&kernel.ops, NULL, file), 0);
	cr_assert_eq(kernel.asked, 0);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 300);
	close(fd);
	cr_assert_eq(lease_judge(&kernel.ops, NULL, file), -EACCES);
	cr_assert_eq(lease_judge(&sys_kernel, NULL, file), 0);
	cr_assert_not(slot_is_dead(slot));
	close(copy);
	cr_assert_eq(lease_judge(&sys_kernel, NULL, file), 2);
	free(file);
}

/* One to hear of all that are dead, and a second where a newcomer died. */
CHECK(lease_find, a_request_takes_no_reading_in_vain)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	struct kernel_refusing kernel =
		kernel_refusing(SYS_openat, -EACCES, "/proc/locks");
	int fd = tcp_socket(), other = tcp_socket();
	struct acquire wanted = rig_wanted(other, first, 20);
	struct reservation got;

	for (uint32_t i = 0; i < 20; i++)
		rig_reserve(&pool, fd, first + i, 1);
	/* None while the owner lives. */
	pool.sys = &kernel.ops;
	cr_assert_eq(rig_acquire_once(&pool, &wanted, &got), -EADDRINUSE);
	/* None that meets no dead one. */
	wanted.range.start = first + 20;
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(kernel.asked, 0);
	pool.sys = &sys_kernel;
	close(fd);
	wanted.range.start = first;
	cr_assert_eq(rig_acquire_once(&pool, &wanted, &got), -EAGAIN);
	cr_assert_eq(reserve_judge_for(&pool, &wanted), 0);
	cr_assert_eq(rig_acquire_once(&pool, &wanted, &got), 0);
	cr_assert_eq(wanted.judged.readings, 1);
	/* All live if nobody can tell: no third time. */
	pool.sys = &kernel.ops;
	slot_by_token(pool.file, got.token)->fd = -1;
	wanted.judged = (struct judgement){0};
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), -EADDRINUSE);
	/* A guard can tell. */
	cr_assert_eq(kernel.asked, rig_guarded() ? 0 : 1);
	close(other);
	pool_close(&pool);
}

/* Another takes the port and dies, each time that the list has been read. */
CHECK(lease_find, a_request_takes_two_readings_at_most)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int other = tcp_socket();
	struct acquire wanted = rig_wanted(other, first, 1);
	struct reservation got;

	for (int readings = 0; readings < 3; readings++) {
		int newcomer = tcp_socket();

		rig_reserve(&pool, newcomer, first, 1);
		close(newcomer);
		cr_assert_eq(rig_acquire_once(&pool, &wanted, &got), -EAGAIN);
		cr_assert_eq(reserve_judge_for(&pool, &wanted), 0);
	}
	cr_assert_eq(rig_acquire_once(&pool, &wanted, &got), -EADDRINUSE);
	close(other);
	pool_close(&pool);
}

CHECK(lease_find, who_met_one_dead_frees_them_all)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int owner = tcp_socket(), other = tcp_socket();
	struct acquire wanted = rig_wanted(other, first, 1);
	struct reservation got;

	for (uint32_t i = 0; i < 20; i++)
		rig_reserve(&pool, owner, first + i, 1);
	close(owner);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(rig_live_slots(pool.file), 1);
	close(other);
	pool_close(&pool);
}
