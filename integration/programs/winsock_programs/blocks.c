/* SPDX-License-Identifier: MIT */
/*
 * A media server's pools: ten blocks of 64 ports, wherever there are any, all
 * of them on one socket that is never bound, and all gone when it closes.
 */
#include <winsock2.h>
#include <mstcpip.h>
#include <stdio.h>

#define BLOCKS 10
#define BLOCK_SIZE 64

int
main(void)
{
	WSADATA wsa;
	SOCKET s;
	INET_PORT_RESERVATION_INSTANCE blocks[BLOCKS];
	INET_PORT_RANGE wanted = { 0, BLOCK_SIZE };
	DWORD bytes;
	int i;

	if (WSAStartup(MAKEWORD(2, 2), &wsa) != 0)
		return 1;
	s = WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0,
		      WSA_FLAG_OVERLAPPED);
	if (s == INVALID_SOCKET)
		return 1;
	for (i = 0; i < BLOCKS; i++) {
		if (WSAIoctl(s, SIO_ACQUIRE_PORT_RESERVATION, &wanted,
			     sizeof(wanted), &blocks[i], sizeof(blocks[i]),
			     &bytes, NULL, NULL) == SOCKET_ERROR) {
			printf("%d failed: %d\n", i, WSAGetLastError());
			return 1;
		}
		printf("%u %u %I64u\n", ntohs(blocks[i].StartPort),
		       blocks[i].NumberOfPorts, blocks[i].Token);
	}
	fflush(stdout);
	getchar();
	closesocket(s);
	printf("closed\n");
	fflush(stdout);
	getchar();
	WSACleanup();
	return 0;
}
