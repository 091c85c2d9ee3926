/* SPDX-License-Identifier: MIT */
/*
 * Winsock's answers to calls that are a little wrong. One line an answer: its
 * name and the error, or 0. It builds for Windows as it stands.
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

/* The error of a call that fails with SOCKET_ERROR, or INVALID_SOCKET. */
static long
error_of(long long result)
{
	return result == SOCKET_ERROR ? WSAGetLastError() : 0;
}

static long
opened(SOCKET s)
{
	long error = s == INVALID_SOCKET ? WSAGetLastError() : 0;

	if (s != INVALID_SOCKET)
		closesocket(s);
	return error;
}

static struct sockaddr_in
loopback(void)
{
	struct sockaddr_in address;

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.S_un.S_addr = htonl(INADDR_LOOPBACK);
	return address;
}

/* A socket that is bound, and its address. */
static SOCKET
bound(int type, struct sockaddr_in *address)
{
	SOCKET s = socket(AF_INET, type, 0);
	int size = sizeof(*address);

	*address = loopback();
	if (bind(s, (SOCKADDR *)address, sizeof(*address)) ||
	    getsockname(s, (SOCKADDR *)address, &size))
		say("cannot bind", WSAGetLastError());
	return s;
}

/* Has the kernel heard what it was told? It need not have when it sent. */
static void
wait_readable(SOCKET s)
{
	struct timeval limit = {10, 0};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s, &set);
	select(0, &set, NULL, NULL, &limit);
}

static void
sockets(void)
{
	say("socket, type 77", opened(socket(AF_INET, 77, 0)));
	say("WSASocket, type 77",
	    opened(WSASocket(AF_INET, 77, 0, NULL, 0, 0)));
	say("socket, family 99", opened(socket(99, SOCK_STREAM, 0)));
	say("socket, protocol 999", opened(socket(AF_INET, SOCK_STREAM, 999)));
	say("socket, UDP as a stream",
	    opened(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP)));
	say("socket, AF_INET6", opened(socket(AF_INET6, SOCK_STREAM, 0)));
	say("AF_INET6", AF_INET6);
}

static void
datagrams(void)
{
	struct sockaddr_in gone;
	SOCKET other = bound(SOCK_DGRAM, &gone);
	SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
	DWORD limit = 10000;
	char byte = 0;

	say("send, UDP without a peer", error_of(send(s, &byte, 1, 0)));
	closesocket(other);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof(limit));
	connect(s, (SOCKADDR *)&gone, sizeof(gone));
	send(s, &byte, 1, 0);
	say("recv, port unreachable", error_of(recv(s, &byte, 1, 0)));
	send(s, &byte, 1, 0);
	say("recvfrom, port unreachable",
	    error_of(recvfrom(s, &byte, 1, 0, NULL, NULL)));
	closesocket(s);
}

/* It has a port from the first sendto on. */
static void
never_bound(void)
{
	struct sockaddr_in address;
	SOCKET to = bound(SOCK_DGRAM, &address);
	SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), stream;
	struct sockaddr_in bad = address;
	int size = sizeof(address);
	WSABUF buffer;
	DWORD limit = 50, n, flags = 0;
	char byte = 0;

	buffer.buf = &byte;
	buffer.len = 1;
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof(limit));
	say("recv, not bound", error_of(recv(s, &byte, 1, 0)));
	say("recvfrom, not bound",
	    error_of(recvfrom(s, &byte, 1, 0, (SOCKADDR *)&bad, &size)));
	say("WSARecv, not bound",
	    error_of(WSARecv(s, &buffer, 1, &n, &flags, NULL, NULL)));
	bad = address;
	bad.sin_port = 0;
	say("sendto, port 0",
	    error_of(sendto(s, &byte, 1, 0, (SOCKADDR *)&bad, sizeof(bad))));
	bad = address;
	bad.sin_addr.S_un.S_addr = INADDR_ANY;
	say("sendto, INADDR_ANY",
	    error_of(sendto(s, &byte, 1, 0, (SOCKADDR *)&bad, sizeof(bad))));
	say("WSASendTo, INADDR_ANY",
	    error_of(WSASendTo(s, &buffer, 1, &n, 0, (SOCKADDR *)&bad,
			       sizeof(bad), NULL, NULL)));
	stream = socket(AF_INET, SOCK_STREAM, 0);
	say("connect, INADDR_ANY",
	    error_of(connect(stream, (SOCKADDR *)&bad, sizeof(bad))));
	bad = address;
	bad.sin_port = 0;
	say("connect, port 0",
	    error_of(connect(stream, (SOCKADDR *)&bad, sizeof(bad))));
	closesocket(stream);
	say("sendto, not bound",
	    error_of(sendto(s, &byte, 1, 0, (SOCKADDR *)&address,
			    sizeof(address))));
	say("recv, bound", error_of(recv(s, &byte, 1, 0)));
	closesocket(to);
	closesocket(s);
}

static void
long_datagram(void)
{
	struct sockaddr_in address;
	SOCKET to = bound(SOCK_DGRAM, &address);
	SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
	char buffer[2] = "";

	sendto(s, "abc", 3, 0, (SOCKADDR *)&address, sizeof(address));
	wait_readable(to);
	say("recv, too long", error_of(recv(to, buffer, 2, 0)));
	say("recv, what fits", buffer[0] == 'a' && buffer[1] == 'b');
	closesocket(to);
	closesocket(s);
}

static void
streams(void)
{
	struct sockaddr_in address;
	SOCKET listener = bound(SOCK_STREAM, &address);
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	SOCKET peer;
	char byte = 0;

	say("send, never connected", error_of(send(s, &byte, 1, 0)));
	say("recv, never connected", error_of(recv(s, &byte, 1, 0)));
	say("listen, not bound", error_of(listen(s, 1)));
	listen(listener, 1);
	say("connect",
	    error_of(connect(s, (SOCKADDR *)&address, sizeof(address))));
	say("connect again",
	    error_of(connect(s, (SOCKADDR *)&address, sizeof(address))));
	peer = accept(listener, NULL, NULL);
	send(peer, "x", 1, 0);
	/* A byte that came later would reset the connection. */
	wait_readable(s);
	shutdown(s, SD_RECEIVE);
	say("recv, after SD_RECEIVE", error_of(recv(s, &byte, 1, 0)));
	shutdown(s, SD_SEND);
	say("send, after SD_SEND", error_of(send(s, &byte, 1, 0)));
	closesocket(s);
	closesocket(peer);
	closesocket(listener);
}

static void
wait_connected(SOCKET s)
{
	fd_set writable, failed;

	FD_ZERO(&writable);
	FD_ZERO(&failed);
	FD_SET(s, &writable);
	FD_SET(s, &failed);
	select(0, NULL, &writable, &failed, NULL);
}

/* A socket that does not block tries where nobody listens any more, then where
 * somebody does. */
static void
connect_again(BOOL asks, const char *again)
{
	struct sockaddr_in address, gone;
	SOCKET listener = bound(SOCK_STREAM, &address);
	SOCKET other = bound(SOCK_STREAM, &gone);
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	int size = sizeof(int);
	int error = 0;
	u_long on = 1;

	closesocket(other);
	listen(listener, 1);
	ioctlsocket(s, FIONBIO, &on);
	connect(s, (SOCKADDR *)&gone, sizeof(gone));
	wait_connected(s);
	if (asks) {
		getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &size);
		say("connect, nobody there", error);
	}
	say(again, error_of(connect(s, (SOCKADDR *)&address, sizeof(address))));
	wait_connected(s);
	getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &size);
	say("its error then", error);
	say("connect, once more",
	    error_of(connect(s, (SOCKADDR *)&address, sizeof(address))));
	closesocket(s);
	closesocket(listener);
}

static long
shared_ports(int type, const char *first, const char *second, const char *over)
{
	struct sockaddr_in address = loopback();
	SOCKET s = socket(AF_INET, type, 0);
	SOCKET other = socket(AF_INET, type, 0);
	int size = sizeof(address);
	BOOL on = TRUE;
	long error;

	setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on, sizeof(on));
	say(first, error_of(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, (char *)&on,
				       sizeof(on))));
	setsockopt(other, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof(on));
	say(second, error_of(setsockopt(other, SOL_SOCKET, SO_EXCLUSIVEADDRUSE,
					(char *)&on, sizeof(on))));
	bind(s, (SOCKADDR *)&address, sizeof(address));
	getsockname(s, (SOCKADDR *)&address, &size);
	error = error_of(bind(other, (SOCKADDR *)&address, sizeof(address)));
	say(over, error == 0);
	closesocket(other);
	closesocket(s);
	return error;
}

static void
bad_addresses(void)
{
	struct sockaddr_in address = loopback();
	struct sockaddr_in to;
	SOCKET receiver = bound(SOCK_DGRAM, &to);
	SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
	SOCKET six = socket(AF_INET6, SOCK_DGRAM, 0);
	SOCKADDR *at = (SOCKADDR *)&address;
	int size = sizeof(address);
	int small = sizeof(address) - 1;
	char byte = 0;

	say("bind, short", error_of(bind(s, at, small)));
	say("bind, NULL", error_of(bind(s, NULL, size)));
	say("bind, other family", error_of(bind(six, at, size)));
	say("getsockname, not bound", error_of(getsockname(s, at, &size)));
	bind(s, at, size);
	say("bind, again", error_of(bind(s, at, size)));
	say("getsockname, short", error_of(getsockname(s, at, &small)));
	say("getsockname, NULL", error_of(getsockname(s, NULL, &size)));
	say("getsockname, NULL size", error_of(getsockname(s, at, NULL)));
	say("sendto, short",
	    error_of(sendto(s, &byte, 1, 0, (SOCKADDR *)&to, small)));
	say("connect, short", error_of(connect(s, (SOCKADDR *)&to, small)));
	say("sendto", error_of(sendto(s, &byte, 1, 0, (SOCKADDR *)&to, size)));
	wait_readable(receiver);
	small = 4;
	say("recvfrom, short",
	    error_of(recvfrom(receiver, &byte, 1, 0, at, &small)));
	closesocket(receiver);
	closesocket(six);
	closesocket(s);
}

static void
bad_accept(void)
{
	struct sockaddr_in address;
	SOCKET listener = bound(SOCK_STREAM, &address);
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	int small = 4;

	listen(listener, 1);
	connect(s, (SOCKADDR *)&address, sizeof(address));
	say("accept, short",
	    opened(accept(listener, (SOCKADDR *)&address, &small)));
	say("accept, NULL size",
	    opened(accept(listener, (SOCKADDR *)&address, NULL)));
	say("accept, still there", opened(accept(listener, NULL, NULL)));
	small = 4;
	say("getpeername, short",
	    error_of(getpeername(s, (SOCKADDR *)&address, &small)));
	closesocket(listener);
	closesocket(s);
}

static void
bad_options(void)
{
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	int size = sizeof(int);
	int none = 0;
	int value = 0;
	char name[256];

	say("getsockopt, short", error_of(getsockopt(s, SOL_SOCKET, SO_RCVBUF,
						     (char *)&value, &none)));
	say("getsockopt, NULL",
	    error_of(getsockopt(s, SOL_SOCKET, SO_RCVBUF, NULL, &size)));
	say("getsockopt, NULL size",
	    error_of(getsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&value,
				NULL)));
	say("setsockopt, short",
	    error_of(setsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&value, 0)));
	say("setsockopt, NULL",
	    error_of(setsockopt(s, SOL_SOCKET, SO_RCVBUF, NULL, size)));
	say("gethostname, short", error_of(gethostname(name, 1)));
	say("gethostname, NULL", error_of(gethostname(NULL, sizeof(name))));
	say("gethostname", error_of(gethostname(name, sizeof(name))));
	closesocket(s);
}

static void
selects(void)
{
	struct timeval at_once = {0, 0};
	struct timeval never = {-1, 0};
	struct sockaddr_in address;
	SOCKET s = bound(SOCK_DGRAM, &address);
	fd_set set;

	FD_ZERO(&set);
	say("select, no sets", error_of(select(0, NULL, NULL, NULL, &at_once)));
	say("select, an empty set",
	    error_of(select(0, &set, NULL, NULL, &at_once)));
	FD_SET(s, &set);
	FD_SET(s, &set);
	say("fd_count", (long)set.fd_count);
	say("fd_array", set.fd_array[0] == s);
	say("select, a bad time",
	    error_of(select(0, &set, NULL, NULL, &never)));
	say("select, nothing", select(0, &set, NULL, NULL, &at_once));
	say("fd_count, nothing", (long)set.fd_count);
	FD_SET(s, &set);
	FD_CLR(s, &set);
	say("fd_count, cleared", (long)set.fd_count);
	FD_SET(s, &set);
	say("FD_ISSET", FD_ISSET(s, &set) != 0);
	closesocket(s);
	say("select, no socket",
	    error_of(select(0, &set, NULL, NULL, &at_once)));
}

static void
names(void)
{
	struct addrinfo hints;
	struct addrinfo *found;
	int results = 0, own;
	char name[256] = "";

	memset(&hints, 0, sizeof(hints));
	hints.ai_flags = AI_NUMERICHOST;
	say("getaddrinfo", getaddrinfo("127.0.0.1", "80", &hints, &found));
	for (const ADDRINFO *at = found; at; at = at->ai_next)
		results++;
	say("results", results);
	say("their type", found->ai_socktype);
	freeaddrinfo(found);
	say("getaddrinfo, IPv6", getaddrinfo("::1", "80", &hints, &found));
	say("its family", found->ai_family == AF_INET6 &&
				  found->ai_addr->sa_family == AF_INET6);
	freeaddrinfo(found);
	say("getaddrinfo, port 65535",
	    getaddrinfo("127.0.0.1", "65535", &hints, &found));
	freeaddrinfo(found);
	say("getaddrinfo, port 65536",
	    getaddrinfo("127.0.0.1", "65536", &hints, &found));
	say("getaddrinfo, port 99999",
	    getaddrinfo("127.0.0.1", "99999", &hints, &found));
	say("getaddrinfo, port -1",
	    getaddrinfo("127.0.0.1", "-1", &hints, &found));
	say("getaddrinfo, service x-y",
	    getaddrinfo("127.0.0.1", "x-y", &hints, &found));
	hints.ai_flags = 0;
	gethostname(name, sizeof(name));
	own = getaddrinfo(name, "80", &hints, &found);
	if (!own)
		freeaddrinfo(found);
	say("getaddrinfo, empty name",
	    getaddrinfo("", "80", &hints, &found) - own);
	if (!own)
		freeaddrinfo(found);
}

int
main(void)
{
	WSADATA data;

	say("socket, not started", opened(socket(AF_INET, SOCK_STREAM, 0)));
	say("gethostname, not started", error_of(gethostname(NULL, 0)));
	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	sockets();
	datagrams();
	never_bound();
	long_datagram();
	streams();
	connect_again(TRUE, "connect, tried again");
	connect_again(FALSE, "connect, not asked why");
	shared_ports(SOCK_STREAM, "TCP, reuse after exclusive",
		     "TCP, exclusive after reuse", "TCP, bound over it");
	say("UDP, its error",
	    shared_ports(SOCK_DGRAM, "UDP, reuse after exclusive",
			 "UDP, exclusive after reuse", "UDP, bound over it"));
	bad_addresses();
	bad_accept();
	bad_options();
	selects();
	names();
	WSACleanup();
	say("socket, cleaned up", opened(socket(AF_INET, SOCK_STREAM, 0)));
	return 0;
}
