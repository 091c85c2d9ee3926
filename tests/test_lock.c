/* SPDX-License-Identifier: MIT */
/* Waiting for the pool's lock: bounded, interruptible, without a trace. */
#include "core/pool/lock.h"

#include <sched.h>
#include <sys/time.h>

#include "tests/kernel.h"
#include "tests/peer.h"
#include "tests/rig.h"

/* A process that is inside the pool until it is told to leave. */
static struct peer
holder_fork(struct pool *pool)
{
	struct peer peer = peer_fork();
	struct pool_lock lock;

	if (peer.pid == 0) {
		child_assert(pool_enter(pool, POOL_WAIT, &lock) == 0);
		peer_tell(&peer);
		peer_hear(&peer);
		pool_leave(pool, &lock);
		_exit(0);
	}
	cr_assert(peer_hear(&peer));
	return peer;
}

static struct peer holder;
static volatile sig_atomic_t ticks;

static void
on_tick(int signal)
{
	(void)signal;
	if (++ticks == 20)
		peer_tell(&holder);
}

/* SIGALRM every 2 ms, so that one is sure to come during a nap. */
static void
tick(int flags)
{
	struct sigaction action = {.sa_handler = on_tick, .sa_flags = flags};
	struct itimerval each = {{0, 2000}, {0, 2000}};

	cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
	cr_assert_eq(setitimer(ITIMER_REAL, &each, NULL), 0);
}

static void
tick_no_more(void)
{
	cr_assert_eq(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL), 0);
}

CHECK(lock, try_does_not_wait)
{
	struct pool pool = rig_pool();
	struct pool_lock lock;

	holder = holder_fork(&pool);
	cr_assert_eq(pool_enter(&pool, POOL_TRY, &lock), -EBUSY);
	cr_assert_eq(rig_gate, 0);
	peer_tell(&holder);
	peer_verdict(peer_end(&holder));
	cr_assert_eq(pool_enter(&pool, POOL_TRY, &lock), 0);
	pool_leave(&pool, &lock);
	pool_close(&pool);
}

static void
interrupts(const struct sys_ops *sys)
{
	struct pool pool = rig_pool();
	struct pool_lock lock;
	int fds = fd_count() + 2; /* the peer's */

	holder = holder_fork(&pool);
	pool.sys = sys;
	ticks = -1000000;
	tick(0);
	cr_assert_eq(pool_enter(&pool, POOL_WAIT, &lock), -EINTR);
	tick_no_more();
	cr_assert_gt(ticks, -1000000);
	cr_assert_eq(rig_gate, 0);
	cr_assert_eq(fd_count(), fds);
	peer_tell(&holder);
	peer_verdict(peer_end(&holder));
	pool_close(&pool);
}

static void
does_not_interrupt(const struct sys_ops *sys)
{
	struct pool pool = rig_pool();
	struct pool_lock lock;

	holder = holder_fork(&pool);
	pool.sys = sys;
	ticks = 0;
	tick(SA_RESTART);
	cr_assert_eq(pool_enter(&pool, POOL_WAIT, &lock), 0);
	/* The 20th tick ended the holder. */
	cr_assert_geq(ticks, 20);
	tick_no_more();
	pool_leave(&pool, &lock);
	peer_verdict(peer_end(&holder));
	pool_close(&pool);
}

/* Linux before 5.16, or a sandbox: naps are on a timer. */
static struct kernel_refusing
kernel_of_timers(void)
{
	return kernel_refusing(SYS_futex_waitv, -ENOSYS, NULL);
}

CHECK(lock, a_handler_without_restart_interrupts)
{
	struct kernel_refusing kernel = kernel_of_timers();

	interrupts(&sys_kernel);
	interrupts(&kernel.ops);
	cr_assert_gt(kernel.asked, 0);
}

CHECK(lock, a_handler_with_restart_does_not)
{
	struct kernel_refusing kernel = kernel_of_timers();

	does_not_interrupt(&sys_kernel);
	does_not_interrupt(&kernel.ops);
	cr_assert_gt(kernel.asked, 0);
}

static bool
naps_on_futexes(void)
{
	uint32_t word = 0;

	return sys_wait_until(&sys_kernel, &word, 0, 1) != -ENOSYS;
}

/* Another thread may fork meanwhile, and the child would have it. */
CHECK(lock, no_descriptor_is_open_during_a_nap)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_timerfd_create, -EMFILE, NULL);
	struct kernel_refusing old = kernel_of_timers();

	old.behind = &kernel.ops;
	does_not_interrupt(&old.ops);
	cr_assert_gt(kernel.asked, 0);
	if (!naps_on_futexes())
		SKIP("before Linux 5.16");
	kernel.asked = 0;
	does_not_interrupt(&kernel.ops);
	cr_assert_eq(kernel.asked, 0);
}

CHECK(lock, signals_wait_outside)
{
	struct pool pool = rig_pool();
	struct pool_lock lock;
	sigset_t some, inside, after;

	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	sigprocmask(SIG_BLOCK, &some, NULL);
	ticks = 0;
	signal(SIGUSR1, on_tick);
	lock = rig_enter(&pool);
	raise(SIGUSR1);
	cr_assert_eq(ticks, 0);
	sigprocmask(SIG_SETMASK, NULL, &inside);
	for (int s = 1; s < 32; s++)
		cr_assert(sigismember(&inside, s) || s == SIGKILL ||
				  s == SIGSTOP,
			  "signal %d", s);
	pool_leave(&pool, &lock);
	cr_assert_eq(ticks, 1);
	sigprocmask(SIG_SETMASK, NULL, &after);
	cr_assert(sigismember(&after, SIGUSR2));
	cr_assert_not(sigismember(&after, SIGUSR1));
	sigprocmask(SIG_UNBLOCK, &some, NULL);
	pool_close(&pool);
}

/*
 * fork() in one thread while another is inside: the child has no such thread.
 * And a child of vfork that is killed inside leaves its number in our memory.
 */
CHECK(lock, the_gate_of_another_process_is_taken_over)
{
	struct pool pool = rig_pool();
	struct pool_lock lock;

	rig_gate = (uint32_t)getppid();
	cr_assert_eq(pool_enter(&pool, POOL_TRY, &lock), 0);
	cr_assert_eq(rig_gate, (uint32_t)getpid());
	pool_leave(&pool, &lock);
	cr_assert_eq(rig_gate, 0);
	pool_close(&pool);
}

CHECK(lock, the_gate_keeps_our_own_threads_apart)
{
	struct pool pool = rig_pool();
	struct pool_lock lock;
	int fds = fd_count();

	rig_gate = (uint32_t)getpid();
	cr_assert_eq(pool_enter(&pool, POOL_TRY, &lock), -EBUSY);
	cr_assert_eq(rig_gate, (uint32_t)getpid());
	cr_assert_eq(fd_count(), fds);
	rig_gate = 0;
	cr_assert_eq(pool_enter(&pool, POOL_TRY, &lock), 0);
	pool_leave(&pool, &lock);
	pool_close(&pool);
}

/* A clock that each question moves on by `step`: no time passes here. */
static void
expect_end_after_5_s(uint64_t step)
{
	struct kernel_timeless kernel = kernel_timeless(step);
	struct pool pool = rig_pool();
	struct pool_lock lock;
	uint64_t began = kernel.now;
	int fds;

	pool.sys = &kernel.ops;
	holder = holder_fork(&pool);
	fds = fd_count();
	cr_assert_eq(pool_enter(&pool, POOL_WAIT, &lock), -ENETDOWN);
	cr_assert_geq(kernel.now - began, 5000000000u);
	cr_assert_leq(kernel.now - began, 5100000000u + 2 * step);
	cr_assert_eq(fd_count(), fds);
	cr_assert_eq(rig_gate, 0);
	peer_tell(&holder);
	peer_verdict(peer_end(&holder));
	cr_assert_eq(pool_enter(&pool, POOL_WAIT, &lock), 0);
	pool_leave(&pool, &lock);
	pool_close(&pool);
}

/* A bind did not ask for the pool: its program is not to wait for a stranger.
 */
CHECK(lock, a_brief_wait_ends_after_a_tenth_of_a_second)
{
	struct kernel_timeless kernel = kernel_timeless(0);
	struct pool pool = rig_pool();
	struct pool_lock lock;
	uint64_t began = kernel.now;

	pool.sys = &kernel.ops;
	holder = holder_fork(&pool);
	cr_assert_eq(pool_enter(&pool, POOL_BRIEF, &lock), -EBUSY);
	cr_assert_geq(kernel.now - began, 100000000u);
	cr_assert_leq(kernel.now - began, 110000000u);
	cr_assert_eq(rig_gate, 0);
	peer_tell(&holder);
	peer_verdict(peer_end(&holder));
	cr_assert_eq(pool_enter(&pool, POOL_BRIEF, &lock), 0);
	pool_leave(&pool, &lock);
	pool_close(&pool);
}

CHECK(lock, waiting_ends_after_5_s)
{
	expect_end_after_5_s(0);
	expect_end_after_5_s(700000000);
}

/* A copy of the descriptor in a child of a raw clone() is not the lock. */
CHECK(lock, leaving_unlocks_for_inherited_descriptors_too)
{
	struct pool pool = rig_pool();
	struct pool_lock lock = rig_enter(&pool);
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		peer_tell(&peer);
		peer_hear(&peer);
		_exit(0);
	}
	cr_assert(peer_hear(&peer));
	pool_leave(&pool, &lock);
	cr_assert_eq(pool_enter(&pool, POOL_TRY, &lock), 0);
	pool_leave(&pool, &lock);
	peer_verdict(peer_end(&peer));
	pool_close(&pool);
}

/* No nap ends by itself. */
static long
kernel_drowsy(const struct sys_ops *sys, long nr, const long arg[6])
{
	const struct timespec never = {.tv_sec = INT32_MAX};
	long changed[6];

	(void)sys;
	if (nr != SYS_futex_waitv)
		return kernel_real(nr, arg);
	memcpy(changed, arg, sizeof(changed));
	changed[3] = (long)&never;
	return kernel_real(nr, changed);
}

/* The system call that the process sleeps in, -1 when in none. */
static int
sleeps_in(pid_t pid)
{
	char path[64];
	int nr = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	file = fopen(path, "re");
	cr_assert(file);
	if (fscanf(file, "%d", &nr) != 1)
		nr = -1;
	fclose(file);
	return nr;
}

CHECK(lock, a_drop_wakes_one_that_waits)
{
	const struct sys_ops drowsy = {.call = kernel_drowsy};
	struct pool pool = rig_pool();
	struct pool_lock lock = rig_enter(&pool);
	struct peer peer;

	if (!naps_on_futexes())
		SKIP("before Linux 5.16");
	peer = peer_fork();
	if (peer.pid == 0) {
		pool.sys = &drowsy;
		child_assert(pool_enter(&pool, POOL_WAIT, &lock) == 0);
		pool_leave(&pool, &lock);
		_exit(0);
	}
	while (sleeps_in(peer.pid) != SYS_futex_waitv)
		sched_yield();
	cr_assert_neq(pool.file->header.queue.sleeping, 0);
	pool_leave(&pool, &lock);
	peer_verdict(peer_end(&peer));
	/* Nobody sleeps: the next drop sees to it that none is waked. */
	lock = rig_enter(&pool);
	pool_leave(&pool, &lock);
	cr_assert_eq(pool.file->header.queue.sleeping, 0);
	pool_close(&pool);
}

/* A waker that finds nobody asleep, while one is about to be. */
static struct lock_queue *about_to_sleep;
static bool looked_before;

static long
kernel_late(const struct sys_ops *sys, long nr, const long arg[6])
{
	(void)sys;
	if (nr != SYS_futex)
		return kernel_real(nr, arg);
	/* Its stamp: 1 + the turn that it has seen. */
	about_to_sleep->sleeping = about_to_sleep->turn + 1 - looked_before;
	return 0;
}

/* A drop changes the turn, so that a waiter who looked before it does not go to
 * sleep. A waiter who looked after it does, and the next drop must wake him. */
CHECK(lock, a_drop_forgets_nobody_who_came_after_it)
{
	const struct sys_ops late = {.call = kernel_late};
	struct pool pool = rig_pool();
	struct pool_lock lock;
	uint32_t turn;

	pool.sys = &late;
	about_to_sleep = &pool.file->header.queue;
	for (int before = 0; before < 2; before++) {
		looked_before = before;
		lock = rig_enter(&pool);
		turn = about_to_sleep->turn;
		about_to_sleep->sleeping = turn + 1;
		pool_leave(&pool, &lock);
		cr_assert_eq(about_to_sleep->turn, turn + 1);
		cr_assert_eq(about_to_sleep->sleeping != 0, !before);
	}
	pool_close(&pool);
}

CHECK(lock, a_holder_that_is_killed_wakes_nobody_and_is_not_waited_for)
{
	struct pool pool = rig_pool();
	struct pool_lock lock;
	struct peer peer;

	if (!naps_on_futexes())
		SKIP("before Linux 5.16");
	holder = holder_fork(&pool);
	peer = peer_fork();
	if (peer.pid == 0) {
		child_assert(pool_enter(&pool, POOL_WAIT, &lock) == 0);
		pool_leave(&pool, &lock);
		_exit(0);
	}
	while (sleeps_in(peer.pid) != SYS_futex_waitv)
		sched_yield();
	peer_kill(&holder);
	peer_verdict(peer_end(&peer));
	pool_close(&pool);
}
