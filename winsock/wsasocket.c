/* SPDX-License-Identifier: MIT */
/* WSASocket and closesocket. */
#include "winsock/wsasocket.h"

#include <errno.h>
#include <unistd.h>

#include "winsock/channel.h"
#include "winsock/error.h"
#include "winsock/event_select.h"
#include "winsock/overlapped.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/usermem.h"

int
socket_close(SOCKET s)
{
	int fd = socket_of(s);

	if (fd < 0)
		return wsa_code(-fd);
	if (overlapped_any())
		overlapped_cancel(fd, NULL, false);
	event_select_end(fd);
	channel_close(fd);
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

	return wsa_end(socket_close(s), before);
}

/* Reads the head, which WSAPROTOCOL_INFOA and W have in common. */
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
