/* SPDX-License-Identifier: MIT */
#include "core/pool/lock.h"

#include <errno.h>

#define WAIT_LIMIT_NS 5000000000u
#define BRIEF_LIMIT_NS 100000000u
#define EAGER_TRIES 15
/* For a turn that never comes, because its sleeper or the holder was killed. */
#define NAP_FIRST_NS 1000000
#define NAP_LONGEST_NS 20000000

static int
try_once(const struct sys_ops *sys, const char *path,
	 const struct fork_block *forks, struct lock_queue *queue,
	 struct pool_lock *ret)
{
	const uint64_t all = ~(uint64_t)0;
	struct pool_lock lock = {.word = forks->word(), .queue = queue};
	int r;

	sys_sigmask(sys, SIG_SETMASK, &all, &lock.signals);
	r = -EAGAIN;
	if (!fork_block_enter(sys, lock.word))
		goto fail_signals;
	/*
	 * A descriptor of its own each time: flock belongs to the open file, so
	 * one kept across fork would be the child's lock as well. It is not
	 * kept over a nap either, because the fork block is not. Nor can it be
	 * written to: see low_fds.h.
	 */
	r = lock.fd = sys_open(
		sys, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
	if (r < 0)
		goto fail_block;
	r = sys_flock(sys, lock.fd, LOCK_EX | LOCK_NB);
	if (r < 0)
		goto fail_open;
	low_fds_take(sys, lock.fd, &lock.low);
	*ret = lock;
	return 0;

fail_open:
	sys_close(sys, lock.fd);
fail_block:
	fork_block_leave(lock.word);
fail_signals:
	sys_sigmask(sys, SIG_SETMASK, &lock.signals, NULL);
	return r;
}

/*
 * Sleeps. Reading a timer descriptor, unlike nanosleep, obeys SA_RESTART: it
 * ends with EINTR exactly for handlers that were installed without it.
 */
static int
nap_on_timer(const struct sys_ops *sys, long ns)
{
	const struct timespec after = {.tv_nsec = ns};
	uint64_t expirations;
	int fd = sys_timerfd(sys, &after);
	long r;

	if (fd < 0) {
		sys_nanosleep(sys, ns);
		return 0;
	}
	r = sys_read(sys, fd, &expirations, sizeof(expirations));
	sys_close(sys, fd);
	return r == -EINTR ? -EINTR : 0;
}

/* futex_waitv (Linux 5.16) obeys SA_RESTART too, without a descriptor. */
static int
nap(const struct sys_ops *sys, struct lock_queue *queue, uint32_t turn,
    uint64_t ns)
{
	uint64_t until = sys_clock(sys, CLOCK_MONOTONIC) + ns;
	int r = sys_wait_until(sys, &queue->turn, turn, until);

	if (r >= 0 || r == -EAGAIN || r == -ETIMEDOUT || r == -EINTR)
		return r == -EINTR ? r : 0;
	return nap_on_timer(sys, (long)ns);
}

/* Is 0, which says that nobody sleeps, for one turn of 2^32: that costs a nap.
 */
static uint32_t
stamp_of(uint32_t turn)
{
	return turn + 1;
}

static bool
is_later(uint32_t stamp, uint32_t than)
{
	return (int32_t)(stamp - than) > 0;
}

/* The turn before a try. A drop after it is not slept through. The file may
 * have been cut short: then nobody is woken. */
static uint32_t
look_at_turn(const struct sys_ops *sys, struct lock_queue *queue)
{
	return sys_readable(sys, queue) ? atomic_load(&queue->turn) : 0;
}

/* Says that somebody will sleep who has looked at that turn. */
static void
queue_up(const struct sys_ops *sys, struct lock_queue *queue, uint32_t turn)
{
	uint32_t stamp = stamp_of(turn), found;

	if (!sys_readable(sys, queue))
		return;
	found = atomic_load(&queue->sleeping);
	while ((found == 0 || is_later(stamp, found)) &&
	       !atomic_compare_exchange_weak(&queue->sleeping, &found, stamp))
		;
}

/*
 * Each drop counts a turn, so that who looked before it does not go to sleep.
 * When nobody was woken the next drops save themselves the call; but not when
 * somebody has looked since this one: he is about to sleep.
 */
static void
wake_one(const struct sys_ops *sys, struct lock_queue *queue)
{
	uint32_t turn = atomic_fetch_add(&queue->turn, 1) + 1;
	uint32_t sleeping = atomic_load(&queue->sleeping);

	if (sleeping && sys_wake_one(sys, &queue->turn) == 0 &&
	    is_later(stamp_of(turn), sleeping))
		atomic_compare_exchange_strong(&queue->sleeping, &sleeping, 0);
}

/* An ordinary holder is gone after some tries. */
static int
try_eagerly(const struct sys_ops *sys, const char *path,
	    const struct fork_block *forks, struct lock_queue *queue,
	    struct pool_lock *ret)
{
	int r = -EAGAIN;

	for (int i = 0; i < EAGER_TRIES && r == -EAGAIN; i++) {
		if (i > 0)
			sys_yield(sys);
		r = try_once(sys, path, forks, queue, ret);
	}
	return r;
}

int
lock_take(const struct sys_ops *sys, const char *path,
	  const struct fork_block *forks, struct lock_queue *queue,
	  enum pool_wait wait, struct pool_lock *ret)
{
	uint64_t limit = wait == POOL_BRIEF ? BRIEF_LIMIT_NS : WAIT_LIMIT_NS;
	uint64_t pause = NAP_FIRST_NS;
	uint64_t now, end = 0;
	uint32_t turn;
	int r;

	if (forks->give_way && wait != POOL_TRY)
		forks->give_way();
	r = try_eagerly(sys, path, forks, queue, ret);
	if (r != -EAGAIN)
		return r;
	if (wait == POOL_TRY)
		return -EBUSY;
	for (;;) {
		turn = look_at_turn(sys, queue);
		r = try_eagerly(sys, path, forks, queue, ret);
		if (r != -EAGAIN)
			return r;
		now = sys_clock(sys, CLOCK_MONOTONIC);
		if (end == 0)
			end = now + limit;
		if (now >= end)
			return wait == POOL_BRIEF ? -EBUSY : -ENETDOWN;
		queue_up(sys, queue, turn);
		r = nap(sys, queue, turn,
			pause < end - now ? pause : end - now);
		if (r < 0 && wait == POOL_WAIT)
			return r;
		if (pause < NAP_LONGEST_NS)
			pause *= 2;
	}
}

void
lock_drop(const struct sys_ops *sys, const struct pool_lock *lock)
{
	struct low_fds low = lock->low;

	/* Unlocked explicitly: a copy of the descriptor in a child of a raw
	 * clone() would keep the lock past the close. */
	sys_flock(sys, lock->fd, LOCK_UN);
	sys_close(sys, lock->fd);
	low_fds_give_back(sys, &low);
	fork_block_leave(lock->word);
	/* Last: who is woken may be a thread of ours. */
	if (lock->queue)
		wake_one(sys, lock->queue);
	sys_sigmask(sys, SIG_SETMASK, &lock->signals, NULL);
}
