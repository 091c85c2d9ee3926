/* SPDX-License-Identifier: MIT */
#include "core/pool/lock.h"

#include <errno.h>

#define WAIT_LIMIT_NS 5000000000u
#define BRIEF_LIMIT_NS 100000000u
#define EAGER_TRIES 30 /* an ordinary holder is gone by then */
#define NAP_FIRST_NS 50000
#define NAP_LONGEST_NS 2000000

static int
try_once(const struct sys_ops *sys, const char *path,
	 const struct fork_block *forks, struct pool_lock *ret)
{
	const uint64_t all = ~(uint64_t)0;
	struct pool_lock lock = {.word = forks->word()};
	int r;

	sys_sigmask(sys, SIG_SETMASK, &all, &lock.signals);
	r = -EAGAIN;
	if (!fork_block_enter(sys, lock.word))
		goto fail_signals;
	/*
	 * A descriptor of its own each time: flock belongs to the open file, so
	 * one kept across fork would be the child's lock as well. It is not
	 * kept over a nap either, because the fork block is not.
	 */
	r = lock.fd = sys_open(sys, path,
			       O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
	if (r < 0)
		goto fail_block;
	r = sys_flock(sys, lock.fd, LOCK_EX | LOCK_NB);
	if (r < 0)
		goto fail_open;
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
nap(const struct sys_ops *sys, long ns)
{
	uint64_t until = sys_clock(sys, CLOCK_MONOTONIC) + (uint64_t)ns;
	int r = sys_wait_until(sys, until);

	if (r == -ETIMEDOUT || r == -EINTR)
		return r == -EINTR ? r : 0;
	return nap_on_timer(sys, ns);
}

int
lock_take(const struct sys_ops *sys, const char *path,
	  const struct fork_block *forks, enum pool_wait wait,
	  struct pool_lock *ret)
{
	uint64_t limit = wait == POOL_BRIEF ? BRIEF_LIMIT_NS : WAIT_LIMIT_NS;
	long pause = NAP_FIRST_NS;
	uint64_t began;
	int r;

	for (int i = 0; i < EAGER_TRIES; i++) {
		r = try_once(sys, path, forks, ret);
		if (r != -EAGAIN)
			return r;
		sys_yield(sys);
	}
	if (wait == POOL_TRY)
		return -EBUSY;

	began = sys_clock(sys, CLOCK_MONOTONIC);
	do {
		r = nap(sys, pause);
		if (r < 0 && wait == POOL_WAIT)
			return r;
		r = try_once(sys, path, forks, ret);
		if (r != -EAGAIN)
			return r;
		if (pause < NAP_LONGEST_NS)
			pause *= 2;
	} while (sys_clock(sys, CLOCK_MONOTONIC) - began < limit);
	return wait == POOL_BRIEF ? -EBUSY : -ENETDOWN;
}

void
lock_drop(const struct sys_ops *sys, const struct pool_lock *lock)
{
	/* Unlocked explicitly: a copy of the descriptor in a child of a raw
	 * clone() would keep the lock past the close. */
	sys_flock(sys, lock->fd, LOCK_UN);
	sys_close(sys, lock->fd);
	fork_block_leave(lock->word);
	sys_sigmask(sys, SIG_SETMASK, &lock->signals, NULL);
}
