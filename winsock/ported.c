/* SPDX-License-Identifier: MIT */
#include "winsock/ported.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "winsock/error.h"
#include "winsock/socket.h"
#include "winsock/usermem.h"

const struct sockaddr *
linux_address(const struct sockaddr *address, socklen_t size,
	      struct sockaddr_storage *room)
{
	if (size < sizeof(sa_family_t) || size > sizeof(*room) ||
	    usermem_read(room, address, size) < 0 ||
	    room->ss_family != WINDOWS_AF_INET6)
		return address;
	room->ss_family = AF_INET6;
	return (struct sockaddr *)room;
}

int
portres_socket(int family, int type, int protocol)
{
	return socket_make(family, type, protocol, true);
}

static int
flags_of(int fd)
{
	return fcntl(fd, F_GETFL);
}

/* The new socket takes after the one that listens. */
int
portres_accept(int fd, struct sockaddr *address, socklen_t *size)
{
	int before = errno;
	int made = (int)wsa_plain(accept(fd, address, size));

	if (made < 0)
		return -1;
	if (flags_of(fd) & O_NONBLOCK)
		fcntl(made, F_SETFL, flags_of(made) | O_NONBLOCK);
	errno = before;
	return made;
}

int
portres_listen(int fd, int backlog)
{
	return (int)wsa_answer(listen(fd, backlog));
}

int
portres_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	struct sockaddr_storage room;

	return (int)wsa_answer(
		bind(fd, linux_address(address, size, &room), size));
}

static bool
blocks(int fd, int flags)
{
	int err = errno;
	int status = flags_of(fd);

	errno = err;
	return !(flags & MSG_DONTWAIT) && status >= 0 && !(status & O_NONBLOCK);
}

/* A time limit on a socket that blocks is EAGAIN here. */
static long
timed(int fd, int flags, long r)
{
	wsa_answer(r);
	if (r < 0 && errno == EAGAIN && blocks(fd, flags))
		wsa_beside(WSAETIMEDOUT, EAGAIN);
	return r;
}

int
portres_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	struct sockaddr_storage room;
	int r = (int)wsa_answer(
		connect(fd, linux_address(address, size, &room), size));

	if (r < 0 && errno == EINPROGRESS)
		wsa_beside(blocks(fd, 0) ? WSAETIMEDOUT : WSAEWOULDBLOCK,
			   EINPROGRESS);
	return r;
}

/* Windows has no SIGPIPE to kill the program with. */
ssize_t
portres_send(int fd, const void *buffer, size_t n, int flags)
{
	return timed(fd, flags, send(fd, buffer, n, flags | MSG_NOSIGNAL));
}

ssize_t
portres_sendto(int fd, const void *buffer, size_t n, int flags,
	       const struct sockaddr *address, socklen_t size)
{
	struct sockaddr_storage room;

	return timed(fd, flags,
		     sendto(fd, buffer, n, flags | MSG_NOSIGNAL,
			    linux_address(address, size, &room), size));
}

ssize_t
portres_recv(int fd, void *buffer, size_t n, int flags)
{
	return timed(fd, flags, recv(fd, buffer, n, flags));
}

ssize_t
portres_recvfrom(int fd, void *buffer, size_t n, int flags,
		 struct sockaddr *address, socklen_t *size)
{
	return timed(fd, flags, recvfrom(fd, buffer, n, flags, address, size));
}

static bool
connect_failed(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLOUT};
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	return poll(&look, 1, 0) == 1 && look.revents & POLLERR &&
	       getpeername(fd, (struct sockaddr *)&peer, &size) < 0;
}

/*
 * A connect that failed makes a socket writable here and exceptional there;
 * programs learn from the difference. Returns the number of changes to the
 * number of bits.
 */
static int
move_failed(fd_set *writable, fd_set *exceptional, const fd_set *asked)
{
	int moved = 0;

	for (int fd = 0; fd < FD_SETSIZE; fd++) {
		if (!FD_ISSET(fd, writable) || !FD_ISSET(fd, asked) ||
		    !connect_failed(fd))
			continue;
		FD_CLR(fd, writable);
		if (FD_ISSET(fd, exceptional))
			moved--;
		FD_SET(fd, exceptional);
	}
	return moved;
}

/* The number of descriptors means nothing there, and the time is kept. */
int
portres_select(int unused, fd_set *readable, fd_set *writable,
	       fd_set *exceptional, const struct timeval *timeout)
{
	int before = errno;
	struct timeval left;
	fd_set asked;
	int n;

	(void)unused;
	if (!readable && !writable && !exceptional)
		return wsa_fail(EINVAL);
	if (timeout && usermem_read(&left, timeout, sizeof(left)) < 0)
		return wsa_fail(EFAULT);
	if (exceptional && usermem_read(&asked, exceptional, sizeof(asked)) < 0)
		return wsa_fail(EFAULT);
	n = (int)wsa_plain(select(FD_SETSIZE, readable, writable, exceptional,
				  timeout ? &left : NULL));
	if (n > 0 && writable && exceptional)
		n += move_failed(writable, exceptional, &asked);
	if (n >= 0)
		errno = before;
	return n;
}
