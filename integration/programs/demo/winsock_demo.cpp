/* SPDX-License-Identifier: MIT */
/*
 * A server in Winsock: reserves a block of TCP ports, listens inside it, says
 * where, and greets whoever connects until somebody kills it.
 */
#include <Windows.h.>
#include <winsock2.h>
#include <mstcpip.h>
#include <stdio.h>
#include <stdlib.h>

#pragma comment(lib, "Ws2_32.lib")

static int
fail(const WCHAR *what)
{
	wprintf(L"%s failed with error = %d\n", what, WSAGetLastError());
	return 1;
}

int
wmain(int argc, WCHAR **argv)
{
	WSADATA wsaData = { 0 };
	INET_PORT_RANGE wanted = { 0 };
	INET_PORT_RESERVATION_INSTANCE block = { 0 };
	sockaddr_in service = { 0 };
	int nameLen = sizeof (service);
	DWORD bytesReturned = 0;
	SOCKET owner, server;
	int first;

	if (argc > 3) {
		wprintf(L"usage: %s [<start> [<count>]]\n", argv[0]);
		return 1;
	}
	wanted.StartPort = htons((u_short) (argc > 1 ? _wtoi(argv[1]) : 0));
	wanted.NumberOfPorts = (USHORT) (argc > 2 ? _wtoi(argv[2]) : 10);

	if (WSAStartup(MAKEWORD(2, 2), &wsaData) != 0)
		return 1;
	owner = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	server = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (owner == INVALID_SOCKET || server == INVALID_SOCKET)
		return fail(L"socket");

	if (WSAIoctl(owner, SIO_ACQUIRE_PORT_RESERVATION, &wanted,
		     sizeof (wanted), &block, sizeof (block), &bytesReturned,
		     NULL, NULL) == SOCKET_ERROR)
		return fail(L"SIO_ACQUIRE_PORT_RESERVATION");
	if (WSAIoctl(server, SIO_ASSOCIATE_PORT_RESERVATION, &block.Token,
		     sizeof (block.Token), NULL, 0, &bytesReturned, NULL,
		     NULL) == SOCKET_ERROR)
		return fail(L"SIO_ASSOCIATE_PORT_RESERVATION");

	service.sin_family = AF_INET;
	service.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(server, (SOCKADDR *) & service, sizeof (service)) ==
	    SOCKET_ERROR)
		return fail(L"bind");
	if (listen(server, SOMAXCONN) == SOCKET_ERROR)
		return fail(L"listen");
	if (getsockname(server, (SOCKADDR *) & service, &nameLen) ==
	    SOCKET_ERROR)
		return fail(L"getsockname");

	first = ntohs(block.Reservation.StartPort);
	wprintf(L"%s holds ports %d..%d, listening on %d, token %I64d\n",
		argv[0], first, first + block.Reservation.NumberOfPorts - 1,
		ntohs(service.sin_port), block.Token);
	fflush(stdout);

	for (;;) {
		SOCKET client = accept(server, NULL, NULL);

		if (client == INVALID_SOCKET)
			return fail(L"accept");
		send(client, "hello\n", 6, 0);
		closesocket(client);
	}
}
