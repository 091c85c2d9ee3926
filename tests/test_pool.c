/* SPDX-License-Identifier: MIT */
/* The pool file: made, shared, entered by one at a time, repaired. */
#include "core/pool/pool.h"

#include <sched.h>

#include "tests/peer.h"
#include "tests/rig.h"

static mode_t
mode_of(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

CHECK(pool, is_made_when_missing_and_empty)
{
	struct pool pool = rig_pool();
	struct stat st;

	cr_assert_eq(stat(rig_file(), &st), 0);
	cr_assert_eq(st.st_size, sizeof(struct pool_file));
	/* All of it is there: a hole could be SIGBUS on a full disk. */
	cr_assert_geq((size_t)st.st_blocks * 512, sizeof(struct pool_file));
	cr_assert_eq(pool.file->header.magic, POOL_MAGIC);
	cr_assert_eq(pool.file->header.layout, POOL_LAYOUT);
	cr_assert_gt(pool.file->header.sequence, 0);
	cr_assert_eq(rig_live_slots(pool.file), 0);
	pool_close(&pool);
	cr_assert_null(pool.file);
}

/* A file beyond the limit would be the program's death by SIGXFSZ. */
CHECK(pool, is_not_made_beyond_the_limit_of_file_sizes)
{
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		const struct rlimit limit = {sizeof(struct pool_file) - 1,
					     sizeof(struct pool_file) - 1};
		struct pool pool;

		child_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
		child_assert(rig_open_with(&sys_kernel, &pool) == -ENETDOWN);
		_exit(0);
	}
	peer_verdict(peer_end(&peer));
}

/* The directory's mode decides who takes part, the umask does not. */
CHECK(pool, mode_is_exact_whatever_the_umask)
{
	static const struct {
		mode_t directory, file;
	} modes[] = {{0700, 0600}, {0755, 0640}, {0770, 0660}, {0750, 0640}};
	struct pool pool;

	for (size_t i = 0; i < 4; i++) {
		mode_t before;

		cr_assert_eq(chmod(temp_dir(), modes[i].directory), 0);
		before = umask(i % 2 ? 0777 : 0);
		cr_assert_eq(rig_open_with(&sys_kernel, &pool), 0);
		umask(before);
		cr_assert_eq(mode_of(rig_file()), modes[i].file, "%o: %o",
			     modes[i].directory, mode_of(rig_file()));
		pool_close(&pool);
		unlink(rig_file());
	}
}

CHECK(pool, second_opener_sees_the_same_file)
{
	struct pool a = rig_pool(), b = rig_pool();
	struct pool_lock lock;
	struct pool other;

	cr_assert_neq(a.file, b.file);
	a.file->header.cursor[0] = 4711;
	cr_assert_eq(b.file->header.cursor[0], 4711);
	/* It was not filled again. */
	cr_assert_eq(a.file->header.sequence, b.file->header.sequence);
	lock = rig_enter(&b);
	pool_leave(&b, &lock);
	/* Another network namespace has a file of its own. */
	cr_assert_eq(pool_open(&sys_kernel, temp_dir(), false, NULL,
			       RIG_NETNS + 1, &rig_forks, &other),
		     0);
	cr_assert_neq(other.inode, a.inode);
	cr_assert_eq(other.file->header.cursor[0], 0);
	pool_close(&other);
	pool_close(&a);
	pool_close(&b);
}

CHECK(pool, path_too_long_is_refused)
{
	char path[POOL_PATH_MAX + 1];
	struct pool pool;

	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	cr_assert_eq(
		pool_open(&sys_kernel, path, false, NULL, 1, &rig_forks, &pool),
		-ENETDOWN);
}

CHECK(pool, many_openers_at_once_agree)
{
	enum { N = 8 };
	struct peer peer[N];

	for (int i = 0; i < N; i++) {
		temp_dir();
		peer[i] = peer_fork();
		if (peer[i].pid == 0) {
			struct pool pool;
			struct pool_lock lock;

			child_assert(peer_hear(&peer[i]));
			child_assert(rig_open_with(&sys_kernel, &pool) == 0);
			child_assert(pool_enter(&pool, POOL_WAIT, &lock) == 0);
			pool.file->header.cursor[0]++;
			pool_leave(&pool, &lock);
			_exit(0);
		}
	}
	for (int i = 0; i < N; i++)
		peer_tell(&peer[i]);
	for (int i = 0; i < N; i++)
		peer_verdict(peer_end(&peer[i]));
	struct pool pool = rig_pool();

	cr_assert_eq(pool.file->header.cursor[0], N);
	pool_close(&pool);
}

CHECK(pool, a_writer_excludes_another_process)
{
	struct pool pool = rig_pool();
	struct pool_lock lock;
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		child_assert(pool_enter(&pool, POOL_WAIT, &lock) == 0);
		peer_tell(&peer);
		peer_hear(&peer);
		pool.file->header.cursor[1] = 5;
		pool_leave(&pool, &lock);
		_exit(0);
	}
	cr_assert(peer_hear(&peer));
	cr_assert_eq(pool_enter(&pool, POOL_TRY, &lock), -EBUSY);
	peer_tell(&peer);
	cr_assert_eq(pool_enter(&pool, POOL_WAIT, &lock), 0);
	cr_assert_eq(pool.file->header.cursor[1], 5);
	pool_leave(&pool, &lock);
	peer_verdict(peer_end(&peer));
	cr_assert_eq(pool_enter(&pool, POOL_TRY, &lock), 0);
	pool_leave(&pool, &lock);
	pool_close(&pool);
}

/* Increments would be lost without exclusion, among threads' pools too. */
CHECK(pool, writers_do_not_mix)
{
	enum { N = 4, TURNS = 200 };
	struct pool pool = rig_pool();
	struct peer peer[N];

	for (int i = 0; i < N; i++) {
		peer[i] = peer_fork();
		for (int turn = 0; peer[i].pid == 0; turn++) {
			volatile uint32_t *cell = &pool.file->header.cursor[0];
			struct pool_lock lock;
			uint32_t seen;

			if (turn == TURNS)
				_exit(0);
			child_assert(pool_enter(&pool, POOL_WAIT, &lock) == 0);
			seen = *cell;
			sched_yield();
			*cell = seen + 1;
			pool_leave(&pool, &lock);
		}
	}
	for (int i = 0; i < N; i++)
		peer_verdict(peer_end(&peer[i]));
	cr_assert_eq(pool.file->header.cursor[0], N * TURNS);
	pool_close(&pool);
}

CHECK(pool, what_a_killed_writer_left_is_repaired)
{
	struct pool pool = rig_pool();
	struct pool_lock lock = rig_enter(&pool);
	struct slot *slot = slot_pick(pool.file);
	struct peer peer;

	slot->start = 5000;
	slot->count = 10;
	slot_mark(pool.file, slot);
	slot_publish(slot);
	pool_leave(&pool, &lock);
	peer = peer_fork();
	if (peer.pid == 0) {
		child_assert(pool_enter(&pool, POOL_WAIT, &lock) == 0);
		atomic_store(&pool.file->header.dirty, 1);
		for (uint32_t port = 4990; port < 5005; port++)
			atomic_store(mark_of(pool.file, PROTOCOL_TCP, port),
				     port);
		atomic_store(&pool.file->slot[77].state, 12345);
		atomic_store(&pool.file->slot[78].state, SLOT_LIVE);
		peer_tell(&peer);
		pause();
		_exit(0);
	}
	cr_assert(peer_hear(&peer));
	cr_assert_not(rig_marks_right(pool.file));
	peer_kill(&peer);

	lock = rig_enter(&pool);
	cr_assert_eq(atomic_load(&pool.file->header.dirty), 0);
	cr_assert_eq(rig_live_slots(pool.file), 1);
	cr_assert(slot_live(slot));
	cr_assert(rig_marks_right(pool.file));
	pool_leave(&pool, &lock);
	pool_close(&pool);
}
