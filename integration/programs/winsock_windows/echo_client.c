/* SPDX-License-Identifier: MIT */
/* Sends a line and shows what comes back; says why when it cannot. */
#define _WINSOCK_DEPRECATED_NO_WARNINGS
#define _CRT_SECURE_NO_WARNINGS
#include <stdio.h>
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <conio.h>

static void WINAPI
ShowError(LPCSTR what)
{
	LPSTR message = NULL;
	DWORD error = WSAGetLastError();

	FormatMessageA(FORMAT_MESSAGE_ALLOCATE_BUFFER |
			       FORMAT_MESSAGE_FROM_SYSTEM |
			       FORMAT_MESSAGE_IGNORE_INSERTS,
		       NULL, error, MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT),
		       (LPSTR)&message, 0, NULL);
	fprintf(stderr, "%s: %lu, %s", what, error, message);
	LocalFree(message);
}

int
main(int argc, char *argv[])
{
	WSADATA wsa;
	SOCKET s;
	SOCKADDR_IN server;
	CHAR buffer[MAX_PATH];
	BOOL off = FALSE;
	DWORD timeout = 5000;
	int n, total = 0;

	if (argc < 3) {
		printf("usage: %s port text\n", argv[0]);
		return 2;
	}
	if (WSAStartup(MAKEWORD(2, 2), &wsa) != 0) {
		ShowError("WSAStartup");
		return 1;
	}
	memset(&server, 0, sizeof(server));
	server.sin_family = AF_INET;
	server.sin_addr.s_addr = inet_addr("127.0.0.1");
	server.sin_port = htons((u_short)atoi(argv[1]));
	s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (const char *)&off,
		   sizeof(off));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout,
		   sizeof(timeout));
	if (connect(s, (LPSOCKADDR)&server, sizeof(server)) == SOCKET_ERROR) {
		ShowError("connect");
		closesocket(s);
		WSACleanup();
		return 1;
	}
	if (send(s, argv[2], (int)strlen(argv[2]), 0) == SOCKET_ERROR)
		ShowError("send");
	shutdown(s, SD_SEND);
	while ((n = recv(s, buffer + total, sizeof(buffer) - 1 - total, 0)) > 0)
		total += n;
	buffer[total] = '\0';
	printf("Received %d: %s\n", total, buffer);
	closesocket(s);
	WSACleanup();
	printf("Press any key...\n");
	fflush(stdout);
	_getch();
	return 0;
}
