/* SPDX-License-Identifier: MIT */
/*
 * A server that has served one client, and closed first, so that its port is in
 * TIME_WAIT: restart <port> <what comes before the bind>.
 *
 *	plain, exclusive	nothing, SO_EXCLUSIVEADDRUSE
 *	six			as plain, on IPv6
 *	block, any		a block of that one port, and the port or 0
 *	kept			as plain; only the connection stays
 *	bound			bound only; waits for a line, then listens
 *	client, request		a client that closes first, by ConnectEx
 *
 * One line an answer, 0 or the error. It builds for Windows as it stands.
 */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <mstcpip.h>
#include <mswsock.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
say(const char *name, int result)
{
	printf("%s %d\n", name, result == SOCKET_ERROR ? WSAGetLastError() : 0);
	fflush(stdout);
}

static int
is(const char *how, const char *what)
{
	return strcmp(how, what) == 0;
}

static SOCKET owner;

/* A block of that port, in which the socket binds. */
static int
reserve(SOCKET s, u_short port)
{
	INET_PORT_RANGE wanted;
	INET_PORT_RESERVATION_INSTANCE block;
	DWORD bytes;

	owner = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	wanted.StartPort = htons(port);
	wanted.NumberOfPorts = 1;
	if (WSAIoctl(owner, SIO_ACQUIRE_PORT_RESERVATION, &wanted,
		     sizeof(wanted), &block, sizeof(block), &bytes, NULL, NULL))
		return SOCKET_ERROR;
	return WSAIoctl(s, SIO_ASSOCIATE_PORT_RESERVATION, &block.Token,
			sizeof(ULONG64), NULL, 0, &bytes, NULL, NULL);
}

static void
serve(SOCKET listener, const char *how)
{
	int family = is(how, "six") ? AF_INET6 : AF_INET;
	SOCKET client = socket(family, SOCK_STREAM, IPPROTO_TCP);
	SOCKADDR_STORAGE address;
	int size = sizeof(address);
	SOCKET s;
	char byte;

	getsockname(listener, (SOCKADDR *)&address, &size);
	say("connect", connect(client, (SOCKADDR *)&address, size));
	s = accept(listener, NULL, NULL);
	if (is(how, "kept")) {
		closesocket(listener);
		say("kept", 0);
		getchar();
		return;
	}
	shutdown(s, SD_SEND);
	recv(client, &byte, 1, 0);
	closesocket(client);
	/* With the peer's end, which may be late, it is in TIME_WAIT. */
	recv(s, &byte, 1, 0);
	closesocket(s);
	closesocket(listener);
}

static int
connect_by_request(SOCKET s, const SOCKADDR *to, int size)
{
	GUID which = WSAID_CONNECTEX;
	LPFN_CONNECTEX connect_ex = NULL;
	OVERLAPPED connecting;
	DWORD bytes = 0, flags = 0;

	memset(&connecting, 0, sizeof(connecting));
	WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &which, sizeof(which),
		 &connect_ex, sizeof(connect_ex), &bytes, NULL, NULL);
	if (!connect_ex(s, to, size, NULL, 0, NULL, &connecting) &&
	    WSAGetLastError() != WSA_IO_PENDING)
		return SOCKET_ERROR;
	return WSAGetOverlappedResult(s, &connecting, &bytes, TRUE, &flags)
		       ? 0
		       : SOCKET_ERROR;
}

static void
be_client(SOCKET s, const char *how)
{
	SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	struct sockaddr_in address;
	SOCKADDR *at = (SOCKADDR *)&address;
	int size = sizeof(address);
	SOCKET peer;
	char byte;

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, at, size);
	listen(listener, 1);
	getsockname(listener, at, &size);
	say("connect", is(how, "client") ? connect(s, at, size)
					 : connect_by_request(s, at, size));
	peer = accept(listener, NULL, NULL);
	closesocket(s);
	recv(peer, &byte, 1, 0);
	closesocket(peer);
	closesocket(listener);
}

static int
loopback(SOCKADDR_STORAGE *address, const char *how, u_short port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (is(how, "six")) {
		six->sin6_family = AF_INET6;
		six->sin6_addr.s6_addr[15] = 1;
		six->sin6_port = htons(port);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	four->sin_port = is(how, "any") ? 0 : htons(port);
	return sizeof(*four);
}

int
main(int argc, char **argv)
{
	u_short port = (u_short)atoi(argv[1]);
	const char *how = argv[argc - 1];
	BOOL on = TRUE;
	SOCKADDR_STORAGE address;
	int size;
	WSADATA data;
	SOCKET s;
	int result;

	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	size = loopback(&address, how, port);
	s = socket(address.ss_family, SOCK_STREAM, IPPROTO_TCP);
	if (is(how, "exclusive"))
		setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on,
			   sizeof(on));
	if (is(how, "block") || is(how, "any"))
		say("reserve", reserve(s, port));
	result = bind(s, (SOCKADDR *)&address, size);
	say("bind", result);
	if (result)
		return 0;
	if (is(how, "client") || is(how, "request")) {
		be_client(s, how);
		return 0;
	}
	if (is(how, "bound"))
		getchar();
	say("listen", listen(s, 5));
	if (!is(how, "bound"))
		serve(s, how);
	WSACleanup();
	return 0;
}
