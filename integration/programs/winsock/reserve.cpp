/* SPDX-License-Identifier: MIT */
/*
 * As a Windows programmer writes it: reserves a block of ports, shows it, and
 * gives it back. Not a line knows that this is not Windows.
 */
#ifndef UNICODE
#define UNICODE
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif

#include <Windows.h.>
#include <winsock2.h>
#include <mstcpip.h>
#include <ws2ipdef.h>
#include <stdio.h>
#include <stdlib.h>

#pragma comment(lib, "Ws2_32.lib")

static int
show_usage(const WCHAR *program)
{
	wprintf(L"usage: %s <family> <protocol> <start> <count> [hold]\n",
		program);
	wprintf(L"reserves a block of ports and releases it; with hold, only\n"
		L"after a line on standard input\n");
	wprintf(L"%ws 2 17 5000 20\n", program);
	return 1;
}

static void
show_block(const INET_PORT_RESERVATION_INSTANCE &block)
{
	wprintf(L"StartPort=%d NumberOfPorts=%d Token=%I64d\n",
		ntohs(block.Reservation.StartPort),
		block.Reservation.NumberOfPorts, block.Token);
	fflush(stdout);
}

int
wmain(int argc, WCHAR **argv)
{
	WSADATA wsaData = { 0 };
	INET_PORT_RANGE portRange = { 0 };
	INET_PORT_RESERVATION_INSTANCE portRes = { 0 };
	SOCKET sock = INVALID_SOCKET;
	DWORD bytesReturned = 0;
	int exitCode = 1;
	int protocol;
	int result;

	if (argc != 5 && argc != 6)
		return show_usage(argv[0]);
	protocol = _wtoi(argv[2]);
	portRange.StartPort = htons((u_short) _wtoi(argv[3]));
	portRange.NumberOfPorts = (USHORT) _wtoi(argv[4]);

	result = WSAStartup(MAKEWORD(2, 2), &wsaData);
	if (result != 0) {
		wprintf(L"WSAStartup failed with error = %d\n", result);
		return 1;
	}

	sock = socket(_wtoi(argv[1]),
		      protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM,
		      protocol);
	if (sock == INVALID_SOCKET) {
		wprintf(L"socket failed with error = %d\n", WSAGetLastError());
		goto cleanup;
	}
	wprintf(L"socket succeeded\n");

	result = WSAIoctl(sock, SIO_ACQUIRE_PORT_RESERVATION,
			  (LPVOID) & portRange, sizeof (INET_PORT_RANGE),
			  (LPVOID) & portRes,
			  sizeof (INET_PORT_RESERVATION_INSTANCE),
			  &bytesReturned, NULL, NULL);
	if (result == SOCKET_ERROR) {
		wprintf(L"acquire failed with error = %d\n", WSAGetLastError());
		goto cleanup;
	}
	wprintf(L"acquire succeeded, bytesReturned = %u\n", bytesReturned);
	show_block(portRes);
	if (argc == 6)
		getchar();

	result = WSAIoctl(sock, SIO_RELEASE_PORT_RESERVATION,
			  (LPVOID) & portRes.Token, sizeof (ULONG64), NULL, 0,
			  &bytesReturned, NULL, NULL);
	if (result == SOCKET_ERROR) {
		wprintf(L"release failed with error = %d\n", WSAGetLastError());
		goto cleanup;
	}
	wprintf(L"release succeeded, bytesReturned = %u\n", bytesReturned);
	exitCode = 0;

cleanup:
	if (sock != INVALID_SOCKET && closesocket(sock) == SOCKET_ERROR) {
		wprintf(L"closesocket failed with error = %d\n",
			WSAGetLastError());
		exitCode = 1;
	}
	WSACleanup();
	return exitCode;
}
