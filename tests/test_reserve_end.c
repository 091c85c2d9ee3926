/* SPDX-License-Identifier: MIT */
/* How reservations end, other than by a release. */
#include "core/pool/acquire.h"

#include "core/pool/lease.h"
#include "tests/kernel.h"
#include "tests/rig.h"

CHECK(reserve_end, all_blocks_die_with_their_socket)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket(), other = tcp_socket();

	for (uint32_t i = 0; i < 4; i++)
		rig_reserve(&pool, fd, first + 2 * i, 2);
	rig_reserve(&pool, other, first + 8, 2);
	close(fd);
	/* One request over them all: those that are in its way are freed. */
	rig_reserve(&pool, other, first + 1, 6);
	cr_assert_eq(rig_live_slots(pool.file), 2);
	cr_assert_not(rig_reserved(&pool, first));
	cr_assert(rig_reserved(&pool, first + 9));
	close(other);
	cr_assert_not(rig_reserved(&pool, first + 9));
	cr_assert_eq(rig_live_slots(pool.file), 2);
	cr_assert_eq(rig_sweep(&pool), 2);
	cr_assert_eq(rig_sweep(&pool), 0);
	cr_assert(rig_marks_right(pool.file));
	pool_close(&pool);
}

CHECK(reserve_end, a_sockets_blocks_are_ended_together)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket(), other = tcp_socket();
	struct reservation a = rig_reserve(&pool, fd, first, 2);
	struct reservation b = rig_reserve(&pool, fd, first + 2, 2);
	struct pool_lock lock;

	rig_reserve(&pool, other, first + 4, 2);
	/* Somebody else has the pool meanwhile. */
	lock = rig_enter(&pool);
	reserve_end_socket(&pool, a.cookie);
	cr_assert_null(slot_by_token(pool.file, a.token));
	cr_assert_null(slot_by_token(pool.file, b.token));
	pool_leave(&pool, &lock);
	cr_assert_not(rig_reserved(&pool, first));
	cr_assert(rig_reserved(&pool, first + 4));
	lock = rig_enter(&pool);
	cr_assert_eq(reserve_sweep(&pool), 2);
	cr_assert_eq(rig_live_slots(pool.file), 1);
	cr_assert(rig_marks_right(pool.file));
	pool_leave(&pool, &lock);
	close(fd);
	close(other);
	pool_close(&pool);
}

CHECK(reserve_end, who_cannot_look_ends_nothing)
{
	const int errors[] = {-EMFILE, -ENFILE, -EACCES};
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket(), other = tcp_socket();
	struct reservation a = rig_reserve(&pool, fd, first, 2);
	struct acquire wanted = rig_wanted(other, first, 2);
	struct reservation got;

	slot_by_token(pool.file, a.token)->fd = 700; /* not there any more */
	/* A guard would need no look. */
	atomic_store(&slot_by_token(pool.file, a.token)->guard, 0);
	for (size_t i = 0; i < 3; i++) {
		struct kernel_refusing kernel =
			kernel_refusing(SYS_openat, errors[i], "/proc/");

		pool.sys = &kernel.ops;
		cr_assert_eq(reserve_lives(&pool, a.token), errors[i]);
		cr_assert_not_null(slot_by_token(pool.file, a.token));
		/* It may be a dead one's: then the caller hears why not. */
		cr_assert_eq(rig_acquire(&pool, &wanted, &got),
			     i < 2 ? errors[i] : -EADDRINUSE);
		cr_assert_eq(rig_sweep(&pool), 0);
	}
	pool.sys = &sys_kernel;
	cr_assert_eq(rig_live_slots(pool.file), 1);
	close(fd);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	close(other);
	pool_close(&pool);
}

/* A wall clock that has stopped. */
static long
kernel_still(const struct sys_ops *sys, long nr, const long arg[6])
{
	(void)sys;
	if (nr != SYS_clock_gettime)
		return kernel_real(nr, arg);
	*(struct timespec *)arg[1] = (struct timespec){.tv_sec = 1800000000};
	return 0;
}

/*
 * Containers that start together make their pools in the same moment. The
 * kernel's list of locks is one for all of them.
 */
CHECK(reserve_end, pools_of_the_same_moment_do_not_mix_their_leases)
{
	const struct sys_ops still = {.call = kernel_still};
	uint32_t first = own_ports();
	int mine = tcp_socket(), theirs = tcp_socket();
	struct pool pool[2];

	for (uint64_t i = 0; i < 2; i++)
		cr_assert_eq(pool_open(&still, temp_dir(), false, NULL, 70 + i,
				       &rig_forks, &pool[i]),
			     0);
	rig_reserve(&pool[0], mine, first, 3);
	rig_reserve(&pool[1], theirs, first + 3, 3);
	close(mine);
	cr_assert_not(rig_reserved(&pool[0], first));
	close(theirs);
	pool_close(&pool[0]);
	pool_close(&pool[1]);
}

/*
 * slot_mark_dead() needs no lock: another thread may close the last descriptor
 * after we found it.
 */
CHECK(reserve_end, release_survives_an_end_in_between)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket(), holder;
	struct reservation got = rig_reserve(&pool, fd, first, 2), found;
	struct pool_lock lock = rig_enter(&pool);

	cr_assert_eq(
		reserve_find(&pool, PROTOCOL_TCP, got.token, &found, &holder),
		0);
	slot_mark_dead(pool.file, got.token, got.cookie);
	reserve_release(&pool, &found, holder);
	pool_leave(&pool, &lock);
	rig_reserve(&pool, fd, first, 2);
	close(fd);
	pool_close(&pool);
}
