/* SPDX-License-Identifier: MIT */
#include "winsock/socket.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>

#include "winsock/error.h"

#define NUMBERS 65536 /* descriptors above are all overlapped */

/* The socket, by cookie, that has the number and was made to block. A number
 * that is another socket's by now has another cookie. */
static _Atomic uint64_t blocking_at[NUMBERS];

int
socket_of(SOCKET s)
{
	int type;
	socklen_t size = sizeof(type);

	if (s > INT_MAX)
		return -ENOTSOCK;
	/* A descriptor may well be a file: closesocket must not close that. */
	if (getsockopt((int)s, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	return (int)s;
}

uint64_t
socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return cookie;
}

bool
socket_overlapped(int fd)
{
	uint64_t blocking = fd < NUMBERS ? atomic_load(&blocking_at[fd]) : 0;

	return blocking == 0 || socket_cookie(fd) != blocking;
}

/*
 * Type 0 leaves the type to the protocol, and protocol 0 too means TCP. An
 * IPv6 socket is for IPv6 alone until it is told otherwise, unlike Linux'.
 */
int
socket_make(int family, int type, int protocol, bool overlapped)
{
	static const int on = 1;
	int flags = type & (SOCK_CLOEXEC | SOCK_NONBLOCK);
	int before = errno;
	int fd;

	family = linux_family(family);
	type &= ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (type == 0 && (family == AF_INET || family == AF_INET6))
		type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	fd = (int)wsa_plain(socket(family, type | flags, protocol));
	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (!overlapped && fd < NUMBERS)
		atomic_store(&blocking_at[fd], socket_cookie(fd));
	errno = before;
	return fd;
}
