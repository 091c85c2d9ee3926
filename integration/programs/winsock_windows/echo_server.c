/* SPDX-License-Identifier: MIT */
/* Serves one client and ends, as tutorials begin. */
#undef UNICODE
#define WIN32_LEAN_AND_MEAN

#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdlib.h>
#include <stdio.h>

#pragma comment(lib, "Ws2_32.lib")

#define BUFFER_LENGTH 512

int __cdecl main(int argc, char **argv)
{
	WSADATA wsaData;
	SOCKET listener = INVALID_SOCKET, client = INVALID_SOCKET;
	struct addrinfo *found = NULL, hints;
	struct sockaddr_in own;
	int size = sizeof(own), received, result;
	char buffer[BUFFER_LENGTH];

	result = WSAStartup(MAKEWORD(2, 2), &wsaData);
	if (result != 0) {
		printf("WSAStartup failed with error: %d\n", result);
		return 1;
	}
	ZeroMemory(&hints, sizeof(hints));
	hints.ai_family = AF_INET;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_protocol = IPPROTO_TCP;
	hints.ai_flags = AI_PASSIVE;
	result = getaddrinfo(NULL, argc > 1 ? argv[1] : "0", &hints, &found);
	if (result != 0) {
		printf("getaddrinfo failed with error: %d\n", result);
		WSACleanup();
		return 1;
	}
	listener = socket(found->ai_family, found->ai_socktype,
			  found->ai_protocol);
	if (listener == INVALID_SOCKET) {
		printf("socket failed with error: %ld\n", WSAGetLastError());
		freeaddrinfo(found);
		WSACleanup();
		return 1;
	}
	result = bind(listener, found->ai_addr, (int)found->ai_addrlen);
	freeaddrinfo(found);
	if (result == SOCKET_ERROR || listen(listener, SOMAXCONN) ||
	    getsockname(listener, (SOCKADDR *)&own, &size)) {
		printf("bind failed with error: %d\n", WSAGetLastError());
		closesocket(listener);
		WSACleanup();
		return 1;
	}
	printf("port %d\n", ntohs(own.sin_port));
	fflush(stdout);
	client = accept(listener, NULL, NULL);
	closesocket(listener);
	do {
		received = recv(client, buffer, BUFFER_LENGTH, 0);
		if (received > 0)
			printf("Bytes sent: %d\n",
			       (int)send(client, buffer, received, 0));
	} while (received > 0);
	printf(received == 0 ? "Connection closing...\n"
			     : "recv failed with error: %d\n",
	       WSAGetLastError());
	shutdown(client, SD_SEND);
	closesocket(client);
	WSACleanup();
	return 0;
}
