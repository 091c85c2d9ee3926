/* SPDX-License-Identifier: MIT */
/*
 * WSAConnectByName and WSAConnectByList: one address after the other. They wait
 * until one has answered, whatever the socket is told to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>

#include "winsock/address.h"
#include "winsock/attempt.h"
#include "winsock/error.h"
#include "winsock/monitor.h"
#include "winsock/ported.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/usermem.h"
#include "winsock2.h"

#define NS_IN_MS 1000000u
#define A_LIFE 1000000000 /* seconds */

/* The connection's addresses, as far as the program asks for them. */
struct told {
	LPDWORD local_size;
	LPSOCKADDR local;
	LPDWORD remote_size;
	LPSOCKADDR remote;
};

static int
read_time(const struct timeval *timeout, uint64_t *ret_until)
{
	struct timeval time;

	*ret_until = MONITOR_FOR_EVER;
	if (!timeout)
		return 0;
	if (usermem_read(&time, timeout, sizeof(time)) < 0)
		return WSAEFAULT;
	if (time.tv_sec < 0 || time.tv_usec < 0)
		return WSAEINVAL;
	if (time.tv_sec >= A_LIFE || time.tv_usec / 1000000 >= A_LIFE)
		return 0;
	*ret_until = monitor_clock() + (uint64_t)time.tv_sec * 1000 * NS_IN_MS +
		     (uint64_t)time.tv_usec * 1000;
	return 0;
}

static int
milliseconds(uint64_t until)
{
	uint64_t now = monitor_clock();
	uint64_t left = until <= now ? 0 : (until - now) / NS_IN_MS + 1;

	if (until == MONITOR_FOR_EVER)
		return -1;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static int
wait_connected(int fd, uint64_t until)
{
	struct pollfd look = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(int);
	int err = 0;
	int r;

	do
		r = poll(&look, 1, milliseconds(until));
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return WSAETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
	return err ? wsa_code(err) : 0;
}

static int
connect_one(int fd, const struct sockaddr *address, socklen_t size,
	    uint64_t until)
{
	int code;

	if (portres_connect(fd, address, size) == 0)
		return 0;
	code = WSAGetLastError();
	if (code == WSAEWOULDBLOCK)
		code = wait_connected(fd, until);
	/* The kernel tries no more, and the next address may be tried. */
	if (code && code != WSAEISCONN)
		attempt_forget(fd);
	return code;
}

static int
check(SOCKET s, const void *reserved, const struct told *told)
{
	if (!wsa_started())
		return WSANOTINITIALISED;
	if (s > INT_MAX || socket_type((int)s) < 0)
		return WSAENOTSOCK;
	if (reserved || socket_type((int)s) != SOCK_STREAM)
		return WSAEINVAL;
	if (!address_fits((int)s, told->local, told->local_size) ||
	    !address_fits((int)s, told->remote, told->remote_size))
		return WSAEFAULT;
	return 0;
}

static void
tell(int fd, const struct told *told)
{
	if (told->local)
		portres_getsockname(fd, told->local, told->local_size);
	if (told->remote)
		portres_getpeername(fd, told->remote, told->remote_size);
}

/* The addresses come one by one; the last one's error counts. */
struct next {
	const SOCKET_ADDRESS_LIST *list;
	int at;
	const struct addrinfo *info;
};

static bool
next_address(struct next *next, const struct sockaddr **ret,
	     socklen_t *ret_size)
{
	if (next->list) {
		if (next->at >= next->list->iAddressCount)
			return false;
		*ret = next->list->Address[next->at].lpSockaddr;
		*ret_size = (socklen_t)next->list->Address[next->at++]
				    .iSockaddrLength;
		return true;
	}
	if (!next->info)
		return false;
	*ret = next->info->ai_addr;
	*ret_size = next->info->ai_addrlen;
	next->info = next->info->ai_next;
	return true;
}

static int
connect_any(int fd, struct next *next, uint64_t until)
{
	int flags = fcntl(fd, F_GETFL);
	const struct sockaddr *address;
	socklen_t size;
	int code = WSAEINVAL; /* there is none */

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (code && next_address(next, &address, &size)) {
		code = connect_one(fd, address, size, until);
		if (code == WSAEISCONN || (code && monitor_clock() >= until))
			break;
	}
	fcntl(fd, F_SETFL, flags);
	return code;
}

/* IPv4 as well, for a socket that is told to. */
static struct addrinfo
hints_for(int fd)
{
	struct addrinfo hints = {
		.ai_family = socket_family(fd),
		.ai_socktype = SOCK_STREAM,
	};
	int alone = 1;
	socklen_t size = sizeof(alone);

	if (hints.ai_family == AF_INET6 &&
	    getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, &size) == 0 &&
	    !alone)
		hints.ai_flags = AI_V4MAPPED | AI_ALL;
	return hints;
}

static int
connect_by_name(int fd, const char *node, const char *service, uint64_t until)
{
	struct addrinfo hints = hints_for(fd);
	struct addrinfo *found;
	struct next next = {0};
	int code = portres_getaddrinfo(node, service, &hints, &found);

	if (code)
		return code;
	next.info = found;
	code = connect_any(fd, &next, until);
	freeaddrinfo(found);
	return code;
}

BOOL WSAAPI
WSAConnectByNameA(SOCKET s, LPCSTR nodename, LPCSTR servicename,
		  LPDWORD LocalAddressLength, LPSOCKADDR LocalAddress,
		  LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
		  const struct timeval *timeout, LPWSAOVERLAPPED Reserved)
{
	struct told told = {LocalAddressLength, LocalAddress,
			    RemoteAddressLength, RemoteAddress};
	int before = errno;
	uint64_t until;
	int code = check(s, Reserved, &told);

	if (code == 0 && (!nodename || !servicename))
		code = WSAEINVAL;
	if (code == 0)
		code = read_time(timeout, &until);
	if (code == 0)
		code = connect_by_name((int)s, nodename, servicename, until);
	if (code == 0)
		tell((int)s, &told);
	return wsa_end(code, before) == 0;
}

BOOL WSAAPI
WSAConnectByList(SOCKET s, PSOCKET_ADDRESS_LIST SocketAddress,
		 LPDWORD LocalAddressLength, LPSOCKADDR LocalAddress,
		 LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
		 const struct timeval *timeout, LPWSAOVERLAPPED Reserved)
{
	struct told told = {LocalAddressLength, LocalAddress,
			    RemoteAddressLength, RemoteAddress};
	struct next next = {.list = SocketAddress};
	int before = errno;
	uint64_t until;
	int code = check(s, Reserved, &told);

	if (code == 0 && !SocketAddress)
		code = WSAEINVAL;
	if (code == 0)
		code = read_time(timeout, &until);
	if (code == 0)
		code = connect_any((int)s, &next, until);
	if (code == 0)
		tell((int)s, &told);
	return wsa_end(code, before) == 0;
}
