/* SPDX-License-Identifier: MIT */
/*
 * select() on Windows' sets, which are lists: of sockets with any number. And
 * the functions behind FD_SET and its kin.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "winsock/attempt.h"
#include "winsock/error.h"
#include "winsock/monitor.h"
#include "winsock/ported.h"
#include "winsock/startup.h"
#include "winsock/usermem.h"
#include "winsock/waiting.h"
#include "winsock2.h"

struct windows_fd_set {
	u_int count;
	SOCKET array[];
};

WINSOCK_API_LINKAGE int WSAAPI __WSAFDIsSet(SOCKET fd,
					    struct windows_fd_set *set);

#define SETS 3
#define FEW 64
#define MOMENT_MS 10
#define MOST (1u << 24)	  /* entries: no process has as many */
#define A_LIFE 1000000000 /* seconds */

int WSAAPI
__WSAFDIsSet(SOCKET fd, struct windows_fd_set *set)
{
	for (u_int i = 0; i < set->count; i++)
		if (set->array[i] == fd)
			return 1;
	return 0;
}

void
portres_fd_clr(SOCKET fd, u_int *count, SOCKET *array)
{
	for (u_int i = 0; i < *count; i++) {
		if (array[i] != fd)
			continue;
		for (--*count; i < *count; i++)
			array[i] = array[i + 1];
	}
}

void
portres_fd_put(SOCKET fd, u_int *count, SOCKET *array, u_int size)
{
	u_int i = 0;

	while (i < *count && array[i] != fd)
		i++;
	if (i < *count || i == size)
		return;
	array[i] = fd;
	++*count;
}

/* The kernel's poll() hangs up on a stream that was never connected, and finds
 * that it can be written to; Windows' waits until there is a connection. */
static bool
never_connected(int fd, short revents)
{
	struct pollfd look = {.fd = fd, .events = POLLRDHUP};

	return revents & POLLHUP && !(revents & POLLERR) &&
	       poll(&look, 1, 0) > 0 && !(look.revents & POLLRDHUP);
}

/* The events that select() of Linux would report. */
static short
found(const struct pollfd *at, int which, bool exceptional_asked)
{
	static const short means[SETS] = {
		POLLIN | POLLHUP | POLLERR,
		POLLOUT | POLLERR,
		POLLPRI,
	};

	/* A connect that failed makes a socket writable here and exceptional
	 * there; programs learn from the difference. */
	if (exceptional_asked && at->revents & POLLERR &&
	    attempt_failed(at->fd))
		return which == 2;
	if (never_connected(at->fd, at->revents))
		return 0;
	return at->revents & means[which];
}

static bool
is_in(SOCKET s, const struct windows_fd_set *set)
{
	return set && __WSAFDIsSet(s, (struct windows_fd_set *)set);
}

/* How many sockets of the set were found; with `keep` only they stay in it. */
static u_int
count_found(struct windows_fd_set *set, const struct pollfd *at, int which,
	    const struct windows_fd_set *exceptional, bool keep)
{
	u_int kept = 0;

	for (u_int i = 0; i < set->count; i++) {
		SOCKET s = set->array[i];

		if (!at[i].revents ||
		    !found(&at[i], which, which == 2 || is_in(s, exceptional)))
			continue;
		if (keep)
			set->array[kept] = s;
		kept++;
	}
	if (keep)
		set->count = kept;
	return kept;
}

/* The exceptional ones last: the others are looked for there. */
static u_int
count_all(struct windows_fd_set *const sets[SETS], const struct pollfd *polled,
	  bool keep)
{
	u_int at = 0, count = 0;

	for (int which = 0; which < SETS; which++) {
		u_int size = sets[which] ? sets[which]->count : 0;

		if (size)
			count += count_found(sets[which], &polled[at], which,
					     sets[2], keep);
		at += size;
	}
	return count;
}

static int
all_sockets(const struct pollfd *at, u_int n)
{
	for (u_int i = 0; i < n; i++)
		if (at[i].revents & POLLNVAL)
			return wsa_fail(ENOTSOCK);
	return 0;
}

/* Puts aside those that were reported; with `back` takes all in again. Returns
 * whether any is aside. */
static bool
put_aside(struct pollfd *polled, u_int n, bool back)
{
	bool any = false;

	for (u_int i = 0; i < n; i++) {
		if (polled[i].fd < 0 ? back : polled[i].revents != 0 && !back)
			polled[i].fd = -1 - polled[i].fd;
		any |= polled[i].fd < 0;
	}
	return any;
}

/*
 * Waits until some are found. Those that the kernel only ever reports for what
 * nobody asked, and at once, are put aside for a moment, again and again:
 * another thread may connect one.
 */
static int
poll_until_found(struct windows_fd_set *const sets[SETS], struct pollfd *polled,
		 u_int n, uint64_t until)
{
	uint64_t moment = MONITOR_FOR_EVER, now;

	for (;;) {
		if (wsa_plain(waiting_poll(polled, n, true,
					   moment < until ? moment : until)) <
			    0 ||
		    all_sockets(polled, n) < 0)
			return -1;
		now = monitor_clock();
		if (count_all(sets, polled, false) || now >= until)
			return 0;
		if (now >= moment) {
			put_aside(polled, n, true);
			moment = MONITOR_FOR_EVER;
		} else if (put_aside(polled, n, false) &&
			   moment == MONITOR_FOR_EVER) {
			moment = monitor_after(MOMENT_MS);
		}
	}
}

static int
wait_for_them(struct windows_fd_set *const sets[SETS], struct pollfd *polled,
	      u_int n, uint64_t until)
{
	static const short asks[SETS] = {POLLIN, POLLOUT, POLLPRI};
	u_int at = 0;

	for (int which = 0; which < SETS; which++)
		for (u_int i = 0; sets[which] && i < sets[which]->count; i++)
			polled[at++] = (struct pollfd){
				.fd = (int)sets[which]->array[i],
				.events = asks[which],
			};
	/* A negative number is none to poll(), and no socket either. */
	for (u_int i = 0; i < n; i++)
		if (polled[i].fd < 0)
			return wsa_fail(ENOTSOCK);
	if (poll_until_found(sets, polled, n, until) < 0)
		return -1;
	return (int)count_all(sets, polled, true);
}

/* The number of descriptors means nothing there, and the time is kept. */
int
portres_select(int unused, struct windows_fd_set *readable,
	       struct windows_fd_set *writable,
	       struct windows_fd_set *exceptional,
	       const struct timeval *timeout)
{
	struct windows_fd_set *const sets[SETS] = {readable, writable,
						   exceptional};
	struct pollfd few[FEW + 1];
	struct pollfd *polled = few;
	struct timeval left = {0};
	uint64_t until = MONITOR_FOR_EVER;
	int before = errno;
	u_int n = 0;
	u_int count;
	int r;

	(void)unused;
	if (wsa_missing())
		return -1;
	for (int i = 0; i < SETS; i++) {
		if (!sets[i])
			continue;
		if (usermem_read(&count, &sets[i]->count, sizeof(count)) < 0)
			return wsa_fail(EFAULT);
		if (count > MOST - n)
			return wsa_fail(EINVAL);
		n += count;
	}
	if (timeout && usermem_read(&left, timeout, sizeof(left)) < 0)
		return wsa_fail(EFAULT);
	if (n == 0 || left.tv_sec < 0 || left.tv_usec < 0)
		return wsa_fail(EINVAL);
	if (n > FEW)
		polled = calloc((size_t)n + 1, sizeof(*polled));
	if (!polled)
		return wsa_fail(ENOBUFS);
	if (timeout && left.tv_sec < A_LIFE && left.tv_usec / 1000000 < A_LIFE)
		until = monitor_clock() + (uint64_t)left.tv_sec * 1000000000 +
			(uint64_t)left.tv_usec * 1000;
	r = wait_for_them(sets, polled, n, until);
	if (polled != few)
		free(polled);
	if (r >= 0)
		errno = before;
	return r;
}
