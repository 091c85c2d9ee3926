/* SPDX-License-Identifier: MIT */
/* "Any block of n ports": where it is found, and what is full. */
#include "core/pool/acquire.h"

#include "core/kernel/sock.h"
#include "core/pool/lease.h"
#include "tests/kernel.h"
#include "tests/rig.h"
#include "tests/socket_list.h"

static int
any(struct pool *pool, int fd, uint32_t count, const struct range_list *windows,
    uint32_t *ret_start)
{
	struct acquire wanted = rig_wanted(fd, 0, count);
	struct reservation got;
	int r;

	wanted.wildcard = windows;
	r = rig_acquire(pool, &wanted, &got);
	if (r < 0)
		return r;
	cr_assert_eq(got.range.count, count);
	*ret_start = got.range.start;
	return 0;
}

CHECK(reserve_wildcard, windows_are_used_in_their_order)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports(), start;
	const struct range_list windows = {
		3, {{first + 20, 7}, {first, 4}, {first + 30, 5}}};
	const uint32_t expected[] = {20, 23, 0, 30};
	int fd = tcp_socket();

	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(any(&pool, fd, 3, &windows, &start), 0);
		cr_assert_eq(start, first + expected[i], "the %zuth: %u", i,
			     start - first);
	}
	cr_assert_eq(any(&pool, fd, 3, &windows, &start), -ENOBUFS);
	cr_assert_eq(any(&pool, fd, 2, &windows, &start), 0);
	cr_assert_eq(start, first + 33);
	cr_assert_eq(any(&pool, fd, 1, &windows, &start), 0);
	cr_assert_eq(any(&pool, fd, 1, &windows, &start), 0);
	cr_assert_eq(any(&pool, fd, 1, &windows, &start), -ENOBUFS);
	cr_assert(rig_marks_right(pool.file));
	close(fd);
	pool_close(&pool);
}

/* A block just given back may have connections in TIME_WAIT. */
CHECK(reserve_wildcard, the_search_goes_on_where_it_ended)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports(), start;
	const struct range_list windows = {1, {{first, 10}}};
	int fd;

	for (uint32_t round = 0; round < 13; round++) {
		fd = tcp_socket();
		cr_assert_eq(any(&pool, fd, 2, &windows, &start), 0);
		cr_assert_eq(start, first + round * 2 % 10);
		close(fd);
		if (round % 5 == 4) /* who is dead frees what he holds */
			cr_assert_eq(rig_live_slots(pool.file), 5);
	}
	/* The cursor of a damaged file points anywhere. */
	for (uint32_t wild = 0; wild < 4; wild++) {
		const uint32_t cursor[] = {0, first + 9, 65536, UINT32_MAX};

		fd = tcp_socket();
		pool.file->header.cursor[PROTOCOL_TCP] = cursor[wild];
		cr_assert_eq(any(&pool, fd, 2, &windows, &start), 0);
		cr_assert(start >= first && start <= first + 8);
		close(fd);
	}
	pool_close(&pool);
}

/* A closed owner leaves its marks; the list of locks need not be asked. */
CHECK(reserve_wildcard, what_was_closed_is_used_again)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_openat, -EACCES, "/proc/");
	struct pool pool = rig_pool();
	uint32_t first = own_ports(), start;
	const struct range_list windows = {2, {{first, 10}, {first + 20, 10}}};

	pool.sys = &kernel.ops;
	for (uint32_t round = 0; round < 20; round++) {
		int fd = tcp_socket();
		uint64_t cookie;

		cr_assert_eq(any(&pool, fd, 2, &windows, &start), 0);
		cr_assert_eq(start, first + round * 2 % 10, "round %u", round);
		cr_assert_eq(sock_cookie(&sys_kernel, fd, &cookie), 0);
		close(fd);
		reserve_end_socket(&pool, cookie);
	}
	cr_assert_eq(kernel.asked, 0);
	cr_assert(rig_marks_right(pool.file));
	pool_close(&pool);
}

CHECK(reserve_wildcard, steps_over_what_is_used_or_forbidden)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	const struct range_list windows = {1, {{first, 20}}};
	static struct port_set forbidden;
	struct acquire wanted = rig_wanted(-1, 0, 4);
	int fd = tcp_socket(), user = socket_of(PROTOCOL_TCP, AF_INET6);
	struct reservation got;

	cr_assert_eq(bind_to(user, AF_INET6, "::1", first + 2), 0);
	wanted.fd = fd;
	wanted.wildcard = &windows;
	port_set_add(&forbidden, (struct range){first + 9, 1});
	port_set_add(&forbidden, (struct range){first + 14, 2});
	wanted.forbidden = &forbidden;
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(got.range.start, first + 3);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(got.range.start, first + 10);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(got.range.start, first + 16);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), -ENOBUFS);
	/* Named ports may be had: an administrator's list is for choosing. */
	wanted.range = (struct range){first + 14, 2};
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	close(user);
	close(fd);
	pool_close(&pool);
}

/* Counts trial binds. */
static int binds;

static long
kernel_counting(const struct sys_ops *sys, long nr, const long arg[6])
{
	(void)sys;
	binds += nr == SYS_bind;
	return kernel_real(nr, arg);
}

/*
 * Every other port is in use: the kernel is asked which ones, not each port, as
 * soon as as many have been tried in vain as cost a list. Returns the number of
 * binds.
 */
static int
binds_beside_fragments(uint32_t price_of_list)
{
	const struct sys_ops counting = {.call = kernel_counting};
	struct pool pool = rig_pool();
	uint32_t first = own_ports(), start;
	const struct range_list windows = {1, {{first, PORTS_OWN}}};
	int user[15], fd = tcp_socket();

	pool.file->header.cost[PROTOCOL_TCP] =
		(struct port_cost){.trial = 1, .list = price_of_list};
	for (uint32_t i = 0; i < 15; i++) {
		user[i] = tcp_socket();
		cr_assert_eq(bind_to(user[i], AF_INET, "127.0.0.1",
				     first + 1 + 2 * i),
			     0);
		cr_assert_eq(listen(user[i], 1), 0);
	}
	pool.sys = &counting;
	binds = 0;
	cr_assert_eq(any(&pool, fd, 4, &windows, &start), 0);
	cr_assert_eq(start, first + 30);
	cr_assert_null(pool.used);
	for (uint32_t i = 0; i < 15; i++)
		close(user[i]);
	close(fd);
	pool_close(&pool);
	unlink(rig_file());
	return binds;
}

CHECK(reserve_wildcard, a_fragmented_range_costs_no_second_try)
{
	int most;

	NEEDS_SOCKET_LIST();
	most = socket_list_has_inactive() ? 6 : 8;
	/* Two for the first place, and four for the one that was found; eight
	 * where the list is not complete. */
	cr_assert_leq(binds_beside_fragments(4), most);
}

/* The ports of both protocols at once: the lists of both are read. */
CHECK(reserve_wildcard, fragments_in_the_other_protocol_are_learned)
{
	const struct sys_ops counting = {.call = kernel_counting};
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	const struct range_list windows = {1, {{first, PORTS_OWN}}};
	int user[15], fd = tcp_socket(),
		      other = socket_of(PROTOCOL_UDP, AF_INET);
	struct acquire wanted = rig_wanted(fd, 0, 4);
	struct reservation got[2];

	NEEDS_SOCKET_LIST();
	wanted.both = true;
	wanted.other_fd = other;
	wanted.wildcard = &windows;
	for (int p = 0; p < PROTOCOL_COUNT; p++)
		pool.file->header.cost[p] =
			(struct port_cost){.trial = 1, .list = 4};
	for (uint32_t i = 0; i < 15; i++) {
		user[i] = socket_of(PROTOCOL_UDP, AF_INET);
		cr_assert_eq(bind_to(user[i], AF_INET, "127.0.0.1",
				     first + 1 + 2 * i),
			     0);
	}
	pool.sys = &counting;
	binds = 0;
	cr_assert_eq(rig_acquire(&pool, &wanted, got), 0);
	cr_assert_eq(got[0].range.start, first + 30);
	/* Two tries, of at most four binds in each protocol. */
	cr_assert_leq(binds, 16);
	for (uint32_t i = 0; i < 15; i++)
		close(user[i]);
	close(fd);
	close(other);
	pool_close(&pool);
}

/* Beside ten thousand sockets a list is dearer than some tries. */
CHECK(reserve_wildcard, a_dear_list_is_not_read_at_once)
{
	int tried;

	NEEDS_SOCKET_LIST();
	tried = binds_beside_fragments(5 * 4);
	cr_assert_eq(tried, 5 * 2 + 4, "%d", tried);
	tried = binds_beside_fragments(1000);
	cr_assert_eq(tried, 15 * 2 + 4, "%d", tried);
}

/* A kernel that does not tell has each place tried. */
CHECK(reserve_wildcard, a_fragmented_range_without_a_list)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_sendto, -EPERM, NULL);
	struct pool pool = rig_pool();
	uint32_t first = own_ports(), start;
	const struct range_list windows = {1, {{first, 10}}};
	int user = tcp_socket(), fd = tcp_socket();

	cr_assert_eq(bind_to(user, AF_INET, "127.0.0.1", first + 1), 0);
	pool.sys = &kernel.ops;
	cr_assert_eq(any(&pool, fd, 4, &windows, &start), 0);
	cr_assert_eq(start, first + 2);
	close(user);
	close(fd);
	pool_close(&pool);
}

CHECK(reserve_wildcard, windows_of_any_shape_do_no_harm)
{
	struct pool pool = rig_pool();
	const struct range_list none = {0}, tiny = {1, {{24000, 1}}};
	uint32_t start = 99;
	int fd = tcp_socket();

	cr_assert_eq(any(&pool, fd, 1, &none, &start), -ENOBUFS);
	cr_assert_eq(any(&pool, fd, 2, &tiny, &start), -ENOBUFS);
	cr_assert_eq(any(&pool, fd, 65535, &tiny, &start), -ENOBUFS);
	cr_assert_eq(start, 99);
	close(fd);
	pool_close(&pool);
}

CHECK(reserve_wildcard, a_window_full_of_the_dead_is_swept)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports(), start;
	const struct range_list windows = {1, {{first, PORTS_OWN}}};
	int alive = tcp_socket(), fd;

	rig_reserve(&pool, alive, first + 20, 2);
	fd = tcp_socket();
	while (any(&pool, fd, 3, &windows, &start) == 0)
		;
	cr_assert_gt(rig_live_slots(pool.file), 10);
	close(fd);
	cr_assert_eq(any(&pool, alive, 20, &windows, &start), 0);
	cr_assert_eq(start, first);
	cr_assert_eq(rig_live_slots(pool.file), 2);
	cr_assert(rig_marks_right(pool.file));
	close(alive);
	pool_close(&pool);
}

/* The kernel picks ports there: only while the living have all the others. */
CHECK(reserve_wildcard, the_dead_send_nobody_into_the_ephemeral_range)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	const struct range_list windows = {
		3, {{first, 10}, {first + 10, 5}, {first + 20, 10}}};
	int dead = tcp_socket(), fd = tcp_socket();
	struct acquire wanted = rig_wanted(fd, 0, 4);
	struct reservation got;

	wanted.wildcard = &windows;
	wanted.ephemeral = (struct range){first + 18, 20};
	rig_reserve(&pool, dead, first, 10);
	rig_reserve(&pool, fd, first + 10, 3);
	close(dead);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(got.range.start, first);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(got.range.start, first + 4);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), 0);
	cr_assert_eq(got.range.start, first + 20);
	cr_assert(rig_marks_right(pool.file));
	close(fd);
	pool_close(&pool);
}

/* All slots, each with a port far from ours. */
static void
take_all_slots(struct pool *pool, enum reservation_kind kind)
{
	struct pool_lock lock = rig_enter(pool);
	struct slot *slot;

	for (uint32_t port = 1000; (slot = slot_pick(pool->file)); port++) {
		slot->protocol = PROTOCOL_UDP;
		slot->kind = (uint8_t)kind;
		slot->start = (uint16_t)port;
		slot->count = 1;
		slot->fd = -1;
		slot_mark(pool->file, slot);
		slot_publish(slot);
	}
	cr_assert_eq(rig_live_slots(pool->file), SLOT_COUNT);
	pool_leave(pool, &lock);
}

CHECK(reserve_wildcard, slots_full_of_the_dead_are_swept)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket();

	take_all_slots(&pool, KIND_RUNTIME);
	rig_reserve(&pool, fd, first, 2);
	cr_assert_eq(rig_live_slots(pool.file), 1);
	close(fd);
	pool_close(&pool);
}

CHECK(reserve_wildcard, slots_full_of_the_living_are_enobufs)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports();
	int fd = tcp_socket();
	struct acquire wanted = rig_wanted(fd, first, 2);
	struct reservation got;

	take_all_slots(&pool, KIND_PERSISTENT);
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), -ENOBUFS);
	cr_assert_eq(rig_live_slots(pool.file), SLOT_COUNT);
	/* While the list of locks cannot be read, nobody is dead. */
	unlink(rig_file());
	pool_close(&pool);
	pool = rig_pool();
	take_all_slots(&pool, KIND_RUNTIME);
	struct kernel_refusing kernel =
		kernel_refusing(SYS_openat, -EACCES, "/proc/");

	pool.sys = &kernel.ops;
	cr_assert_eq(rig_acquire(&pool, &wanted, &got), -ENOBUFS);
	cr_assert_eq(rig_live_slots(pool.file), SLOT_COUNT);
	close(fd);
	pool_close(&pool);
}

/*
 * Anybody in the group can write announcements that no thread ever ends. Each
 * may cost a wildcard its wait, but not all one after the other: others wait
 * for the lock meanwhile, 5 s at most.
 */
CHECK(reserve_wildcard, stopped_binders_everywhere_cost_bounded_time)
{
	struct pool pool = rig_pool();
	uint32_t first = own_ports(), start;
	const struct range_list windows = {1, {{first, PORTS_OWN}}};
	struct kernel_timeless kernel = kernel_timeless(0);
	uint64_t began = kernel.now;
	int fd = tcp_socket();

	for (uint32_t i = 0; i < PORTS_OWN; i++) {
		struct announcement *word =
			&segment_of(pool.file, first + i)->word[i];

		atomic_store(&word->owner, 4711 + i);
		atomic_store(&word->what, first + i);
	}
	pool.sys = &kernel.ops;
	cr_assert_eq(any(&pool, fd, 1, &windows, &start), -ENOBUFS);
	cr_assert_leq(kernel.now - began, 1000000000, "%lu ms",
		      (kernel.now - began) / 1000000);
	close(fd);
	pool_close(&pool);
}
