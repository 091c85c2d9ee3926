/* SPDX-License-Identifier: MIT */
/*
 * Sockets as Winsock makes and closes them.
 */
#include "winsock/socket.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>

#include "core/kernel/sock.h"
#include "shim/shim.h"
#include "shim/usermem.h"
#include "winsock/error.h"
#include "winsock/overlapped.h"
#include "winsock/startup.h"

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

bool
socket_overlapped(int fd)
{
	uint64_t cookie;

	return fd >= NUMBERS || atomic_load(&blocking_at[fd]) == 0 ||
	       sock_cookie(&sys_kernel, fd, &cookie) < 0 ||
	       cookie != atomic_load(&blocking_at[fd]);
}

static void
note_blocking(int fd)
{
	uint64_t cookie;

	if (fd < NUMBERS && sock_cookie(&sys_kernel, fd, &cookie) == 0)
		atomic_store(&blocking_at[fd], cookie);
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
	if (!overlapped)
		note_blocking(fd);
	errno = before;
	return fd;
}

int
socket_close(SOCKET s)
{
	int fd = socket_of(s);

	if (fd < 0)
		return wsa_code(-fd);
	if (overlapped_any())
		overlapped_cancel(fd, NULL, false);
	return close(fd) < 0 ? wsa_code(errno) : 0;
}

/*
 * Works without WSAStartup, unlike Windows': there WSACleanup has closed all
 * sockets already, here it has not, and refusing would leak the socket with
 * all the ports that it holds.
 */
int WSAAPI
closesocket(SOCKET s)
{
	int before = errno;
	int code = socket_close(s);

	errno = before;
	if (code == 0)
		return 0;
	WSASetLastError(code);
	return SOCKET_ERROR;
}

/* What the head of each structure, WSAPROTOCOL_INFOA or W, has in common. */
static int
from_protocol_info(const void *info, int *family, int *type, int *protocol)
{
	WSAPROTOCOL_INFOA known;

	if (usermem_read(&known, info, offsetof(WSAPROTOCOL_INFOA, szProtocol)))
		return WSAEFAULT;
	if (*family == FROM_PROTOCOL_INFO)
		*family = known.iAddressFamily;
	if (*type == FROM_PROTOCOL_INFO)
		*type = known.iSocketType;
	if (*protocol == FROM_PROTOCOL_INFO)
		*protocol = known.iProtocol;
	return 0;
}

static SOCKET
make(int family, int type, int protocol, const void *info, DWORD flags)
{
	int code = 0;
	int fd;

	if (!wsa_started())
		code = WSANOTINITIALISED;
	else if (flags &
		 ~(DWORD)(WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT))
		code = WSAEINVAL;
	else if (info)
		code = from_protocol_info(info, &family, &type, &protocol);
	if (code) {
		WSASetLastError(code);
		return INVALID_SOCKET;
	}
	if (flags & WSA_FLAG_NO_HANDLE_INHERIT)
		type |= SOCK_CLOEXEC;
	fd = socket_make(family, type, protocol, flags & WSA_FLAG_OVERLAPPED);
	return fd < 0 ? INVALID_SOCKET : (SOCKET)fd;
}

SOCKET WSAAPI
WSASocketA(int af, int type, int protocol, LPWSAPROTOCOL_INFOA lpProtocolInfo,
	   GROUP g, DWORD dwFlags)
{
	(void)g;
	return make(af, type, protocol, lpProtocolInfo, dwFlags);
}

SOCKET WSAAPI
WSASocketW(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo,
	   GROUP g, DWORD dwFlags)
{
	(void)g;
	return make(af, type, protocol, lpProtocolInfo, dwFlags);
}
