/* SPDX-License-Identifier: MIT */
/*
 * A runtime block from its acquire to its release, with one socket bound out
 * of it on the way: 6 (TCP) or 17 (UDP), the first port or 0, how many.
 */
#ifndef UNICODE
#define UNICODE
#endif

#include <Windows.h>
#include <WinSock2.h>
#include <Mstcpip.h>
#include <Ws2tcpip.h>
#include <stdio.h>
#include <stdlib.h>

#pragma comment(lib, "Ws2_32.lib")

static SOCKET
MakeSocket(int iFamily, int iProtocol)
{
	return socket(iFamily,
		      iProtocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM,
		      iProtocol);
}

int
wmain(int argc, WCHAR **argv)
{
	WSADATA wsaData = {0};
	INET_PORT_RANGE portRange = {0};
	INET_PORT_RESERVATION_INSTANCE portRes = {0};
	SOCKET owner = INVALID_SOCKET;
	SOCKET sock = INVALID_SOCKET;
	DWORD bytesReturned = 0;
	sockaddr_in service;
	int size = sizeof(service);
	int iResult;

	if (argc != 4) {
		wprintf(L"usage: %s <protocol> <start> <count>\n", argv[0]);
		return 1;
	}
	iResult = WSAStartup(MAKEWORD(2, 2), &wsaData);
	if (iResult != 0) {
		wprintf(L"WSAStartup failed with error = %d\n", iResult);
		return 1;
	}
	owner = MakeSocket(AF_INET, _wtoi(argv[1]));
	sock = MakeSocket(AF_INET, _wtoi(argv[1]));
	if (owner == INVALID_SOCKET || sock == INVALID_SOCKET) {
		wprintf(L"socket failed with error = %d\n", WSAGetLastError());
		goto fail;
	}
	portRange.StartPort = htons((u_short)_wtoi(argv[2]));
	portRange.NumberOfPorts = (USHORT)_wtoi(argv[3]);

	iResult = WSAIoctl(owner, SIO_ACQUIRE_PORT_RESERVATION,
			   (LPVOID)&portRange, sizeof(INET_PORT_RANGE),
			   (LPVOID)&portRes,
			   sizeof(INET_PORT_RESERVATION_INSTANCE),
			   &bytesReturned, NULL, NULL);
	if (iResult != 0) {
		wprintf(L"acquire failed with error = %d\n", WSAGetLastError());
		goto fail;
	}
	wprintf(L"acquired %u ports, bytesReturned = %u\n",
		portRes.Reservation.NumberOfPorts, bytesReturned);

	iResult = WSAIoctl(sock, SIO_ASSOCIATE_PORT_RESERVATION,
			   (LPVOID)&portRes.Token, sizeof(ULONG64), NULL, 0,
			   &bytesReturned, NULL, NULL);
	if (iResult != 0) {
		wprintf(L"associate failed with error = %d\n",
			WSAGetLastError());
		goto fail;
	}
	wprintf(L"associated, bytesReturned = %u\n", bytesReturned);

	ZeroMemory(&service, sizeof(service));
	service.sin_family = AF_INET;
	service.sin_addr.s_addr = INADDR_ANY;
	service.sin_port = 0;
	if (bind(sock, (SOCKADDR *)&service, sizeof(service)) ==
		    SOCKET_ERROR ||
	    getsockname(sock, (SOCKADDR *)&service, &size) == SOCKET_ERROR) {
		wprintf(L"bind failed with error = %d\n", WSAGetLastError());
		goto fail;
	}
	wprintf(L"bound inside: %s\n",
		ntohs(service.sin_port) -
				ntohs(portRes.Reservation.StartPort) <
			portRes.Reservation.NumberOfPorts
			? L"yes"
			: L"no");

	iResult = WSAIoctl(owner, SIO_RELEASE_PORT_RESERVATION,
			   (LPVOID)&portRes.Token, sizeof(ULONG64), NULL, 0,
			   &bytesReturned, NULL, NULL);
	if (iResult != 0) {
		wprintf(L"release failed with error = %d\n", WSAGetLastError());
		goto fail;
	}
	wprintf(L"released, bytesReturned = %u\n", bytesReturned);
	closesocket(sock);
	closesocket(owner);
	WSACleanup();
	return 0;

fail:
	if (sock != INVALID_SOCKET)
		closesocket(sock);
	if (owner != INVALID_SOCKET)
		closesocket(owner);
	WSACleanup();
	return 1;
}
