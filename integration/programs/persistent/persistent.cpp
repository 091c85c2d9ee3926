/* SPDX-License-Identifier: MIT */
/*
 * The life of a persistent block, as a Windows program writes it:
 * usage: winsock_persistent <tcp|udp> <start> <count>
 */
#include <winsock2.h>
#include <mstcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>

#pragma comment(lib, "Ws2_32.lib")
#pragma comment(lib, "Iphlpapi.lib")

int
wmain(int argc, WCHAR **argv)
{
	WSADATA wsaData = { 0 };
	ULONG64 created = 0, found = 0;
	sockaddr_in address = { 0 };
	int length = sizeof (address);
	DWORD bytes = 0;
	SOCKET sock;
	ULONG status;
	bool tcp;
	USHORT start, count;

	if (argc != 4) {
		wprintf(L"usage: %s <tcp|udp> <start> <count>\n", argv[0]);
		return 1;
	}
	tcp = wcscmp(argv[1], L"tcp") == 0;
	start = htons((u_short) _wtoi(argv[2]));
	count = (USHORT) _wtoi(argv[3]);

	/* Before WSAStartup, as on Windows. */
	status = tcp ? CreatePersistentTcpPortReservation(start, count, &created)
		     : CreatePersistentUdpPortReservation(start, count, &created);
	wprintf(L"create %u\n", status);
	status = tcp ? LookupPersistentTcpPortReservation(start, count, &found)
		     : LookupPersistentUdpPortReservation(start, count, &found);
	wprintf(L"lookup %u %s\n", status,
		found == created && found != 0 ? L"same" : L"different");

	if (WSAStartup(MAKEWORD(2, 2), &wsaData) != 0)
		return 1;
	sock = tcp ? socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
		   : socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	if (WSAIoctl(sock, SIO_ASSOCIATE_PORT_RESERVATION, &found,
		     sizeof (found), NULL, 0, &bytes, NULL, NULL) != 0)
		wprintf(L"associate %d\n", WSAGetLastError());
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(sock, (SOCKADDR *) & address, sizeof (address)) != 0 ||
	    getsockname(sock, (SOCKADDR *) & address, &length) != 0)
		wprintf(L"bind %d\n", WSAGetLastError());
	wprintf(L"bound %d\n", ntohs(address.sin_port));
	closesocket(sock);

	status = tcp ? DeletePersistentTcpPortReservation(start, count)
		     : DeletePersistentUdpPortReservation(start, count);
	wprintf(L"delete %u\n", status);
	status = tcp ? LookupPersistentTcpPortReservation(start, count, &found)
		     : LookupPersistentUdpPortReservation(start, count, &found);
	wprintf(L"lookup %u\n", status);
	WSACleanup();
	return 0;
}
