/* SPDX-License-Identifier: MIT */
/*
 * WSAEventSelect and WSAEnumNetworkEvents: a server and its client in one
 * thread. One line an answer. It builds for Windows as it stands.
 */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <string.h>

static void
say(const char *name, long value)
{
	printf("%s %ld\n", name, value);
}

static long
error_of(long long result)
{
	return result == SOCKET_ERROR ? WSAGetLastError() : 0;
}

static WSANETWORKEVENTS events;

/* The events within ten seconds, and whether there were any. */
static long
happened(SOCKET s, WSAEVENT event)
{
	memset(&events, 0, sizeof(events));
	if (WSAWaitForMultipleEvents(1, &event, TRUE, 10000, FALSE) !=
	    WSA_WAIT_EVENT_0)
		return -1;
	if (WSAEnumNetworkEvents(s, event, &events))
		return -WSAGetLastError();
	return events.lNetworkEvents;
}

static int
is_set(WSAEVENT event)
{
	return WSAWaitForMultipleEvents(1, &event, TRUE, 0, FALSE) ==
	       WSA_WAIT_EVENT_0;
}

static struct sockaddr_in address;

static SOCKET
listening(WSAEVENT event)
{
	static int before;
	SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	int size = sizeof(address);

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(s, (SOCKADDR *)&address, sizeof(address));
	getsockname(s, (SOCKADDR *)&address, &size);
	/* Before it listens, as many programs do. */
	if (WSAEventSelect(s, event, FD_ACCEPT | FD_READ | FD_CLOSE) ||
	    !before++)
		say("select a listener", WSAGetLastError());
	listen(s, 5);
	return s;
}

static void
conversation(void)
{
	WSAEVENT server = WSACreateEvent(), client = WSACreateEvent();
	SOCKET listener = listening(server), s, c;
	char data[8];
	u_long off = 0;

	c = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	say("select a client",
	    error_of(WSAEventSelect(
		    c, client, FD_CONNECT | FD_WRITE | FD_READ | FD_CLOSE)));
	say("nothing yet", is_set(client));
	say("blocks no more", error_of(ioctlsocket(c, FIONBIO, &off)));
	connect(c, (SOCKADDR *)&address, sizeof(address));
	say("connected", (happened(c, client) & FD_CONNECT) == FD_CONNECT);
	say("its error", events.iErrorCode[FD_CONNECT_BIT]);
	say("FD_ACCEPT", happened(listener, server));
	s = accept(listener, NULL, NULL);
	say("does not block", error_of(recv(s, data, 1, 0)));

	send(c, "abc", 3, 0);
	say("FD_READ", happened(s, server) & FD_READ);
	say("told once", is_set(server));
	recv(s, data, 1, 0);
	say("again, for the rest", happened(s, server));
	recv(s, data, 2, 0);
	say("read all", is_set(server));
	send(c, "d", 1, 0);
	shutdown(c, SD_SEND);
	say("data before the end", happened(s, server));
	recv(s, data, 1, 0);
	say("FD_CLOSE", happened(s, server));
	say("gracefully", events.iErrorCode[FD_CLOSE_BIT]);
	closesocket(s);
	say("closed", (happened(c, client) & FD_CLOSE) == FD_CLOSE);
	closesocket(c);
	closesocket(listener);
	WSACloseEvent(server);
	WSACloseEvent(client);
}

static void
refused(void)
{
	WSAEVENT event = WSACreateEvent();
	SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	SOCKET c = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	int size = sizeof(address);

	address.sin_port = 0;
	bind(listener, (SOCKADDR *)&address, sizeof(address));
	getsockname(listener, (SOCKADDR *)&address, &size);
	closesocket(listener);
	WSAEventSelect(c, event, FD_CONNECT | FD_WRITE);
	connect(c, (SOCKADDR *)&address, sizeof(address));
	say("refused", happened(c, event));
	say("why", events.iErrorCode[FD_CONNECT_BIT]);
	closesocket(c);
	WSACloseEvent(event);
}

static void
reset(void)
{
	WSAEVENT event = WSACreateEvent();
	SOCKET listener = listening(event), s, c;
	struct linger now = {1, 0};
	char byte;

	c = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	connect(c, (SOCKADDR *)&address, sizeof(address));
	happened(listener, event);
	s = accept(listener, NULL, NULL);
	setsockopt(c, SOL_SOCKET, SO_LINGER, (char *)&now, sizeof(now));
	closesocket(c);
	say("reset", happened(s, event));
	say("its code", events.iErrorCode[FD_CLOSE_BIT]);
	say("recv says so", error_of(recv(s, &byte, 1, 0)));
	closesocket(s);
	closesocket(listener);
	WSACloseEvent(event);
}

static void
full(void)
{
	static char much[65536];
	WSAEVENT event = WSACreateEvent(), other = WSACreateEvent();
	SOCKET listener = listening(other), s, c;

	c = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	WSAEventSelect(c, event, FD_CONNECT | FD_WRITE);
	connect(c, (SOCKADDR *)&address, sizeof(address));
	happened(listener, other);
	s = accept(listener, NULL, NULL);
	while (!(happened(c, event) & FD_WRITE))
		;
	say("FD_WRITE", 1);
	send(c, much, 1, 0);
	say("not again", is_set(event));
	while (send(c, much, sizeof(much), 0) > 0)
		;
	say("full", WSAGetLastError());
	while (!is_set(event))
		recv(s, much, sizeof(much), 0);
	say("room", happened(c, event));
	closesocket(c);
	closesocket(s);
	closesocket(listener);
	WSACloseEvent(event);
	WSACloseEvent(other);
}

static void
datagrams(void)
{
	WSAEVENT event = WSACreateEvent();
	SOCKET s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	int size = sizeof(address);
	char byte = 0;
	u_long off = 0;

	address.sin_port = 0;
	bind(s, (SOCKADDR *)&address, sizeof(address));
	getsockname(s, (SOCKADDR *)&address, &size);
	say("bad events", error_of(WSAEventSelect(s, event, 1 << 20)));
	say("no event", error_of(WSAEventSelect(s, NULL, FD_READ)));
	say("UDP", error_of(WSAEventSelect(s, event, FD_READ)));
	sendto(s, &byte, 1, 0, (SOCKADDR *)&address, size);
	say("datagram", happened(s, event));
	say("NULL", error_of(WSAEnumNetworkEvents(s, event, NULL)));
	say("no more", error_of(WSAEventSelect(s, NULL, 0)));
	recv(s, &byte, 1, 0);
	sendto(s, &byte, 1, 0, (SOCKADDR *)&address, size);
	say("not told", is_set(event));
	say("may block", error_of(ioctlsocket(s, FIONBIO, &off)));
	closesocket(s);
	WSACloseEvent(event);
}

int
main(void)
{
	WSADATA data;

	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	conversation();
	refused();
	reset();
	full();
	datagrams();
	WSACleanup();
	return 0;
}
