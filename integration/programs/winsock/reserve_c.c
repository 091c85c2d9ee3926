/* SPDX-License-Identifier: MIT */
/*
 * The C spellings: the members of INET_PORT_RESERVATION_INSTANCE have no outer
 * names there, and the token is a plain number. Binds inside the block, too.
 */
#define WIN32_LEAN_AND_MEAN

#include <winsock2.h>
#include <mstcpip.h>
#include <stdio.h>

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
	WSADATA data = { 0 };
	INET_PORT_RANGE range = { 0 };
	INET_PORT_RESERVATION_INSTANCE block = { 0 };
	SOCKADDR_IN name = { 0 };
	int size = sizeof (name);
	SOCKET owner;
	SOCKET user;
	DWORD bytes;

	if (argc != 3) {
		wprintf(L"usage: %s <start> <count>\n", argv[0]);
		return 1;
	}
	if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
		return 1;
	owner = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	user = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	if (owner == INVALID_SOCKET || user == INVALID_SOCKET)
		return fail(L"socket");

	range.StartPort = htons((u_short) _wtoi(argv[1]));
	range.NumberOfPorts = (USHORT) _wtoi(argv[2]);
	if (WSAIoctl(owner, SIO_ACQUIRE_PORT_RESERVATION, &range,
		     sizeof (range), &block, sizeof (block), &bytes, NULL,
		     NULL) == SOCKET_ERROR)
		return fail(L"acquire");
	wprintf(L"StartPort=%d NumberOfPorts=%d Token=%I64u bytes=%lu\n",
		ntohs(block.StartPort), block.NumberOfPorts, block.Token,
		bytes);

	if (WSAIoctl(user, SIO_ASSOCIATE_PORT_RESERVATION, &block.Token,
		     sizeof (block.Token), NULL, 0, &bytes, NULL,
		     NULL) == SOCKET_ERROR)
		return fail(L"associate");
	name.sin_family = AF_INET;
	if (bind(user, (SOCKADDR *) & name, sizeof (name)) == SOCKET_ERROR)
		return fail(L"bind");
	if (getsockname(user, (SOCKADDR *) & name, &size) == SOCKET_ERROR)
		return fail(L"getsockname");
	wprintf(L"bytes=%lu bound=%u\n", bytes, ntohs(name.sin_port));

	if (closesocket(user) == SOCKET_ERROR ||
	    closesocket(owner) == SOCKET_ERROR)
		return fail(L"closesocket");
	WSACleanup();
	return 0;
}
