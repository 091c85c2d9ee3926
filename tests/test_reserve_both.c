/* SPDX-License-Identifier: MIT */
/* The same ports of both protocols, in one request: all of them or nothing. */
#include "core/pool/acquire.h"
#include "core/pool/lease.h"
#include "core/pool/slot.h"
#include "tests/kernel.h"
#include "tests/rig.h"

static struct acquire
wanted_both(uint32_t start, uint32_t count)
{
	struct acquire wanted = rig_wanted(tcp_socket(), start, count);

	wanted.both = true;
	wanted.other_fd = socket(AF_INET, SOCK_DGRAM, 0);
	return wanted;
}

static void
close_both(const struct acquire *wanted)
{
	close(wanted->fd);
	close(wanted->other_fd);
}

/* All slots but `left` are somebody's, with ports far from ours. */
static void
leave_slots(struct pool *pool, uint32_t left)
{
	for (uint32_t i = left; i < SLOT_COUNT; i++) {
		struct slot *slot = slot_pick(pool->file);

		slot->protocol = PROTOCOL_TCP;
		slot->kind = KIND_PERSISTENT;
		slot->start = (uint16_t)(40000 + i);
		slot->count = 1;
		slot_mark(pool->file, slot);
		slot_publish(slot);
	}
	atomic_store(&pool->file->header.dirty, 0);
}

CHECK(reserve_both, each_has_its_slot_and_lease)
{
	struct pool pool = rig_pool();
	struct acquire wanted = wanted_both(own_ports(), 3);
	struct reservation got[2];

	cr_assert_eq(rig_acquire(&pool, &wanted, got), 0);
	for (int i = 0; i < 2; i++) {
		const struct slot *slot =
			slot_by_token(pool.file, got[i].token);

		cr_assert_eq(slot->protocol, i);
		cr_assert(range_equal(slot_range(slot), wanted.range));
		cr_assert(rig_alive(slot));
	}
	close(wanted.other_fd);
	cr_assert(rig_alive(slot_by_token(pool.file, got[0].token)));
	cr_assert_not(rig_alive(slot_by_token(pool.file, got[1].token)));
	close(wanted.fd);
	cr_assert(rig_marks_right(pool.file));
	pool_close(&pool);
}

/* It is the one that a second look finds, too. */
CHECK(reserve_both, the_last_slot_is_not_enough)
{
	struct pool pool = rig_pool();
	struct acquire wanted = wanted_both(own_ports(), 3);
	struct reservation got[2];

	leave_slots(&pool, 1);
	cr_assert_eq(rig_acquire(&pool, &wanted, got), -ENOBUFS);
	cr_assert_eq(rig_live_slots(pool.file), SLOT_COUNT - 1);
	cr_assert(rig_marks_right(pool.file));
	close_both(&wanted);
	pool_close(&pool);
}

CHECK(reserve_both, the_last_two_slots_are)
{
	struct pool pool = rig_pool();
	struct acquire wanted = wanted_both(own_ports(), 3);
	struct reservation got[2];

	leave_slots(&pool, 2);
	cr_assert_eq(rig_acquire(&pool, &wanted, got), 0);
	cr_assert_eq(rig_live_slots(pool.file), SLOT_COUNT);
	close_both(&wanted);
	pool_close(&pool);
}

static void
none(void *context, const struct lease_carrier *found)
{
	(void)context;
	cr_assert_fail("descriptor %d has a lease", found->fd);
}

/* The first protocol gives back all that it was given, leases too. */
CHECK(reserve_both, nothing_is_left_of_a_refusal)
{
	struct pool pool = rig_pool();
	struct acquire wanted = wanted_both(own_ports(), 3);
	struct reservation got[2];
	int in_use = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(wanted.range.start + 1)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	cr_assert_eq(bind(in_use, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(rig_acquire(&pool, &wanted, got), -EADDRINUSE);
	cr_assert_eq(pool.in_the_way, wanted.range.start + 1);
	cr_assert_eq(pool.in_the_way_of, PROTOCOL_UDP);
	cr_assert_eq(rig_live_slots(pool.file), 0);
	cr_assert(rig_marks_right(pool.file));
	cr_assert_eq(lease_inventory(&sys_kernel, none, NULL), 0);
	close(in_use);
	close_both(&wanted);
	pool_close(&pool);
}
