/* SPDX-License-Identifier: MIT */
/* Writers that die in the middle of a row of marks; no instant is too small. */
#include "core/pool/acquire.h"
#include "core/pool/pool.h"

#include <sys/mman.h>

#include "tests/peer.h"
#include "tests/rig.h"

/* Two ports on either side of a page's end. */
static const struct range across = {47 * SEGMENT_PORTS - 2, 4};

/* A writer of the later two marks is killed for it. */
static void
forbid_later_marks(struct pool *pool)
{
	struct segment *later = segment_of(pool->file, range_end(across) - 1);

	signal(SIGSEGV, SIG_DFL);
	prctl(PR_SET_DUMPABLE, 0); /* no core */
	child_assert(mprotect(later, sizeof(*later), PROT_READ) == 0);
}

/* The next to come in finds it out, and nothing is left of the block. */
static void
expect_repaired(struct pool *pool, struct peer *writer)
{
	int status = peer_end(writer);
	struct pool_lock lock;

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	lock = rig_enter(pool);
	for (uint32_t port = across.start; port < range_end(across); port++)
		cr_assert_eq(books_mark(pool->file, PROTOCOL_TCP, port), 0,
			     "port %u", port);
	cr_assert_eq(pool->file->header.ephemeral[PROTOCOL_TCP], 0);
	cr_assert_eq(pool->file->header.dirty, 0);
	cr_assert_eq(rig_live_slots(pool->file), 0);
	cr_assert(rig_marks_right(pool->file));
	pool_leave(pool, &lock);
}

CHECK(pool_death, while_a_block_is_marked)
{
	struct pool pool = rig_pool();
	struct peer writer = peer_fork();

	if (writer.pid == 0) {
		struct acquire wanted =
			rig_wanted(tcp_socket(), across.start, across.count);
		struct reservation got;

		wanted.ephemeral = across;
		forbid_later_marks(&pool);
		rig_acquire(&pool, &wanted, &got);
		_exit(0);
	}
	expect_repaired(&pool, &writer);
	pool_close(&pool);
}

CHECK(pool_death, while_a_block_is_freed)
{
	struct pool pool = rig_pool();
	struct slot *slot = slot_pick(pool.file);
	struct pool_lock lock;
	struct peer writer;

	books_fill(slot, PROTOCOL_TCP, across);
	slot->ephemeral = 1;
	slot_mark(pool.file, slot);
	slot_publish(slot);
	writer = peer_fork();
	if (writer.pid == 0) {
		lock = rig_enter(&pool);
		forbid_later_marks(&pool);
		slot_free(pool.file, slot);
		pool_leave(&pool, &lock);
		_exit(0);
	}
	expect_repaired(&pool, &writer);
	pool_close(&pool);
}
