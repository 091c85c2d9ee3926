/* SPDX-License-Identifier: MIT */
/*
 * An NFS client's way to a reserved port: from 600 up, one port at a time,
 * until one can be had; then a connect that is never preceded by a bind.
 */
#include <winsock2.h>
#include <mstcpip.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_PORT 600
#define LAST_PORT 1023

static DWORD
reserve(SOCKET s, USHORT port, INET_PORT_RESERVATION_INSTANCE *res)
{
	INET_PORT_RANGE range;
	DWORD bytes;

	range.StartPort = htons(port);
	range.NumberOfPorts = 1;
	if (WSAIoctl(s, SIO_ACQUIRE_PORT_RESERVATION, &range, sizeof(range),
		     res, sizeof(*res), &bytes, NULL, NULL) == SOCKET_ERROR)
		return (DWORD)WSAGetLastError();
	if (WSAIoctl(s, SIO_ASSOCIATE_PORT_RESERVATION, &res->Token,
		     sizeof(res->Token), NULL, 0, &bytes, NULL,
		     NULL) == SOCKET_ERROR)
		return (DWORD)WSAGetLastError();
	return NO_ERROR;
}

int
main(int argc, char **argv)
{
	WSADATA data;
	SOCKET s;
	SOCKADDR_IN server = { 0 };
	SOCKADDR_IN local = { 0 };
	int size = sizeof(local);
	INET_PORT_RESERVATION_INSTANCE res;
	DWORD error = WSAEADDRINUSE;
	USHORT port;

	if (argc != 2 || WSAStartup(MAKEWORD(2, 2), &data) != 0)
		return 1;
	s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (s == INVALID_SOCKET)
		return 1;

	for (port = FIRST_PORT; port <= LAST_PORT; port++) {
		error = reserve(s, port, &res);
		if (error != WSAEADDRINUSE && error != WSAEACCES)
			break;
		printf("%u: %lu\n", port, error);
	}
	if (error != NO_ERROR) {
		printf("no port: %lu\n", error);
		return 1;
	}
	printf("reserved %u\n", ntohs(res.StartPort));

	server.sin_family = AF_INET;
	server.sin_addr.s_addr = inet_addr("127.0.0.1");
	server.sin_port = htons((u_short)atoi(argv[1]));
	if (connect(s, (struct sockaddr *)&server, sizeof(server)) ==
	    SOCKET_ERROR) {
		printf("connect: %d\n", WSAGetLastError());
		return 1;
	}
	getsockname(s, (struct sockaddr *)&local, &size);
	printf("connected from %u\n", ntohs(local.sin_port));
	closesocket(s);
	WSACleanup();
	return 0;
}
