/* SPDX-License-Identifier: MIT */
/*
 * An echo server whose threads share a completion port, while clients come and
 * go, some requests are cancelled and some sockets closed under them. Each
 * request must end once: "requests" are as many as "packets". No more of them
 * come when all connections have gone.
 */
#include <winsock2.h>
#include <mswsock.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 4
#define CLIENTS 4
#define VISITS 40
#define CONNECTIONS (CLIENTS * VISITS + 1)
#define MESSAGES 10
#define STOP 99

struct connection {
	OVERLAPPED overlapped;
	SOCKET s;
	int sending;
	WSABUF buffer;
	char data[256];
};

static HANDLE port;
static struct sockaddr_in address;
static atomic_long requests, packets, echoes, cancelled;
static sem_t gone;

static int
request(struct connection *connection, DWORD bytes)
{
	DWORD flags = 0;
	int r;

	memset(&connection->overlapped, 0, sizeof(connection->overlapped));
	connection->buffer.len =
		connection->sending ? bytes : sizeof(connection->data);
	requests++;
	r = connection->sending
		    ? WSASend(connection->s, &connection->buffer, 1, NULL, 0,
			      &connection->overlapped, NULL)
		    : WSARecv(connection->s, &connection->buffer, 1, NULL,
			      &flags, &connection->overlapped, NULL);
	if (r == 0 || WSAGetLastError() == WSA_IO_PENDING)
		return 0;
	requests--;
	return -1;
}

static void *
work(void *unused)
{
	(void)unused;
	for (;;) {
		OVERLAPPED *overlapped;
		ULONG_PTR key;
		DWORD bytes;
		BOOL good = GetQueuedCompletionStatus(port, &bytes, &key,
						      &overlapped, INFINITE);
		struct connection *connection = (void *)overlapped;

		if (key == STOP)
			return NULL;
		packets++;
		if (!good && GetLastError() == ERROR_OPERATION_ABORTED)
			cancelled++;
		connection->sending = !connection->sending;
		if (!good || bytes == 0 || request(connection, bytes) < 0) {
			closesocket(connection->s);
			free(connection);
			sem_post(&gone);
		}
	}
}

/* Some are closed at once, or their request is cancelled. */
static void *
serve(void *argument)
{
	SOCKET listener = (SOCKET)argument;

	for (int i = 0; i < CONNECTIONS; i++) {
		struct connection *connection = calloc(1, sizeof(*connection));
		SOCKET s = accept(listener, NULL, NULL);

		connection->s = s;
		connection->buffer.buf = connection->data;
		CreateIoCompletionPort((HANDLE)s, port, 1, 0);
		if (request(connection, 0) < 0)
			abort();
		if (i % 5 == 0)
			CancelIoEx((HANDLE)s, NULL);
	}
	return NULL;
}

static void *
visit(void *unused)
{
	(void)unused;
	for (int i = 0; i < VISITS; i++) {
		SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
		char out[100], in[100];

		if (connect(s, (SOCKADDR *)&address, sizeof(address)))
			abort();
		for (int n = 0; n < MESSAGES; n++) {
			memset(out, i + n, sizeof(out));
			if (send(s, out, sizeof(out), 0) != sizeof(out) ||
			    recv(s, in, sizeof(in), MSG_WAITALL) != sizeof(in))
				break;
			if (memcmp(in, out, sizeof(in)) != 0)
				abort();
			echoes++;
		}
		closesocket(s);
	}
	return NULL;
}

int
main(void)
{
	pthread_t workers[WORKERS], clients[CLIENTS], server;
	int size = sizeof(address);
	SOCKET listener, silent;
	WSADATA data;

	WSAStartup(MAKEWORD(2, 2), &data);
	sem_init(&gone, 0, 0);
	port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (SOCKADDR *)&address, size);
	getsockname(listener, (SOCKADDR *)&address, &size);
	listen(listener, 64);
	/* The first, whose request nothing but its cancelling can end. */
	silent = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(silent, (SOCKADDR *)&address, size))
		abort();
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&workers[i], NULL, work, NULL);
	pthread_create(&server, NULL, serve, (void *)listener);
	for (int i = 0; i < CLIENTS; i++)
		pthread_create(&clients[i], NULL, visit, NULL);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	pthread_join(server, NULL);
	for (int i = 0; i < CONNECTIONS; i++)
		sem_wait(&gone);
	for (int i = 0; i < WORKERS; i++)
		PostQueuedCompletionStatus(port, 0, STOP, NULL);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	printf("ended once %d\n", packets == requests);
	printf("some echoed %d\n", echoes > 0);
	printf("some cancelled %d\n", cancelled > 0);
	closesocket(silent);
	CloseHandle(port);
	WSACleanup();
	return 0;
}
