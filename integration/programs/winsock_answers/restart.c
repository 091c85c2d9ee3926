/* SPDX-License-Identifier: MIT */
/*
 * A server that has served one client, and closed first, so that its port is in
 * TIME_WAIT: restart <port> <what comes before the bind>.
 *
 *	plain, exclusive	nothing, SO_EXCLUSIVEADDRUSE
 *	block, any		a block of that one port, and the port or 0
 *	kept			as plain; the connection stays, the listener
 *goes bound			bound only; waits for a line, then listens
 *
 * One line an answer, 0 or the error. It builds for Windows as it stands.
 */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <mstcpip.h>
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
	SOCKET client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	struct sockaddr_in address;
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
	closesocket(s);
	recv(client, &byte, 1, 0);
	closesocket(client);
	closesocket(listener);
}

int
main(int argc, char **argv)
{
	u_short port = (u_short)atoi(argv[1]);
	const char *how = argv[argc - 1];
	BOOL on = TRUE;
	struct sockaddr_in address;
	WSADATA data;
	SOCKET s;
	int result;

	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(port);
	if (is(how, "exclusive"))
		setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on,
			   sizeof(on));
	if (is(how, "block") || is(how, "any"))
		say("reserve", reserve(s, port));
	if (is(how, "any"))
		address.sin_port = 0;
	result = bind(s, (SOCKADDR *)&address, sizeof(address));
	say("bind", result);
	if (result)
		return 0;
	if (is(how, "bound"))
		getchar();
	say("listen", listen(s, 5));
	if (!is(how, "bound"))
		serve(s, how);
	WSACleanup();
	return 0;
}
