/* SPDX-License-Identifier: MIT */
/*
 * Everybody in the group may write the pool file, so anything may stand in
 * it. Whatever does: no crash, no endless loop, and no answer that is not one.
 */
#include "core/pool/acquire.h"

#include "tests/books.h"
#include "tests/kernel.h"
#include "tests/rig.h"

#define ROUNDS 120

/* Spoils some part of the file in some way. */
static void
spoil(struct dice *dice, struct pool_file *file)
{
	uint8_t *bytes = (uint8_t *)file;
	size_t at = 0, n = sizeof(*file);

	switch (dice_below(dice, 6)) {
	case 0:
		at = 8; /* the magic stays */
		n = sizeof(struct pool_header) - 8;
		break;
	case 1:
		at = offsetof(struct pool_header, dirty);
		n = sizeof(struct pool_header) - at;
		break;
	case 2:
		at = offsetof(struct pool_file, slot);
		n = sizeof(file->slot);
		break;
	case 3:
		at = offsetof(struct pool_file, segment);
		n = sizeof(file->segment);
		break;
	case 4:
		at = sizeof(struct pool_header);
		n -= at;
		break;
	default:
		break;
	}
	if (dice_chance(dice, 50)) {
		books_garbage(dice, bytes + at, n);
	} else {
		for (uint32_t i = dice_below(dice, 5000); i > 0; i--)
			bytes[at + dice_below(dice, (uint32_t)n)] =
				(uint8_t)dice_roll(dice);
	}
	for (uint32_t i = 0; dice_chance(dice, 50) && i < SLOT_COUNT; i++)
		if (dice_chance(dice, 30)) {
			atomic_store(&file->slot[i].state, SLOT_LIVE);
			file->slot[i].start = dice_below(dice, PORT_COUNT);
			file->slot[i].count = dice_below(dice, 3000);
			file->slot[i].protocol = dice_below(dice, 3);
			file->slot[i].kind = dice_below(dice, 3);
		}
	for (uint32_t i = 0; dice_chance(dice, 30) && i < PORT_COUNT; i++)
		atomic_store(mark_of(file, dice_below(dice, 2), i),
			     dice_below(dice, SLOT_COUNT + 3));
}

static void
use(struct dice *dice, struct pool *pool, int fd, uint32_t first)
{
	struct range_list window = {1, {{first, PORTS_OWN}}};
	uint32_t start = dice_chance(dice, 50) ? 0 : first;
	struct acquire wanted = rig_wanted(fd, start, dice_below(dice, 4) + 1);
	struct reservation got, found;
	int r, holder;

	wanted.wildcard = &window;
	do
		r = reserve_acquire(pool, &wanted, &got);
	while (r == -EAGAIN && (r = reserve_judge_for(pool, &wanted)) == 0);
	cr_assert(r == 0 || r == -EADDRINUSE || r == -ENOBUFS, "acquire: %d",
		  r);
	if (r == 0) {
		cr_assert_eq(got.range.count, wanted.range.count);
		cr_assert(got.range.start >= first &&
			  range_end(got.range) <= first + PORTS_OWN);
		cr_assert(got.token != 0 && got.token >> 63 == 0);
		cr_assert_eq(reserve_find(pool, PROTOCOL_TCP, got.token, &found,
					  &holder),
			     0);
		cr_assert(holder == fd && found.token == got.token);
		cr_assert(rig_reserved(pool, got.range.start));
		reserve_release(pool, &got, fd);
	}
	for (int i = 0; i < 20; i++) {
		uint32_t n = dice_below(dice, SLOT_COUNT);

		r = reserve_find(pool, PROTOCOL_TCP,
				 atomic_load(&pool->file->slot[n].token),
				 &found, &holder);
		cr_assert(r == -EINVAL || r == -EACCES ||
				  (r == 0 && holder == -1 &&
				   found.kind != KIND_RUNTIME),
			  "find: %d", r);
	}
	reserve_end_socket(pool, dice_roll(dice));
	cr_assert_leq(reserve_sweep(pool), SLOT_COUNT);
}

CHECK(pool_fuzz, any_bytes_get_an_answer)
{
	struct dice dice = dice_from(12);
	struct kernel_timeless kernel = kernel_timeless(0);
	uint32_t first = own_ports();
	int fd = tcp_socket();
	int used = 0;

	cr_log_info("seed %lu", dice.seed);
	alarm(40); /* a loop would end here */
	for (int round = 0; round < ROUNDS; round++) {
		struct pool pool = rig_pool();
		struct pool_lock lock;
		int r;

		spoil(&dice, pool.file);
		pool_close(&pool);
		r = rig_open_with(&kernel.ops, &pool);
		cr_assert(r == 0 || r == -ENETDOWN, "open: %d", r);
		if (r == 0) {
			used++;
			lock = rig_enter(&pool);
			use(&dice, &pool, fd, first);
			pool_leave(&pool, &lock);
			pool_close(&pool);
		}
		unlink(rig_file());
		cr_assert_eq(rig_gate, 0);
	}
	alarm(0);
	cr_assert_gt(used, ROUNDS / 4);
	close(fd);
}
