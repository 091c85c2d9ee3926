/* SPDX-License-Identifier: MIT */
/* WSASocket and closesocket. */
#include "winsock/wsasocket.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "winsock/channel.h"
#include "winsock/duplicate.h"
#include "winsock/error.h"
#include "winsock/event_select.h"
#include "winsock/overlapped.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/state.h"
#include "winsock/usermem.h"
#include "winsock/waiting.h"

int
socket_close(SOCKET s)
{
	int fd = socket_of(s);
	uint64_t which;
	int state;
	int r;

	if (fd < 0)
		return wsa_code(-fd);
	if (overlapped_any())
		overlapped_cancel(fd, NULL, false);
	/* A thread that is cancelled halfway would leave the bell ringing. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	event_select_end(fd);
	which = waiting_close(fd);
	channel_close(fd);
	waiting_expel(fd);
	r = close(fd) < 0 ? wsa_code(errno) : 0;
	waiting_closed(fd, which);
	pthread_setcancelstate(state, NULL);
	return r;
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

	return wsa_end(socket_close(s), before);
}

#define LEAF (WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF)

/* Fills in, from a structure, the arguments that leave it to that. */
static void
fill(const WSAPROTOCOL_INFOA *info, int *family, int *type, int *protocol)
{
	if (*family == FROM_PROTOCOL_INFO)
		*family = info->iAddressFamily;
	if (*type == FROM_PROTOCOL_INFO)
		*type = info->iSocketType;
	if (*protocol == FROM_PROTOCOL_INFO)
		*protocol = info->iProtocol;
}

/* IP's groups have no root. */
static int
check_leaf(int fd, DWORD flags)
{
	if (!(flags & LEAF))
		return 0;
	if (socket_type(fd) != SOCK_DGRAM)
		return WSAEINVAL;
	state_change(fd, STATE_LEAF, 0);
	return 0;
}

static int
take(const WSAPROTOCOL_INFOA *info, DWORD flags, int *ret_code)
{
	int before = errno;
	int fd = duplicate_take(info, flags & WSA_FLAG_NO_HANDLE_INHERIT);

	errno = before;
	if (fd < 0)
		*ret_code = wsa_code(-fd);
	else if (!(flags & WSA_FLAG_OVERLAPPED))
		state_change(fd, STATE_NOT_OVERLAPPED, 0);
	return fd;
}

/* Reads of the structure the head, which WSAPROTOCOL_INFOA and W have in
 * common. */
static SOCKET
make(int family, int type, int protocol, const void *structure, DWORD flags)
{
	const DWORD known =
		WSA_FLAG_OVERLAPPED | LEAF | WSA_FLAG_NO_HANDLE_INHERIT;
	WSAPROTOCOL_INFOA info = {0};
	int code = 0;
	int fd = -1;

	if (!wsa_started())
		code = WSANOTINITIALISED;
	else if (flags & ~known)
		code = WSAEINVAL;
	else if (structure &&
		 usermem_read(&info, structure,
			      offsetof(WSAPROTOCOL_INFOA, szProtocol)) < 0)
		code = WSAEFAULT;
	if (code == 0 && duplicate_named(&info)) {
		fd = take(&info, flags, &code);
	} else if (code == 0) {
		if (structure)
			fill(&info, &family, &type, &protocol);
		if (flags & WSA_FLAG_NO_HANDLE_INHERIT)
			type |= SOCK_CLOEXEC;
		fd = socket_make(family, type, protocol,
				 flags & WSA_FLAG_OVERLAPPED);
		if (fd < 0)
			return INVALID_SOCKET;
		code = check_leaf(fd, flags);
		if (code)
			close(fd);
	}
	if (code == 0)
		return (SOCKET)fd;
	WSASetLastError(code);
	return INVALID_SOCKET;
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
