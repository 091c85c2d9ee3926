/* SPDX-License-Identifier: MIT */
#include "winsock/socket.h"

#include <errno.h>
#include <limits.h>

#include "winsock/error.h"
#include "winsock/state.h"
#include "winsock/waiting.h"

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

static int
ask(int fd, int name)
{
	int before = errno;
	int value;
	socklen_t size = sizeof(value);
	int r = getsockopt(fd, SOL_SOCKET, name, &value, &size);

	errno = before;
	return r < 0 ? -1 : value;
}

int
socket_type(int fd)
{
	return ask(fd, SO_TYPE);
}

int
socket_family(int fd)
{
	return ask(fd, SO_DOMAIN);
}

bool
socket_listens(int fd)
{
	return ask(fd, SO_ACCEPTCONN) == 1;
}

bool
socket_bound(int fd)
{
	struct sockaddr_in6 own = {0};
	socklen_t size = sizeof(own);
	int before = errno;
	int r = getsockname(fd, (struct sockaddr *)&own, &size);

	errno = before;
	/* sin_port and sin6_port stand at the same place. */
	return r < 0 || own.sin6_port ||
	       (own.sin6_family != AF_INET && own.sin6_family != AF_INET6);
}

bool
socket_overlapped(int fd)
{
	return !state_flags(fd, STATE_NOT_OVERLAPPED);
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
	bool internet;
	int fd;

	family = linux_family(family);
	internet = family == AF_INET || family == AF_INET6;
	type &= ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (type == 0 && internet)
		type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	/* To the kernel a type that is none is an argument like others. */
	if (internet && (type < SOCK_STREAM || type > SOCK_SEQPACKET))
		return wsa_fail(ESOCKTNOSUPPORT);
	fd = (int)wsa_plain(socket(family, type | flags, protocol));
	/* So is a protocol that it could have no number for. */
	if (fd < 0 && internet && errno == EINVAL)
		errno = EPROTONOSUPPORT;
	if (fd < 0)
		return -1;
	waiting_new(fd);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (!overlapped || (internet && type == SOCK_DGRAM))
		state_change(fd,
			     (overlapped ? 0 : STATE_NOT_OVERLAPPED) |
				     (type == SOCK_DGRAM ? STATE_UNBOUND : 0),
			     0);
	errno = before;
	return fd;
}
