/* SPDX-License-Identifier: MIT */
/* Winsock 2's own spellings of calls that both systems have: WSAAccept,
 * WSAConnect, WSASendDisconnect, WSAHtonl and its kin. */
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "winsock/error.h"
#include "winsock/ported.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/usermem.h"
#include "winsock2.h"

/* The kernel has accepted before anybody is asked. */
static int
ask(int fd, struct sockaddr *peer, int size, LPCONDITIONPROC condition,
    DWORD_PTR context)
{
	struct sockaddr_storage own;
	socklen_t own_size = sizeof(own);
	WSABUF caller = {(ULONG)size, (CHAR *)peer};
	WSABUF callee = {0, (CHAR *)&own};
	WSABUF data = {0, NULL};
	GROUP group = 0;

	portres_getsockname(fd, (struct sockaddr *)&own, &own_size);
	callee.len = own_size;
	return condition(&caller, &data, NULL, NULL, &callee, &data, &group,
			 context);
}

/* The peer sees a reset, as on Windows. */
static void
reject(int fd)
{
	const struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	closesocket((SOCKET)fd);
}

SOCKET WSAAPI
WSAAccept(SOCKET s, struct sockaddr *addr, LPINT addrlen,
	  LPCONDITIONPROC lpfnCondition, DWORD_PTR dwCallbackData)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	int listener = (int)s;
	int room = 0;
	int fd;

	/* Before anything is accepted; or they are not the peer's to have. */
	if (addr && usermem_read(&room, addrlen, sizeof(room)) < 0) {
		wsa_fail(EFAULT);
		return INVALID_SOCKET;
	}
	if (!lpfnCondition) {
		fd = portres_accept(listener, addr, (socklen_t *)addrlen);
		return fd < 0 ? INVALID_SOCKET : (SOCKET)fd;
	}
	fd = portres_accept(listener, (struct sockaddr *)&peer, &size);
	if (fd < 0)
		return INVALID_SOCKET;
	if (ask(fd, (struct sockaddr *)&peer, (int)size, lpfnCondition,
		dwCallbackData) != CF_ACCEPT) {
		reject(fd);
		wsa_refuse(WSAECONNREFUSED);
		return INVALID_SOCKET;
	}
	if (addr && (room < (int)size || usermem_write(addr, &peer, size) < 0 ||
		     usermem_write(addrlen, &size, sizeof(size)) < 0)) {
		reject(fd);
		wsa_fail(EFAULT);
		return INVALID_SOCKET;
	}
	return (SOCKET)fd;
}

/* TCP has no data with a connection. */
int WSAAPI
WSAConnect(SOCKET s, const struct sockaddr *name, int namelen,
	   LPWSABUF lpCallerData, LPWSABUF lpCalleeData, LPQOS lpSQOS,
	   LPQOS lpGQOS)
{
	(void)lpSQOS;
	(void)lpGQOS;
	if (wsa_missing())
		return SOCKET_ERROR;
	if (lpCallerData || lpCalleeData)
		return wsa_refuse(WSAEFAULT);
	return portres_connect((int)s, name, (socklen_t)namelen);
}

static int
disconnect(SOCKET s, int how, const void *data)
{
	int fd = socket_of(s);

	if (wsa_missing())
		return SOCKET_ERROR;
	if (fd < 0)
		return wsa_fail(-fd);
	return data ? wsa_fail(ENOPROTOOPT) : portres_shutdown(fd, how);
}

int WSAAPI
WSASendDisconnect(SOCKET s, LPWSABUF lpOutboundDisconnectData)
{
	return disconnect(s, SHUT_WR, lpOutboundDisconnectData);
}

int WSAAPI
WSARecvDisconnect(SOCKET s, LPWSABUF lpInboundDisconnectData)
{
	return disconnect(s, SHUT_RD, lpInboundDisconnectData);
}

/* All protocols have the network's order. */
static int
tell(SOCKET s, void *to, const void *value, size_t size)
{
	int fd = socket_of(s);

	if (wsa_missing())
		return SOCKET_ERROR;
	if (fd < 0)
		return wsa_fail(-fd);
	return usermem_write(to, value, size) < 0 ? wsa_fail(EFAULT) : 0;
}

int WSAAPI
WSAHtonl(SOCKET s, ULONG hostlong, ULONG *lpnetlong)
{
	ULONG value = htonl(hostlong);

	return tell(s, lpnetlong, &value, sizeof(value));
}

int WSAAPI
WSAHtons(SOCKET s, u_short hostshort, u_short *lpnetshort)
{
	u_short value = htons(hostshort);

	return tell(s, lpnetshort, &value, sizeof(value));
}

int WSAAPI
WSANtohl(SOCKET s, ULONG netlong, ULONG *lphostlong)
{
	return WSAHtonl(s, netlong, lphostlong);
}

int WSAAPI
WSANtohs(SOCKET s, u_short netshort, u_short *lphostshort)
{
	return WSAHtons(s, netshort, lphostshort);
}
