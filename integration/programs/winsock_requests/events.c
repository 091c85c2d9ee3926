/* SPDX-License-Identifier: MIT */
/*
 * WSAEventSelect and WSAEnumNetworkEvents: a server and its client in one
 * thread. One line an answer. It builds for Windows as it stands.
 */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
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

/* Waits for all of these, which may come one by one. */
static long
until(SOCKET s, WSAEVENT event, long all)
{
	long sum = 0, now = 0;

	while ((sum & all) != all && now >= 0) {
		now = happened(s, event);
		sum |= now;
	}
	return now < 0 ? now : sum;
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
	say("closed", (until(c, client, FD_CLOSE) & FD_CLOSE) == FD_CLOSE);
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

/* A connection, and the event of its first end. */
struct pair {
	WSAEVENT event;
	SOCKET s;
	SOCKET peer;
};

static struct pair
paired(long asked)
{
	struct pair made;
	WSAEVENT other = WSACreateEvent();
	SOCKET listener = listening(other);

	made.peer = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	connect(made.peer, (SOCKADDR *)&address, sizeof(address));
	happened(listener, other);
	made.s = accept(listener, NULL, NULL);
	made.event = WSACreateEvent();
	WSAEventSelect(made.s, made.event, asked);
	closesocket(listener);
	WSACloseEvent(other);
	return made;
}

static void
parted(const struct pair *pair)
{
	closesocket(pair->s);
	closesocket(pair->peer);
	WSACloseEvent(pair->event);
}

/* A port of the machine that nobody has. */
static void
let_go(int type)
{
	SOCKET s = socket(AF_INET, type, 0);
	int size = sizeof(address);

	address.sin_port = 0;
	bind(s, (SOCKADDR *)&address, sizeof(address));
	getsockname(s, (SOCKADDR *)&address, &size);
	closesocket(s);
}

/* An error is something to be read. */
static void
unreachable(void)
{
	WSAEVENT event = WSACreateEvent();
	SOCKET s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	char byte = 0;

	let_go(SOCK_DGRAM);
	WSAEventSelect(s, event, FD_CONNECT | FD_READ);
	connect(s, (SOCKADDR *)&address, sizeof(address));
	say("UDP, connected", happened(s, event));
	send(s, &byte, 1, 0);
	say("nobody there", happened(s, event));
	say("that is", error_of(recv(s, &byte, 1, 0)));
	say("once", is_set(event));
	send(s, &byte, 1, 0);
	say("nobody still", happened(s, event));
	closesocket(s);
	WSACloseEvent(event);
}

static void
urgent(void)
{
	struct pair pair = paired(FD_OOB | FD_READ | FD_CLOSE);
	char data[8] = "";

	send(pair.peer, "!", 1, MSG_OOB);
	say("FD_OOB", happened(pair.s, pair.event));
	say("its byte", recv(pair.s, data, 1, MSG_OOB) == 1 && *data == '!');
	send(pair.peer, "abc", 3, 0);
	say("data behind it", happened(pair.s, pair.event));
	say("all three", recv(pair.s, data, 8, 0));
	parted(&pair);

	pair = paired(FD_OOB | FD_READ | FD_CLOSE);
	send(pair.peer, "!", 1, MSG_OOB);
	send(pair.peer, "abc", 3, 0);
	say("both", until(pair.s, pair.event, FD_OOB | FD_READ));
	shutdown(pair.peer, SD_SEND);
	say("the byte", recv(pair.s, data, 1, MSG_OOB));
	say("not over", is_set(pair.event));
	say("a look", recv(pair.s, data, 1, MSG_PEEK));
	say("is data", happened(pair.s, pair.event));
	say("the rest", recv(pair.s, data, 8, 0));
	say("it is over", happened(pair.s, pair.event));
	parted(&pair);
}

static void
wait_readable(SOCKET s)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s, &set);
	select(0, &set, NULL, NULL, NULL);
}

/* Nobody else reads for those who ask for the end alone. */
static void
unread(void)
{
	struct pair pair = paired(FD_CLOSE);
	char byte;

	send(pair.peer, "xy", 2, 0);
	shutdown(pair.peer, SD_SEND);
	wait_readable(pair.s);
	recv(pair.s, &byte, 1, 0);
	say("unread", is_set(pair.event));
	recv(pair.s, &byte, 1, 0);
	say("all read", happened(pair.s, pair.event));
	parted(&pair);
}

/* The program's own end is none, and the peer's is afterwards. */
static void
own_end(int how, const char *before, const char *after)
{
	struct pair pair = paired(FD_READ | FD_CLOSE);

	shutdown(pair.s, how);
	/* It looks for what is there. */
	WSAEventSelect(pair.s, pair.event, FD_READ | FD_CLOSE);
	say(before, is_set(pair.event));
	shutdown(pair.peer, SD_SEND);
	say(after,
	    happened(pair.s, pair.event) | events.iErrorCode[FD_CLOSE_BIT]);
	parted(&pair);
}

/* A connect that was refused may be tried again. */
static void
again(void)
{
	WSAEVENT event = WSACreateEvent(), other = WSACreateEvent();
	SOCKET c = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), listener;

	WSAEventSelect(c, event, FD_CONNECT | FD_WRITE | FD_CLOSE);
	let_go(SOCK_STREAM);
	say("try", error_of(connect(c, (SOCKADDR *)&address, sizeof(address))));
	say("it fails", happened(c, event));
	say("why it fails", events.iErrorCode[FD_CONNECT_BIT]);
	let_go(SOCK_STREAM);
	say("try anew",
	    error_of(connect(c, (SOCKADDR *)&address, sizeof(address))));
	say("fails again", happened(c, event));
	say("why again", events.iErrorCode[FD_CONNECT_BIT]);
	listener = listening(other);
	say("try again",
	    error_of(connect(c, (SOCKADDR *)&address, sizeof(address))));
	say("succeeds", until(c, event, FD_CONNECT | FD_WRITE));
	say("without an error", events.iErrorCode[FD_CONNECT_BIT]);
	say("and again",
	    error_of(connect(c, (SOCKADDR *)&address, sizeof(address))));
	closesocket(c);
	closesocket(listener);
	WSACloseEvent(event);
	WSACloseEvent(other);
}

/* The outcome is told to those too that ask after it is there. */
static void
late(void)
{
	WSAEVENT event = WSACreateEvent(), other = WSACreateEvent();
	SOCKET listener = listening(other), c, s;
	u_long on = 1;
	fd_set failed;

	WSAEventSelect(listener, other, FD_ACCEPT | FD_CONNECT | FD_WRITE);
	c = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	connect(c, (SOCKADDR *)&address, sizeof(address));
	WSAEventSelect(c, event, FD_WRITE);
	say("without FD_CONNECT", happened(c, event));
	WSAEventSelect(c, event, FD_CONNECT);
	say("late", happened(c, event));
	say("late, why", events.iErrorCode[FD_CONNECT_BIT]);
	WSAEventSelect(c, event, FD_CONNECT);
	say("late, twice", is_set(event));
	happened(listener, other);
	s = accept(listener, NULL, NULL);
	say("accepted", happened(s, other));
	closesocket(s);
	closesocket(c);
	closesocket(listener);

	c = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	ioctlsocket(c, FIONBIO, &on);
	let_go(SOCK_STREAM);
	connect(c, (SOCKADDR *)&address, sizeof(address));
	FD_ZERO(&failed);
	FD_SET(c, &failed);
	select(0, NULL, NULL, &failed, NULL);
	WSAEventSelect(c, event, FD_CONNECT | FD_CLOSE);
	say("refused before", happened(c, event));
	say("why before", events.iErrorCode[FD_CONNECT_BIT]);
	closesocket(c);
	WSACloseEvent(event);
	WSACloseEvent(other);
}

/* Two wait, and each is told. */
static void
two_wait(void)
{
	WSAEVENT event = WSACreateEvent();
	SOCKET listener = listening(event), c[2], s[2];

	for (int i = 0; i < 2; i++) {
		c[i] = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
		connect(c[i], (SOCKADDR *)&address, sizeof(address));
	}
	say("the first", happened(listener, event));
	say("told", is_set(event));
	s[0] = accept(listener, NULL, NULL);
	say("the second", happened(listener, event));
	s[1] = accept(listener, NULL, NULL);
	say("no third", is_set(event));
	for (int i = 0; i < 2; i++) {
		closesocket(c[i]);
		closesocket(s[i]);
	}
	closesocket(listener);
	WSACloseEvent(event);
}

/* AcceptEx is one that enables FD_ACCEPT again. */
static void
accepted_by_request(void)
{
	WSAEVENT event = WSACreateEvent(), other = WSACreateEvent();
	SOCKET listener = listening(event), c[2], s;
	char room[2 * (sizeof(struct sockaddr_in) + 16)];
	GUID which = WSAID_ACCEPTEX;
	LPFN_ACCEPTEX accept_ex = NULL;
	OVERLAPPED accepting;
	DWORD bytes = 0;

	WSAIoctl(listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &which,
		 sizeof(which), &accept_ex, sizeof(accept_ex), &bytes, NULL,
		 NULL);
	memset(&accepting, 0, sizeof(accepting));
	accepting.hEvent = WSACreateEvent();
	s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	WSAEventSelect(s, other, FD_READ);
	for (int i = 0; i < 2; i++) {
		c[i] = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
		connect(c[i], (SOCKADDR *)&address, sizeof(address));
		say(i ? "the other waits" : "one waits",
		    happened(listener, event));
		if (i)
			break;
		accept_ex(listener, s, room, 0, sizeof(room) / 2,
			  sizeof(room) / 2, &bytes, &accepting);
		WaitForSingleObject(accepting.hEvent, 10000);
	}
	send(c[0], "x", 1, 0);
	say("its FD_READ", happened(s, other));
	closesocket(s);
	closesocket(c[0]);
	closesocket(c[1]);
	closesocket(listener);
	WSACloseEvent(accepting.hEvent);
	WSACloseEvent(event);
	WSACloseEvent(other);
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
	unreachable();
	urgent();
	unread();
	own_end(SD_RECEIVE, "SD_RECEIVE", "SD_RECEIVE, then the peer");
	own_end(SD_SEND, "SD_SEND", "SD_SEND, then the peer");
	own_end(SD_BOTH, "SD_BOTH", "SD_BOTH, then the peer");
	again();
	late();
	two_wait();
	accepted_by_request();
	WSACleanup();
	return 0;
}
