/* SPDX-License-Identifier: MIT */
/*
 * The echo server of echo.c on a completion port, as Windows programmers write
 * it. Says its port, and serves until it is killed. "skip": no packets for what
 * is done at once.
 */
#include <winsock2.h>
#include <mswsock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 4096

struct connection {
	OVERLAPPED overlapped;
	SOCKET s;
	bool sending;
	WSABUF buffer;
	char data[PIECE];
};

static bool skips;

static void
drop(struct connection *connection)
{
	closesocket(connection->s);
	free(connection);
}

/* Was it done at once, without a packet? */
static bool
request(struct connection *connection, DWORD bytes, DWORD *ret_bytes)
{
	DWORD flags = 0;
	int r;

	memset(&connection->overlapped, 0, sizeof(connection->overlapped));
	connection->buffer.len = connection->sending ? bytes : PIECE;
	r = connection->sending
		    ? WSASend(connection->s, &connection->buffer, 1, ret_bytes,
			      0, &connection->overlapped, NULL)
		    : WSARecv(connection->s, &connection->buffer, 1, ret_bytes,
			      &flags, &connection->overlapped, NULL);
	if (r == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING) {
		drop(connection);
		return false;
	}
	return r == 0 && skips;
}

/* A read is followed by a write, and a write by a read. */
static void
go_on(struct connection *connection, DWORD bytes)
{
	do {
		if (bytes == 0) {
			drop(connection);
			return;
		}
		connection->sending = !connection->sending;
	} while (request(connection, bytes, &bytes));
}

static void
serve_new(HANDLE port, SOCKET s)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	DWORD bytes;

	connection->s = s;
	connection->buffer.buf = connection->data;
	CreateIoCompletionPort((HANDLE)s, port, 1, 0);
	if (skips)
		SetFileCompletionNotificationModes(
			(HANDLE)s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
	if (request(connection, 0, &bytes))
		go_on(connection, bytes);
}

struct listener {
	OVERLAPPED overlapped;
	SOCKET s;
	SOCKET next;
	char out[2 * (sizeof(struct sockaddr_in) + 16)];
};

static void
accept_next(struct listener *listener)
{
	DWORD size = sizeof(struct sockaddr_in) + 16;
	DWORD bytes;

	memset(&listener->overlapped, 0, sizeof(listener->overlapped));
	listener->next = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	AcceptEx(listener->s, listener->next, listener->out, 0, size, size,
		 &bytes, &listener->overlapped);
}

int
main(int argc, char **argv)
{
	HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
	struct sockaddr_in address = {.sin_family = AF_INET};
	int size = sizeof(address);
	struct listener listener;
	WSADATA data;

	skips = argc > 1 && !strcmp(argv[1], "skip");
	WSAStartup(MAKEWORD(2, 2), &data);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener.s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	bind(listener.s, (SOCKADDR *)&address, size);
	listen(listener.s, 128);
	getsockname(listener.s, (SOCKADDR *)&address, &size);
	CreateIoCompletionPort((HANDLE)listener.s, port, 0, 0);
	accept_next(&listener);
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		OVERLAPPED *overlapped;
		ULONG_PTR key;
		DWORD bytes;
		BOOL good = GetQueuedCompletionStatus(port, &bytes, &key,
						      &overlapped, INFINITE);

		if (key == 0) {
			serve_new(port, listener.next);
			accept_next(&listener);
		} else if (overlapped) {
			go_on((struct connection *)overlapped,
			      good ? bytes : 0);
		}
	}
}
