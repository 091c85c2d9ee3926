/* SPDX-License-Identifier: MIT */
/*
 * Socket options that differ: times in milliseconds, two that are others'
 * opposites, flags of one byte, and Windows' number of the pending error.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/time.h>

#include "winsock/error.h"
#include "winsock/ported.h"
#include "winsock/protocol.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/state.h"
#include "winsock/usermem.h"
#include "winsock2.h"

#define LARGEST_DATAGRAM 65507

static int
set(int fd, int level, int name, const void *value, size_t size)
{
	return (int)wsa_plain(
		setsockopt(fd, level, name, value, (socklen_t)size));
}

static bool
is_time(int level, int name)
{
	return level == SOL_SOCKET &&
	       (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

static int
set_time(int fd, int name, unsigned int ms)
{
	const struct timeval time = {
		.tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000,
	};

	return set(fd, SOL_SOCKET, name, &time, sizeof(time));
}

/* Neither of the two after the other. The kernel does without SO_REUSEADDR what
 * the exclusive one asks for. */
static int
set_sharing(int fd, int name, bool on)
{
	bool exclusive = name == SO_EXCLUSIVEADDRUSE;
	uint32_t own = exclusive ? STATE_EXCLUSIVE : STATE_REUSE;
	uint32_t other = exclusive ? STATE_REUSE : STATE_EXCLUSIVE;
	const int value = on;

	if (on && state_flags(fd, other))
		return wsa_fail(EINVAL);
	if (exclusive && socket_type(fd) < 0)
		return wsa_fail(ENOTSOCK);
	if (!exclusive && set(fd, SOL_SOCKET, name, &value, sizeof(value)) < 0)
		return -1;
	state_change(fd, on ? own : 0,
		     (on ? 0 : own) | (exclusive ? 0 : STATE_QUIET_REUSE));
	return 0;
}

static int
set_of_sockets(int fd, int name, unsigned int number)
{
	const struct linger none = {0};

	switch (name) {
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
		return set_time(fd, name, number);
	case SO_REUSEADDR:
	case SO_EXCLUSIVEADDRUSE:
		return set_sharing(fd, name, number != 0);
	case SO_DONTLINGER:
		return number ? set(fd, SOL_SOCKET, SO_LINGER, &none,
				    sizeof(none))
			      : 0;
	default:
		return set(fd, SOL_SOCKET, name, &number, sizeof(number));
	}
}

/* A socket of AcceptEx or ConnectEx is told that it is connected. Ours knows,
 * and has to be one. */
static int
update_context(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	return (int)wsa_plain(getpeername(fd, (struct sockaddr *)&peer, &size));
}

/* Levels whose options are numbers of four bytes or more here. */
static bool
takes_numbers(int level)
{
	return level == SOL_SOCKET || level == IPPROTO_TCP ||
	       level == IPPROTO_IPV6;
}

/* Numbers may have fewer bytes than four, structures may not. */
static bool
is_short(int level, int name, socklen_t size)
{
	if (level == SOL_SOCKET && name == SO_LINGER)
		return size < sizeof(struct linger);
	return size == 0;
}

/* Windows has one name for what is sent and what is told. */
static int
linux_name(int level, int name)
{
	if (level == IPPROTO_IPV6 && name == IPV6_PKTINFO)
		return IPV6_RECVPKTINFO;
	if (level == IPPROTO_IPV6 && name == IPV6_HOPLIMIT)
		return IPV6_RECVHOPLIMIT;
	return name;
}

int
portres_setsockopt(int fd, int level, int name, const void *value,
		   socklen_t size)
{
	unsigned int number = 0;

	if (wsa_missing())
		return -1;
	if (level == SOL_SOCKET && (name == SO_UPDATE_ACCEPT_CONTEXT ||
				    name == SO_UPDATE_CONNECT_CONTEXT))
		return update_context(fd);
	if (!takes_numbers(level))
		return set(fd, level, name, value, size);
	if (!value || (int)size < 0 || is_short(level, name, size))
		return wsa_fail(socket_type(fd) < 0 ? ENOTSOCK : EFAULT);
	if (size > sizeof(number))
		return set(fd, level, name, value, size);
	if (usermem_read(&number, value, size) < 0)
		return wsa_fail(EFAULT);
	if (level == SOL_SOCKET)
		return set_of_sockets(fd, name, number);
	return set(fd, level, linux_name(level, name), &number, sizeof(number));
}

static int
get(int fd, int name, void *ret, socklen_t size)
{
	return (int)wsa_plain(getsockopt(fd, SOL_SOCKET, name, ret, &size));
}

/* All bits where there is no connection. Else seconds: the kernel knows how
 * long nothing has come, which is what servers ask a connection for that has
 * sent nothing yet. */
static unsigned int
connect_time(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	struct sockaddr_storage peer;
	socklen_t room = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *)&peer, &room) < 0 ||
	    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return ~0u;
	return info.tcpi_last_data_recv / 1000;
}

static unsigned int
pending_error(int fd, unsigned int err)
{
	if (err == ECONNREFUSED && socket_type(fd) == SOCK_DGRAM)
		return WSAECONNRESET; /* of an earlier send */
	return (unsigned int)wsa_code((int)err);
}

/* The number to tell, or -1 with errno. */
static int
get_number(int fd, int name, unsigned int *ret)
{
	struct timeval time = {0};
	struct linger linger = {0};
	int r;

	switch (name) {
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
		r = get(fd, name, &time, sizeof(time));
		*ret = (unsigned int)(time.tv_sec * 1000 + time.tv_usec / 1000);
		return r;
	case SO_RCVBUF: /* the kernel doubles what is set */
	case SO_SNDBUF:
		r = get(fd, name, ret, sizeof(*ret));
		*ret /= 2;
		return r;
	case SO_EXCLUSIVEADDRUSE:
		r = get(fd, SO_TYPE, ret, sizeof(*ret));
		*ret = state_flags(fd, STATE_EXCLUSIVE) != 0;
		return r;
	case SO_REUSEADDR:
		r = get(fd, name, ret, sizeof(*ret));
		if (r == 0 && state_flags(fd, STATE_QUIET_REUSE))
			*ret = 0;
		return r;
	case SO_DONTLINGER:
		r = get(fd, SO_LINGER, &linger, sizeof(linger));
		*ret = r == 0 && linger.l_onoff == 0;
		return r;
	case SO_DOMAIN:
		r = get(fd, name, ret, sizeof(*ret));
		if (r == 0 && *ret == AF_INET6)
			*ret = WINDOWS_AF_INET6;
		return r;
	case SO_CONNECT_TIME:
		r = get(fd, SO_TYPE, ret, sizeof(*ret));
		*ret = connect_time(fd);
		return r;
	case SO_MAX_MSG_SIZE: /* of IPv4 */
		r = get(fd, SO_TYPE, ret, sizeof(*ret));
		*ret = *ret == SOCK_DGRAM ? LARGEST_DATAGRAM : ~0u;
		return r;
	default: /* SO_ERROR */
		r = get(fd, name, ret, sizeof(*ret));
		if (r == 0)
			*ret = pending_error(fd, *ret);
		return r;
	}
}

static bool
differs(int level, int name, socklen_t size)
{
	if (level != SOL_SOCKET)
		return false;
	switch (name) {
	case SO_ERROR:
	case SO_RCVBUF:
	case SO_SNDBUF:
	case SO_EXCLUSIVEADDRUSE:
	case SO_REUSEADDR:
	case SO_DONTLINGER:
	case SO_DOMAIN:
	case SO_CONNECT_TIME:
	case SO_MAX_MSG_SIZE:
		return true;
	default:
		return is_time(level, name) && size < sizeof(struct timeval);
	}
}

/* Would the kernel cut the value to this length? */
static bool
too_small(int level, int name, socklen_t size)
{
	if (level == SOL_SOCKET && name == SO_LINGER)
		return size < sizeof(struct linger);
	return takes_numbers(level) && size < sizeof(int);
}

static int
get_protocol_info(int fd, int name, void *value, socklen_t *size,
		  socklen_t room)
{
	bool wide = name == SO_PROTOCOL_INFOW;
	WSAPROTOCOL_INFOW info;
	socklen_t n =
		wide ? sizeof(WSAPROTOCOL_INFOW) : sizeof(WSAPROTOCOL_INFOA);

	if (room < n)
		return wsa_fail(EFAULT);
	if (!protocol_of(fd, wide, &info))
		return wsa_fail(socket_type(fd) < 0 ? ENOTSOCK : ENOPROTOOPT);
	if (usermem_write(value, &info, n) < 0 ||
	    usermem_write(size, &n, sizeof(n)) < 0)
		return wsa_fail(EFAULT);
	return 0;
}

int
portres_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	unsigned int number = 0;
	socklen_t room;

	if (wsa_missing())
		return -1;
	if (!value || usermem_read(&room, size, sizeof(room)) < 0 ||
	    (int)room < 0 || too_small(level, name, room))
		return wsa_fail(socket_type(fd) < 0 ? ENOTSOCK : EFAULT);
	if (level == SOL_SOCKET &&
	    (name == SO_PROTOCOL_INFOA || name == SO_PROTOCOL_INFOW))
		return get_protocol_info(fd, name, value, size, room);
	if (!differs(level, name, room))
		return (int)wsa_plain(getsockopt(
			fd, level, linux_name(level, name), value, size));
	if (get_number(fd, name, &number) < 0)
		return -1;
	room = sizeof(number);
	if (usermem_write(value, &number, sizeof(number)) < 0 ||
	    usermem_write(size, &room, sizeof(room)) < 0)
		return wsa_fail(EFAULT);
	return 0;
}
