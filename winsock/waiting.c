/* SPDX-License-Identifier: MIT */
#include "winsock/waiting.h"

#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "winsock/cookie.h"
#include "winsock/monitor.h"
#include "winsock/state.h"

#define NS 1000000000u
/* A call may be one that a signal handler has interrupted which closes the
 * socket: it is not waited for without end. */
#define EXPEL_MS 100
#define RING_NS 5000000

static _Atomic int bell = -1; /* what polls wait for, too */
static atomic_bool watched;   /* forks are told of */

static void
forget_one(int fd, struct state_waiting *waiting)
{
	(void)fd;
	atomic_store(&waiting->calls, 0);
	atomic_store(&waiting->polls, 0);
	atomic_store(&waiting->closing, 0);
}

/* The threads that waited are not in the child of a fork, and the bell is its
 * parent's. */
static void
forget(void)
{
	int fd = atomic_exchange(&bell, -1);

	if (fd >= 0)
		close(fd);
	state_each_waiting(forget_one);
}

/* NULL without memory: then nobody is counted. */
static struct state_waiting *
find_or_make(int fd)
{
	struct state_waiting *waiting = state_waiting(fd, true);

	if (waiting && !atomic_load(&watched)) {
		monitor_enter();
		monitor_in_child(forget);
		monitor_leave();
		atomic_store(&watched, true);
	}
	return waiting;
}

/* Another socket with that number may be the one that is being closed. */
static bool
is_closing(int fd, struct state_waiting *waiting)
{
	uint64_t closing = atomic_load(&waiting->closing);

	return closing && closing == socket_cookie(fd);
}

bool
waiting_is_closing(int fd)
{
	struct state_waiting *waiting = state_waiting(fd, false);

	return waiting && is_closing(fd, waiting);
}

static bool
begin(int fd, _Atomic uint32_t *count, struct state_waiting *waiting)
{
	atomic_fetch_add(count, 1);
	return !is_closing(fd, waiting);
}

static void
end(_Atomic uint32_t *count, struct state_waiting *waiting)
{
	if (atomic_fetch_sub(count, 1) == 1 && atomic_load(&waiting->closing))
		syscall(SYS_futex, count, FUTEX_WAKE_PRIVATE, INT_MAX, NULL,
			NULL, 0);
}

bool
waiting_begin(int fd)
{
	struct state_waiting *waiting = find_or_make(fd);

	return !waiting || begin(fd, &waiting->calls, waiting);
}

bool
waiting_end(int fd)
{
	struct state_waiting *waiting = state_waiting(fd, false);
	bool closing = waiting && is_closing(fd, waiting);

	if (waiting)
		end(&waiting->calls, waiting);
	return !closing;
}

/* Until the count is 0, or the time has come. */
static void
wait_for_none(_Atomic uint32_t *count, uint64_t until)
{
	uint32_t n;
	uint64_t now;

	while ((n = atomic_load(count)) != 0 &&
	       (now = monitor_clock()) < until) {
		const struct timespec left = {
			.tv_sec = (time_t)((until - now) / NS),
			.tv_nsec = (long)((until - now) % NS)};

		syscall(SYS_futex, count, FUTEX_WAIT_PRIVATE, n, &left, NULL,
			0);
	}
}

uint64_t
waiting_close(int fd)
{
	struct state_waiting *waiting = find_or_make(fd);
	uint64_t cookie = waiting ? socket_cookie(fd) : 0;

	if (cookie)
		atomic_store(&waiting->closing, cookie);
	return cookie;
}

/* Rings now and then, because another's close may have silenced the bell. */
static void
ring_until_none(_Atomic uint32_t *polls, uint64_t until)
{
	const uint64_t one = 1;
	uint64_t count, now;
	int ringing = atomic_load(&bell);

	while (atomic_load(polls) && (now = monitor_clock()) < until &&
	       write(ringing, &one, sizeof(one)) > 0)
		wait_for_none(polls,
			      now + RING_NS < until ? now + RING_NS : until);
	while (read(ringing, &count, sizeof(count)) > 0)
		;
}

static void
expel(int fd, struct state_waiting *waiting)
{
	uint64_t until = monitor_after(EXPEL_MS);

	/* One that has no peer is woken all the same. */
	if (atomic_load(&waiting->calls))
		shutdown(fd, SHUT_RDWR);
	if (atomic_load(&waiting->polls))
		ring_until_none(&waiting->polls, until);
	wait_for_none(&waiting->calls, until);
}

void
waiting_expel(int fd)
{
	struct state_waiting *waiting = state_waiting(fd, false);
	int before = errno;

	if (waiting &&
	    (atomic_load(&waiting->calls) || atomic_load(&waiting->polls)))
		expel(fd, waiting);
	errno = before;
}

void
waiting_closed(int fd, uint64_t which)
{
	struct state_waiting *waiting = state_waiting(fd, false);

	if (waiting && which)
		atomic_compare_exchange_strong(&waiting->closing, &which, 0);
}

static void
expel_one(int fd, struct state_waiting *waiting)
{
	uint64_t which;

	if (!atomic_load(&waiting->calls) && !atomic_load(&waiting->polls))
		return;
	which = waiting_close(fd);
	waiting_expel(fd);
	waiting_closed(fd, which);
}

void
waiting_expel_all(void)
{
	state_each_waiting(expel_one);
}

/* Polls. */

struct poll {
	struct pollfd *polled;
	unsigned int n;
};

static void
begin_poll(const struct poll *poll)
{
	for (unsigned int i = 0; i < poll->n; i++) {
		struct state_waiting *waiting =
			poll->polled[i].fd < 0
				? NULL
				: find_or_make(poll->polled[i].fd);

		poll->polled[i].revents = 0;
		if (waiting)
			atomic_fetch_add(&waiting->polls, 1);
	}
}

static void
end_poll(void *what)
{
	const struct poll *poll = what;

	for (unsigned int i = 0; i < poll->n; i++) {
		struct state_waiting *waiting =
			state_waiting(poll->polled[i].fd, false);

		if (waiting)
			end(&waiting->polls, waiting);
	}
}

/* -1 without descriptors: then a close ends no poll. */
static int
open_bell(void)
{
	int none = -1, made;

	if (atomic_load(&bell) >= 0)
		return atomic_load(&bell);
	made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (made >= 0 && !atomic_compare_exchange_strong(&bell, &none, made))
		close(made);
	return atomic_load(&bell);
}

static int
mark_closing(const struct poll *poll)
{
	int count = 0;

	for (unsigned int i = 0; i < poll->n; i++) {
		struct pollfd *at = &poll->polled[i];

		if (at->fd >= 0 && waiting_is_closing(at->fd))
			at->revents = POLLNVAL;
		count += at->revents != 0;
	}
	return count;
}

static int
poll_once(const struct poll *poll, uint64_t until, bool *ret_rung)
{
	struct pollfd *own = &poll->polled[poll->n];
	uint64_t now = monitor_clock();
	uint64_t ns = until > now ? until - now : 0;
	const struct timespec left = {.tv_sec = (time_t)(ns / NS),
				      .tv_nsec = (long)(ns % NS)};
	int n;

	*own = (struct pollfd){.fd = atomic_load(&bell), .events = POLLIN};
	n = ppoll(poll->polled, poll->n + 1,
		  until == MONITOR_FOR_EVER ? NULL : &left, NULL);
	*ret_rung = n > 0 && own->revents;
	return *ret_rung ? mark_closing(poll) : n;
}

int
waiting_poll(struct pollfd *polled, unsigned int n, uint64_t until)
{
	struct poll self = {polled, n};
	bool rung = false;
	int found;

	if (monitor_clock() >= until)
		return poll(polled, n, 0);
	open_bell();
	begin_poll(&self);
	pthread_cleanup_push(end_poll, &self);
	/* One that was being closed before we were counted. */
	found = mark_closing(&self);
	while (found == 0) {
		found = poll_once(&self, until, &rung);
		if (found || !rung)
			break;
		/* For another's: its close is about to silence it. */
		sched_yield();
	}
	pthread_cleanup_pop(1);
	return found;
}
