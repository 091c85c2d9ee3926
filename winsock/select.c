/* SPDX-License-Identifier: MIT */
/*
 * select() on Windows' sets, which are lists: of sockets with any number. And
 * the functions behind FD_SET and its kin.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "winsock/error.h"
#include "winsock/ported.h"
#include "winsock/startup.h"
#include "winsock/usermem.h"
#include "winsock2.h"

struct windows_fd_set {
	u_int count;
	SOCKET array[];
};

WINSOCK_API_LINKAGE int WSAAPI __WSAFDIsSet(SOCKET fd,
					    struct windows_fd_set *set);

#define SETS 3
#define FEW 64

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

static bool
connect_failed(int fd, short revents)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	return revents & POLLERR &&
	       getpeername(fd, (struct sockaddr *)&peer, &size) < 0;
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
	if (which > 0 && exceptional_asked &&
	    connect_failed(at->fd, at->revents))
		return which == 2;
	return at->revents & means[which];
}

/* Leaves in the set what was found. */
static u_int
keep(struct windows_fd_set *set, const struct pollfd *at, int which,
     const struct windows_fd_set *exceptional)
{
	u_int kept = 0;

	for (u_int i = 0; i < set->count; i++) {
		SOCKET s = set->array[i];
		bool asked =
			which == 2 ||
			(which == 1 && exceptional &&
			 __WSAFDIsSet(s, (struct windows_fd_set *)exceptional));

		if (found(&at[i], which, asked))
			set->array[kept++] = s;
	}
	set->count = kept;
	return kept;
}

static int
all_sockets(const struct pollfd *at, u_int n)
{
	for (u_int i = 0; i < n; i++)
		if (at[i].revents & POLLNVAL)
			return wsa_fail(ENOTSOCK);
	return 0;
}

static int
wait_for_them(struct windows_fd_set *const sets[SETS], struct pollfd *polled,
	      u_int n, const struct timespec *time)
{
	static const short asks[SETS] = {POLLIN, POLLOUT, POLLPRI};
	u_int at = 0;
	u_int count = 0;

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
	if (wsa_plain(ppoll(polled, n, time, NULL)) < 0 ||
	    all_sockets(polled, n) < 0)
		return -1;
	/* The exceptional ones last: the writable ones are looked for there. */
	at = 0;
	for (int which = 0; which < SETS; which++) {
		u_int size = sets[which] ? sets[which]->count : 0;

		if (size)
			count += keep(sets[which], &polled[at], which, sets[2]);
		at += size;
	}
	return (int)count;
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
	struct pollfd few[FEW];
	struct pollfd *polled = few;
	struct timeval left = {0};
	struct timespec time;
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
		n += count;
	}
	if (timeout && usermem_read(&left, timeout, sizeof(left)) < 0)
		return wsa_fail(EFAULT);
	if (n == 0 || left.tv_sec < 0 || left.tv_usec < 0)
		return wsa_fail(EINVAL);
	if (n > FEW)
		polled = calloc(n, sizeof(*polled));
	if (!polled)
		return wsa_fail(ENOBUFS);
	time.tv_sec = left.tv_sec + left.tv_usec / 1000000;
	time.tv_nsec = left.tv_usec % 1000000 * 1000;
	r = wait_for_them(sets, polled, n, timeout ? &time : NULL);
	if (polled != few)
		free(polled);
	if (r >= 0)
		errno = before;
	return r;
}
