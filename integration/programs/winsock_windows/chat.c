/* SPDX-License-Identifier: MIT */
/* A chat server with select(), for both systems, as such programs are. */
#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#include <process.h>
typedef int socklen;
#else
#error "for Windows"
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CLIENTS 10

struct client {
	SOCKET s;
	char name[16];
};

static struct client clients[MAX_CLIENTS];

static void
tell_all(SOCKET but, const char *format, const char *name, const char *text)
{
	char line[256];
	int n = sprintf_s(line, sizeof(line), format, name, text);

	for (int i = 0; i < MAX_CLIENTS; i++)
		if (clients[i].s != INVALID_SOCKET && clients[i].s != but)
			send(clients[i].s, line, n, 0);
}

static void
drop(struct client *client)
{
	closesocket(client->s);
	client->s = INVALID_SOCKET;
	tell_all(INVALID_SOCKET, "%s left%s\n", client->name, "");
}

static void
rename_client(struct client *client, const char *name)
{
	char before[sizeof(client->name)];

	strcpy_s(before, sizeof(before), client->name);
	strncpy_s(client->name, sizeof(client->name), name, _TRUNCATE);
	tell_all(INVALID_SOCKET, "%s is %s now\n", before, client->name);
}

static int
heard(struct client *client)
{
	char text[128];
	int n = recv(client->s, text, sizeof(text) - 1, 0);

	if (n == SOCKET_ERROR && WSAGetLastError() == WSAEWOULDBLOCK)
		return 1;
	if (n <= 0) {
		drop(client);
		return 1;
	}
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (_stricmp(text, "/quit") == 0)
		return 0;
	if (_strnicmp(text, "/name ", 6) == 0)
		rename_client(client, text + 6);
	else
		tell_all(client->s, "%s: %s\n", client->name, text);
	return 1;
}

int
main(void)
{
	struct sockaddr_in address;
	socklen size = sizeof(address);
	SOCKET listener;
	u_long nonblocking = 1;
	WSADATA data;
	int go_on = 1;

	if (WSAStartup(MAKEWORD(2, 2), &data) != NO_ERROR)
		exit(EXIT_FAILURE);
	for (int i = 0; i < MAX_CLIENTS; i++)
		clients[i].s = INVALID_SOCKET;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_ANY);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 5) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) < 0) {
		fprintf(stderr, "error %d\n", WSAGetLastError());
		return EXIT_FAILURE;
	}
	ioctlsocket(listener, FIONBIO, &nonblocking);
	printf("port %hu pid %s\n", ntohs(address.sin_port),
	       _getpid() ? "yes" : "no");
	fflush(stdout);
	while (go_on) {
		struct timeval wait = {60, 0};
		fd_set readable;

		FD_ZERO(&readable);
		FD_SET(listener, &readable);
		for (int i = 0; i < MAX_CLIENTS; i++)
			if (clients[i].s != INVALID_SOCKET)
				FD_SET(clients[i].s, &readable);
		if (select(0, &readable, NULL, NULL, &wait) <= 0)
			return EXIT_FAILURE;
		for (int i = 0; i < MAX_CLIENTS && go_on; i++)
			if (clients[i].s != INVALID_SOCKET &&
			    FD_ISSET(clients[i].s, &readable))
				go_on = heard(&clients[i]);
		if (FD_ISSET(listener, &readable)) {
			int i = 0;

			while (clients[i].s != INVALID_SOCKET)
				i++;
			clients[i].s = accept(listener, NULL, NULL);
			_snprintf_s(clients[i].name, sizeof(clients[i].name),
				    _TRUNCATE, "guest%d", i);
			tell_all(INVALID_SOCKET, "%s joined%s\n",
				 clients[i].name, "");
		}
	}
	closesocket(listener);
	WSACleanup();
	return EXIT_SUCCESS;
}
