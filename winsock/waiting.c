/* SPDX-License-Identifier: MIT */
#include "winsock/waiting.h"

#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "winsock/cookie.h"
#include "winsock/monitor.h"
#include "winsock/state.h"

#define NS 1000000000u
/* A call may be one that a signal handler has interrupted which closes the
 * socket: it is not waited for without end. */
#define EXPEL_MS 1000
#define RING_NS 5000000

/* A socket that is connected to itself. Polls wait for it, too. */
static _Atomic int bell = -1;
static _Atomic uint64_t bell_cookie;
static atomic_bool watched; /* forks are told of */

/* A count, and above it the generation: what is counted in an older one is not
 * there any more. */
#define ONE_GENERATION ((uint64_t)1 << 32)
#define NUMBER(count) ((uint32_t)(count))
#define GENERATION(count) ((uint32_t)((count) >> 32))

static void
give_up(_Atomic uint64_t *count)
{
	uint64_t was = atomic_load(count);

	while (NUMBER(was) &&
	       !atomic_compare_exchange_weak(count, &was,
					     (was & ~(ONE_GENERATION - 1)) +
						     ONE_GENERATION))
		;
}

static void
give_up_all(struct state_waiting *waiting)
{
	for (int i = 0; i <= WAITING_FOR_SOME; i++)
		give_up(&waiting->count[i]);
}

static void
forget_one(int fd, struct state_waiting *waiting)
{
	(void)fd;
	give_up_all(waiting);
	atomic_store(&waiting->closing, 0);
}

/* The program may have closed it, and the number be another file's. */
static bool
is_bell(int fd)
{
	return fd >= 0 && socket_cookie(fd) == atomic_load(&bell_cookie);
}

/* The threads that waited are not in the child of a fork, and the bell is its
 * parent's. */
static void
forget(void)
{
	int fd = atomic_exchange(&bell, -1);

	if (is_bell(fd))
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

void
waiting_new(int fd)
{
	struct state_waiting *waiting = state_waiting(fd, false);

	if (waiting)
		give_up_all(waiting);
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

static uint32_t
begin(_Atomic uint64_t *count)
{
	return GENERATION(atomic_fetch_add(count, 1));
}

/* The half of the word that the kernel looks at. */
static void *
number_of(_Atomic uint64_t *count)
{
	char *half = (char *)count;

	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? half : half + 4;
}

/* False: it was given up. */
static bool
end(_Atomic uint64_t *count, uint32_t generation, struct state_waiting *waiting)
{
	uint64_t was = atomic_load(count);

	while (GENERATION(was) == generation && NUMBER(was) &&
	       !atomic_compare_exchange_weak(count, &was, was - 1))
		;
	if (GENERATION(was) == generation && NUMBER(was) == 1 &&
	    atomic_load(&waiting->closing))
		syscall(SYS_futex, number_of(count), FUTEX_WAKE_PRIVATE,
			INT_MAX, NULL, NULL, 0);
	return GENERATION(was) == generation;
}

bool
waiting_begin(struct waiting *waiting, int fd, enum waiting_for what)
{
	struct state_waiting *counts = find_or_make(fd);

	*waiting = (struct waiting){fd, what, 0};
	if (!counts)
		return true;
	waiting->generation = begin(&counts->count[what]);
	return !is_closing(fd, counts);
}

bool
waiting_end(const struct waiting *waiting)
{
	struct state_waiting *counts = state_waiting(waiting->fd, false);
	bool closing = counts && is_closing(waiting->fd, counts);

	/* A call that comes late finds another socket there, or none. */
	return !counts || (end(&counts->count[waiting->what],
			       waiting->generation, counts) &&
			   !closing);
}

/* Until the count is 0, or the time has come. */
static void
wait_for_none(_Atomic uint64_t *count, uint64_t until)
{
	uint32_t n;
	uint64_t now;

	while ((n = NUMBER(atomic_load(count))) != 0 &&
	       (now = monitor_clock()) < until) {
		const struct timespec left = {
			.tv_sec = (time_t)((until - now) / NS),
			.tv_nsec = (long)((until - now) % NS)};

		syscall(SYS_futex, number_of(count), FUTEX_WAIT_PRIVATE, n,
			&left, NULL, 0);
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
ring_until_none(_Atomic uint64_t *polls, uint64_t until)
{
	int ringing = atomic_load(&bell);
	uint64_t now;
	char byte;

	while (NUMBER(atomic_load(polls)) && (now = monitor_clock()) < until &&
	       is_bell(ringing)) {
		send(ringing, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		wait_for_none(polls,
			      now + RING_NS < until ? now + RING_NS : until);
	}
	while (is_bell(ringing) &&
	       recv(ringing, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
		;
}

/*
 * A call that waits to hear needs no more than that nothing can be heard: an
 * end that is sent would come before the reset of a hard close. A socket
 * without a peer is woken all the same.
 */
static void
expel(int fd, struct state_waiting *waiting)
{
	uint64_t until = monitor_after(EXPEL_MS);

	if (NUMBER(atomic_load(&waiting->count[WAITING_TO_HEAR])))
		shutdown(fd, SHUT_RD);
	if (NUMBER(atomic_load(&waiting->count[WAITING_TO_SEND])))
		shutdown(fd, SHUT_WR);
	ring_until_none(&waiting->count[WAITING_FOR_SOME], until);
	for (int i = 0; i <= WAITING_FOR_SOME; i++)
		wait_for_none(&waiting->count[i], until);
	/* Those that are left have left by a jump. */
	give_up_all(waiting);
}

static bool
any(struct state_waiting *waiting)
{
	bool found = false;

	for (int i = 0; i <= WAITING_FOR_SOME; i++)
		found |= NUMBER(atomic_load(&waiting->count[i])) != 0;
	return found;
}

void
waiting_expel(int fd)
{
	struct state_waiting *waiting = state_waiting(fd, false);
	int before = errno;

	if (waiting && any(waiting))
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

	if (!any(waiting))
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

#define FEW 64

struct poll {
	struct pollfd *polled;
	unsigned int n;
	bool aside;
	uint32_t *generation; /* of each one's count */
	uint32_t few[FEW];
};

/* -1: it is no socket. */
static int
socket_at(const struct poll *poll, unsigned int i)
{
	int fd = poll->polled[i].fd;

	return fd < 0 && poll->aside ? -1 - fd : fd;
}

static bool
begin_poll(struct poll *poll)
{
	poll->generation = poll->few;
	if (poll->n > FEW)
		poll->generation = malloc(poll->n * sizeof(uint32_t));
	if (!poll->generation)
		return false;
	for (unsigned int i = 0; i < poll->n; i++) {
		int fd = socket_at(poll, i);
		struct state_waiting *waiting =
			fd < 0 ? NULL : find_or_make(fd);

		poll->polled[i].revents = 0;
		poll->generation[i] = 0;
		if (waiting)
			poll->generation[i] =
				begin(&waiting->count[WAITING_FOR_SOME]);
	}
	return true;
}

static void
end_poll(void *what)
{
	struct poll *poll = what;

	for (unsigned int i = 0; i < poll->n; i++) {
		int fd = socket_at(poll, i);
		struct state_waiting *waiting =
			fd < 0 ? NULL : state_waiting(fd, false);

		if (waiting)
			end(&waiting->count[WAITING_FOR_SOME],
			    poll->generation[i], waiting);
	}
	if (poll->generation != poll->few)
		free(poll->generation);
}

static int
make_bell(void)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(own);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* The kernel chooses a name, which is no file's. */
	if (fd < 0 ||
	    (bind(fd, (struct sockaddr *)&own, sizeof(own.sun_family)) == 0 &&
	     getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
	     connect(fd, (struct sockaddr *)&own, size) == 0))
		return fd;
	close(fd);
	return -1;
}

/* Without descriptors a close ends no poll. */
static void
open_bell(void)
{
	int fd;

	if (is_bell(atomic_load(&bell)))
		return;
	monitor_enter();
	fd = is_bell(atomic_load(&bell)) ? -1 : make_bell();
	if (fd >= 0) {
		atomic_store(&bell_cookie, socket_cookie(fd));
		atomic_store(&bell, fd);
	}
	monitor_leave();
}

/* Is the socket being closed, or was closed since we were counted? */
static bool
is_ending(const struct poll *poll, unsigned int i)
{
	int fd = socket_at(poll, i);
	struct state_waiting *waiting =
		fd < 0 ? NULL : state_waiting(fd, false);

	return waiting &&
	       (is_closing(fd, waiting) ||
		GENERATION(atomic_load(&waiting->count[WAITING_FOR_SOME])) !=
			poll->generation[i]);
}

static int
mark_closing(const struct poll *poll)
{
	int count = 0;

	for (unsigned int i = 0; i < poll->n; i++) {
		struct pollfd *at = &poll->polled[i];

		if (is_ending(poll, i))
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
	const struct timespec *time = until == MONITOR_FOR_EVER ? NULL : &left;
	int n;

	*own = (struct pollfd){.fd = atomic_load(&bell), .events = POLLIN};
	n = ppoll(poll->polled, poll->n + 1, time, NULL);
	/* As many as a process may have descriptors, and no more. */
	if (n < 0 && errno == EINVAL)
		n = ppoll(poll->polled, poll->n, time, NULL);
	*ret_rung = n > 0 && own->revents;
	return n > 0 ? mark_closing(poll) : n;
}

int
waiting_poll(struct pollfd *polled, unsigned int n, bool aside, uint64_t until)
{
	struct poll self = {.polled = polled, .n = n, .aside = aside};
	bool rung = false;
	int found;

	if (monitor_clock() >= until || !begin_poll(&self))
		return poll(polled, n, 0);
	pthread_cleanup_push(end_poll, &self);
	open_bell();
	/* One that was being closed before we were counted. */
	found = mark_closing(&self);
	while (found == 0) {
		found = poll_once(&self, until, &rung);
		if (found || !rung || monitor_clock() >= until)
			break;
		/* It rings for another's socket, whose close is about to
		 * silence it; or it is no bell any more. */
		sched_yield();
		open_bell();
	}
	pthread_cleanup_pop(1);
	return found;
}
