/* SPDX-License-Identifier: MIT */
/* Acquire, find, release: whose a block is, and what refuses one. */
#include "core/pool/acquire.h"

#include <fcntl.h>

#include "core/kernel/sock.h"
#include "core/pool/lease.h"
#include "tests/kernel.h"
#include "tests/peer.h"
#include "tests/rig.h"

CHECK(reserve, a_block_is_what_was_asked_for)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket();
	struct reservation got = rig_reserve(&pool, fd, first, 5);
	const struct slot *slot = slot_by_token(pool.file, got.token);
	uint64_t cookie;

	cr_assert_eq(sock_cookie(&sys_kernel, fd, &cookie), 0);
	cr_assert(got.protocol == PROTOCOL_TCP && got.range.start == first &&
		  got.range.count == 5 && got.cookie == cookie);
	cr_assert(slot->pid == (uint32_t)getpid() && slot->fd == fd);
	cr_assert(slot->kind == KIND_RUNTIME && slot->since > 1600000000);
	cr_assert_gt(strnlen(slot->command, 16), 0);
	cr_assert(rig_alive(slot));
	cr_assert(lease_is_where_it_was(&sys_kernel, slot));
	cr_assert(rig_marks_right(pool.file));
	close(fd);
	cr_assert_not(rig_alive(slot));
	cr_assert_not(lease_is_where_it_was(&sys_kernel, slot));
	pool_close(&pool);
}

CHECK(reserve, blocks_do_not_overlap)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket(), other = socket_of(PROTOCOL_UDP, AF_INET);
	const struct range wrong[] = {{first + 10, 5}, {first + 10, 1},
				      {first + 14, 1}, {first + 5, 6},
				      {first + 14, 9}, {first + 5, 20}};
	struct reservation got = {.token = 99};
	struct acquire wanted;

	rig_reserve(&pool, fd, first + 10, 5);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		wanted = rig_wanted(fd, wrong[i].start, wrong[i].count);
		cr_assert_eq(rig_acquire(&pool, &wanted, &got), -EADDRINUSE);
		cr_assert_eq(got.token, 99);
	}
	cr_assert_eq(rig_live_slots(pool.file), 1);
	cr_assert(rig_marks_right(pool.file));
	rig_reserve(&pool, fd, first + 5, 5);
	rig_reserve(&pool, fd, first + 15, 5);
	/* UDP's ports are others. */
	wanted = rig_wanted(other, first + 5, 15);
	wanted.protocol = PROTOCOL_UDP;
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(rig_live_slots(pool.file), 4);
	close(fd);
	close(other);
	pool_close(&pool);
}

CHECK(reserve, a_bound_port_refuses_its_block)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket(), user = tcp_socket(), holder;
	struct acquire wanted = rig_wanted(fd, first, 8);
	struct reservation got;

	cr_assert_eq(bind_to(user, AF_INET, "127.0.0.1", first + 7), 0);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), -EADDRINUSE);
	cr_assert_eq(rig_live_slots(pool.file), 0);
	cr_assert(rig_marks_right(pool.file));
	/* Nor is a lease left: the token that it would have had is dead. */
	for (uint32_t i = 0; i < SLOT_COUNT; i++)
		cr_assert(pool.file->slot[i].token == 0 ||
			  !rig_alive(&pool.file->slot[i]));
	close(user);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(rig_find(&pool, PROTOCOL_TCP, got.token, &holder), 0);
	cr_assert_eq(holder, fd);
	close(fd);
	pool_close(&pool);
}

CHECK(reserve, impossible_ranges_and_sockets_are_refused)
{
	const struct range wrong[] = {
		{0, 0},	    {5000, 0},	{65535, 2},	    {65536, 1},
		{1, 65536}, {0, 65536}, {5000, UINT32_MAX}, {UINT32_MAX, 2}};
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket(), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct reservation got = {.token = 99};
	struct acquire wanted;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		wanted = rig_wanted(fd, wrong[i].start, wrong[i].count);
		cr_assert_eq(rig_acquire(&pool, &wanted, &got), -EINVAL);
	}
	wanted = rig_wanted(null, first, 1);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), -ENOTSOCK);
	wanted = rig_wanted(-1, first, 1);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), -EBADF);
	cr_assert_eq(got.token, 99);
	cr_assert_eq(rig_live_slots(pool.file), 0);
	close(null);
	close(fd);
	pool_close(&pool);
}

CHECK(reserve, release_frees_at_once_and_only_once)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket();
	struct reservation a = rig_reserve(&pool, fd, first, 5);
	struct reservation b = rig_reserve(&pool, fd, first + 5, 5);
	struct slot *freed = slot_by_token(pool.file, a.token);
	struct reservation again;

	cr_assert_eq(rig_release(&pool, &a), 0);
	cr_assert_eq(rig_release(&pool, &a), -EINVAL);
	cr_assert_eq(freed->token, a.token);
	cr_assert_not(rig_alive(freed));
	cr_assert(rig_marks_right(pool.file));
	again = rig_reserve(&pool, fd, first, 5);
	cr_assert_neq(again.token, a.token);
	cr_assert_eq(rig_release(&pool, &a), -EINVAL);
	cr_assert_eq(rig_release(&pool, &b), 0);
	cr_assert_eq(rig_release(&pool, &again), 0);
	cr_assert_eq(rig_live_slots(pool.file), 0);
	close(fd);
	pool_close(&pool);
}

CHECK(reserve, only_who_holds_the_socket_finds_it)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket(), high, holder;
	struct reservation got = rig_reserve(&pool, fd, first, 5);
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		struct reservation found;
		struct pool_lock lock;

		child_assert(pool_enter(&pool, POOL_WAIT, &lock) == 0);
		child_assert(reserve_find(&pool, PROTOCOL_TCP, got.token,
					  &found, &holder) == 0);
		close(fd);
		child_assert(reserve_find(&pool, PROTOCOL_TCP, got.token,
					  &found, &holder) == -EACCES);
		child_assert(reserve_find(&pool, PROTOCOL_UDP, got.token,
					  &found, &holder) == -EINVAL);
		pool_leave(&pool, &lock);
		/* Its parent has it. */
		child_assert(reserve_lives(&pool, got.token) == 1);
		_exit(0);
	}
	peer_verdict(peer_end(&peer));
	cr_assert_eq(rig_find(&pool, PROTOCOL_UDP, got.token, &holder),
		     -EINVAL);
	cr_assert_eq(rig_find(&pool, PROTOCOL_TCP, 0, &holder), -EINVAL);
	cr_assert_eq(rig_find(&pool, PROTOCOL_TCP, got.token + 1, &holder),
		     -EINVAL);
	cr_assert_eq(rig_find(&pool, PROTOCOL_TCP, UINT64_MAX, &holder),
		     -EINVAL);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 200);
	close(fd);
	cr_assert_eq(rig_find(&pool, PROTOCOL_TCP, got.token, &holder), 0);
	cr_assert_eq(holder, high);
	close(high);
	cr_assert_eq(rig_find(&pool, PROTOCOL_TCP, got.token, &holder),
		     -EACCES);
	cr_assert_eq(reserve_lives(&pool, got.token), 0);
	cr_assert_eq(rig_find(&pool, PROTOCOL_TCP, got.token, &holder),
		     -EINVAL);
	pool_close(&pool);
}

/* No socket owns it, anybody may associate with it, no sweep ends it. */
CHECK(reserve, persistent_blocks_have_no_holder)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket(), user = tcp_socket(), holder;
	struct acquire wanted = rig_wanted(-1, first, 3);
	struct reservation got;

	wanted.kind = KIND_PERSISTENT;
	cr_assert_eq(bind_to(user, AF_INET, "127.0.0.1", first + 1), 0);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), -EADDRINUSE);
	cr_assert(rig_marks_right(pool.file));
	/* One of the store comes back though somebody was faster. */
	wanted.though_in_use = true;
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(got.kind, KIND_PERSISTENT);
	cr_assert_eq(rig_find(&pool, PROTOCOL_TCP, got.token, &holder), 0);
	cr_assert_eq(holder, -1);
	cr_assert_eq(rig_sweep(&pool), 0);
	cr_assert(rig_reserved(&pool, first));
	reserve_end_socket(&pool, 0);
	cr_assert(rig_reserved(&pool, first));
	/* Not even one that comes back may overlap. */
	wanted.range.start = first + 2;
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), -EADDRINUSE);
	rig_reserve(&pool, fd, first + 3, 2);
	close(user);
	close(fd);
	pool_close(&pool);
}

/*
 * The socket is ours, at another number: with no descriptor left to look for it
 * nobody can say that it is not.
 */
CHECK(reserve, whose_it_is_takes_a_descriptor)
{
	const int errors[] = {-EMFILE, -ENFILE};
	struct pool pool = rig_pool();
	int fd = tcp_socket(), high, holder = 77;
	struct reservation got = rig_reserve(&pool, fd, own_ports(), 2), found;

	high = fcntl(fd, F_DUPFD_CLOEXEC, 700);
	close(fd);
	for (int i = 0; i < 2; i++) {
		struct kernel_refusing kernel =
			kernel_refusing(SYS_openat, errors[i], "/proc/");
		struct pool_lock lock = rig_enter(&pool);

		pool.sys = &kernel.ops;
		cr_assert_eq(reserve_find(&pool, PROTOCOL_TCP, got.token,
					  &found, &holder),
			     errors[i]);
		pool.sys = &sys_kernel;
		pool_leave(&pool, &lock);
	}
	cr_assert_eq(holder, 77);
	cr_assert_eq(rig_find(&pool, PROTOCOL_TCP, got.token, &holder), 0);
	cr_assert_eq(holder, high);
	close(high);
	pool_close(&pool);
}
