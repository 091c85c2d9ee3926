/* SPDX-License-Identifier: MIT */
/*
 * WSASend, WSARecv and their kin: at once, and overlapped with an event or a
 * routine; cancelled, and closed. One line an answer. It builds for Windows as
 * it stands.
 */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
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

static struct sockaddr_in
address_of(SOCKET s)
{
	struct sockaddr_in address;
	int size = sizeof(address);

	getsockname(s, (SOCKADDR *)&address, &size);
	return address;
}

static SOCKET
bound(int type)
{
	SOCKET s = WSASocket(AF_INET, type, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
	struct sockaddr_in address;

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(s, (SOCKADDR *)&address, sizeof(address)))
		say("cannot bind", WSAGetLastError());
	return s;
}

/* Two ends of a connection. */
static void
connection(SOCKET ends[2])
{
	SOCKET listener = bound(SOCK_STREAM);
	struct sockaddr_in address = address_of(listener);

	listen(listener, 1);
	ends[0] = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
			    WSA_FLAG_OVERLAPPED);
	if (WSAConnect(ends[0], (SOCKADDR *)&address, sizeof(address), NULL,
		       NULL, NULL, NULL))
		say("cannot connect", WSAGetLastError());
	ends[1] = WSAAccept(listener, NULL, NULL, NULL, 0);
	closesocket(listener);
}

static void
close_both(SOCKET ends[2])
{
	closesocket(ends[0]);
	closesocket(ends[1]);
}

static void
at_once(void)
{
	char one[3] = "ab", two[4] = "cde", in[16] = "";
	WSABUF out[2];
	WSABUF parts[2];
	SOCKET ends[2];
	DWORD n = 0, flags = 0;

	out[0].buf = one;
	out[0].len = 2;
	out[1].buf = two;
	out[1].len = 3;
	parts[0].buf = in;
	parts[0].len = 1;
	parts[1].buf = in + 1;
	parts[1].len = 15;
	connection(ends);
	say("WSASend", error_of(WSASend(ends[0], out, 2, &n, 0, NULL, NULL)));
	say("sent", (long)n);
	say("WSARecv",
	    error_of(WSARecv(ends[1], parts, 2, &n, &flags, NULL, NULL)));
	say("received", (long)n);
	say("in order", !memcmp(in, "abcde", 5));
	say("WSARecv, NULL buffers",
	    error_of(WSARecv(ends[1], NULL, 1, &n, &flags, NULL, NULL)));
	say("WSARecv, NULL flags",
	    error_of(WSARecv(ends[1], parts, 2, &n, NULL, NULL, NULL)));
	say("WSASend, NULL count",
	    error_of(WSASend(ends[0], out, 2, NULL, 0, NULL, NULL)));
	close_both(ends);
	say("WSASend, no socket",
	    error_of(WSASend(ends[0], out, 2, &n, 0, NULL, NULL)));
}

static void
with_event(void)
{
	char data[8] = "";
	WSABUF buffer;
	WSAOVERLAPPED overlapped;
	SOCKET ends[2];
	DWORD n = 7, flags = 0;
	WSAEVENT event = WSACreateEvent();

	memset(&overlapped, 0, sizeof(overlapped));
	overlapped.hEvent = event;
	buffer.buf = data;
	buffer.len = sizeof(data);
	connection(ends);
	say("pending", error_of(WSARecv(ends[1], &buffer, 1, &n, &flags,
					&overlapped, NULL)));
	say("incomplete",
	    WSAGetOverlappedResult(ends[1], &overlapped, &n, FALSE, &flags)
		    ? 0
		    : WSAGetLastError());
	say("not set",
	    (long)WSAWaitForMultipleEvents(1, &event, TRUE, 0, FALSE));
	send(ends[0], "xyz", 3, 0);
	say("set",
	    (long)WSAWaitForMultipleEvents(1, &event, TRUE, 10000, FALSE));
	say("result",
	    WSAGetOverlappedResult(ends[1], &overlapped, &n, FALSE, &flags));
	say("its bytes", (long)n);
	say("its data", !memcmp(data, "xyz", 3));
	send(ends[0], "1", 1, 0);
	WSARecv(ends[1], &buffer, 1, NULL, &flags, &overlapped, NULL);
	say("waited for",
	    WSAGetOverlappedResult(ends[1], &overlapped, &n, TRUE, &flags));
	say("one byte", (long)n);
	shutdown(ends[0], SD_SEND);
	WSARecv(ends[1], &buffer, 1, NULL, &flags, &overlapped, NULL);
	say("at the end",
	    WSAGetOverlappedResult(ends[1], &overlapped, &n, TRUE, &flags));
	say("no bytes", (long)n);
	close_both(ends);
	WSACloseEvent(event);
}

static int routines;
static DWORD routine_error, routine_bytes;

static void CALLBACK
routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
	(void)overlapped;
	(void)flags;
	routines++;
	routine_error = error;
	routine_bytes = bytes;
}

static void
with_routine(void)
{
	char data[8] = "";
	WSABUF buffer;
	WSAOVERLAPPED overlapped;
	SOCKET ends[2];
	DWORD flags = 0;

	memset(&overlapped, 0, sizeof(overlapped));
	buffer.buf = data;
	buffer.len = sizeof(data);
	connection(ends);
	say("with a routine", error_of(WSARecv(ends[1], &buffer, 1, NULL,
					       &flags, &overlapped, routine)));
	send(ends[0], "xyz", 3, 0);
	while (!HasOverlappedIoCompleted(&overlapped))
		Sleep(1);
	say("not yet", routines);
	say("alertable", (long)SleepEx(10000, TRUE));
	say("ran", routines);
	say("its error", (long)routine_error);
	say("told bytes", (long)routine_bytes);
	close_both(ends);
}

/* More than the connection takes before somebody reads. */
static void
long_send(void)
{
	static char data[8 << 20], in[65536];
	WSABUF buffer;
	WSAOVERLAPPED overlapped;
	SOCKET ends[2];
	DWORD n = 0, flags = 0;
	size_t sum = 0;
	int got;

	memset(&overlapped, 0, sizeof(overlapped));
	buffer.buf = data;
	buffer.len = sizeof(data);
	connection(ends);
	say("a long send",
	    error_of(WSASend(ends[0], &buffer, 1, &n, 0, &overlapped, NULL)));
	while (sum < sizeof(data) &&
	       (got = recv(ends[1], in, sizeof(in), 0)) > 0)
		sum += (size_t)got;
	say("all of it came", sum == sizeof(data));
	say("it ends",
	    WSAGetOverlappedResult(ends[0], &overlapped, &n, TRUE, &flags));
	say("all of it", n == sizeof(data));
	close_both(ends);
}

static void
cancelled(void)
{
	char data[8];
	WSABUF buffer;
	WSAOVERLAPPED first, second;
	SOCKET ends[2];
	DWORD n, flags = 0;

	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
	buffer.buf = data;
	buffer.len = sizeof(data);
	connection(ends);
	WSARecv(ends[1], &buffer, 1, NULL, &flags, &first, NULL);
	WSARecv(ends[1], &buffer, 1, NULL, &flags, &second, NULL);
	say("CancelIoEx", CancelIoEx((HANDLE)ends[1], &first));
	say("again",
	    CancelIoEx((HANDLE)ends[1], &first) ? 0 : (long)GetLastError());
	WSAGetOverlappedResult(ends[1], &first, &n, TRUE, &flags);
	say("cancelled", WSAGetLastError());
	say("the other",
	    WSAGetOverlappedResult(ends[1], &second, &n, FALSE, &flags)
		    ? 0
		    : WSAGetLastError());
	send(ends[0], "12", 2, 0);
	say("goes on",
	    WSAGetOverlappedResult(ends[1], &second, &n, TRUE, &flags));
	WSARecv(ends[1], &buffer, 1, NULL, &flags, &first, NULL);
	closesocket(ends[1]);
	while (!HasOverlappedIoCompleted(&first))
		Sleep(1);
	WSAGetOverlappedResult(ends[0], &first, &n, FALSE, &flags);
	say("closed", WSAGetLastError());
	closesocket(ends[0]);
}

static void
datagrams(void)
{
	char data[8] = "", sent[4] = "abc", small[2];
	WSABUF buffer, out;
	WSAOVERLAPPED overlapped;
	SOCKET to = bound(SOCK_DGRAM), s = bound(SOCK_DGRAM);
	struct sockaddr_in target = address_of(to), from;
	INT size = sizeof(from);
	DWORD n = 0, flags = 0;

	memset(&overlapped, 0, sizeof(overlapped));
	memset(&from, 0, sizeof(from));
	buffer.buf = data;
	buffer.len = sizeof(data);
	out.buf = sent;
	out.len = 3;
	say("WSARecvFrom",
	    error_of(WSARecvFrom(to, &buffer, 1, NULL, &flags,
				 (SOCKADDR *)&from, &size, &overlapped, NULL)));
	say("WSASendTo",
	    error_of(WSASendTo(s, &out, 1, &n, 0, (SOCKADDR *)&target,
			       sizeof(target), NULL, NULL)));
	say("it came",
	    WSAGetOverlappedResult(to, &overlapped, &n, TRUE, &flags));
	say("three bytes", n == 3 && !strcmp(data, sent));
	say("from there",
	    from.sin_port == address_of(s).sin_port && size == sizeof(from));
	buffer.buf = small;
	buffer.len = sizeof(small);
	WSASendTo(s, &out, 1, &n, 0, (SOCKADDR *)&target, sizeof(target), NULL,
		  NULL);
	say("too long",
	    error_of(WSARecv(to, &buffer, 1, &n, &flags, NULL, NULL)));
	closesocket(s);
	closesocket(to);
}

static void
messages(void)
{
	LPFN_WSARECVMSG receive = NULL;
	GUID which = WSAID_WSARECVMSG;
	char data[8] = "", control[64];
	WSABUF buffer;
	WSAMSG message;
	SOCKET to = bound(SOCK_DGRAM), s = bound(SOCK_DGRAM);
	struct sockaddr_in target = address_of(to), from;
	DWORD n = 0;
	DWORD on = 1;
	int described = 0;

	say("pointer", error_of(WSAIoctl(to, SIO_GET_EXTENSION_FUNCTION_POINTER,
					 &which, sizeof(which), &receive,
					 sizeof(receive), &n, NULL, NULL)));
	setsockopt(to, IPPROTO_IP, IP_PKTINFO, (char *)&on, sizeof(on));
	memset(&message, 0, sizeof(message));
	buffer.buf = data;
	buffer.len = 3;
	message.name = (SOCKADDR *)&target;
	message.namelen = sizeof(target);
	message.lpBuffers = &buffer;
	message.dwBufferCount = 1;
	say("WSASendMsg", error_of(WSASendMsg(s, &message, 0, &n, NULL, NULL)));
	say("sent three", (long)n);
	buffer.len = sizeof(data);
	message.name = (SOCKADDR *)&from;
	message.Control.buf = control;
	message.Control.len = sizeof(control);
	if (!receive)
		return;
	say("WSARecvMsg", error_of(receive(to, &message, &n, NULL, NULL)));
	say("got three", (long)n);
	for (WSACMSGHDR *at = WSA_CMSG_FIRSTHDR(&message); at;
	     at = WSA_CMSG_NXTHDR(&message, at))
		described += at->cmsg_level == IPPROTO_IP &&
			     at->cmsg_type == IP_PKTINFO;
	say("described", described);
	closesocket(s);
	closesocket(to);
}

/* At once or later: the result says how it went. */
static long
sent_in_the_end(SOCKET s, int r, WSAOVERLAPPED *overlapped)
{
	DWORD n = 0, flags = 0;

	if (r != 0 && WSAGetLastError() != WSA_IO_PENDING)
		return -1;
	if (!WSAGetOverlappedResult(s, overlapped, &n, TRUE, &flags))
		return -2;
	return WaitForSingleObject(overlapped->hEvent, 0) == WAIT_OBJECT_0
		       ? (long)n
		       : -3;
}

static void
overlapped_datagrams(void)
{
	LPFN_WSARECVMSG receive = NULL;
	GUID which = WSAID_WSARECVMSG;
	char data[8] = "", sent[4] = "abc";
	WSABUF buffer, out;
	WSAMSG message, sending;
	WSAOVERLAPPED waiting, overlapped;
	SOCKET to = bound(SOCK_DGRAM), s = bound(SOCK_DGRAM);
	struct sockaddr_in target = address_of(to), from;
	DWORD n = 0, flags = 0;

	memset(&waiting, 0, sizeof(waiting));
	memset(&overlapped, 0, sizeof(overlapped));
	memset(&message, 0, sizeof(message));
	memset(&sending, 0, sizeof(sending));
	memset(&from, 0, sizeof(from));
	overlapped.hEvent = WSACreateEvent();
	buffer.buf = data;
	buffer.len = sizeof(data);
	out.buf = sent;
	out.len = 3;
	message.name = (SOCKADDR *)&from;
	message.namelen = sizeof(from);
	message.lpBuffers = &buffer;
	message.dwBufferCount = 1;
	sending.name = (SOCKADDR *)&target;
	sending.namelen = sizeof(target);
	sending.lpBuffers = &out;
	sending.dwBufferCount = 1;
	WSAIoctl(to, SIO_GET_EXTENSION_FUNCTION_POINTER, &which, sizeof(which),
		 &receive, sizeof(receive), &n, NULL, NULL);
	if (!receive)
		return;
	say("WSARecvMsg, later",
	    error_of(receive(to, &message, NULL, &waiting, NULL)));
	say("WSASendTo, overlapped",
	    sent_in_the_end(s,
			    WSASendTo(s, &out, 1, NULL, 0, (SOCKADDR *)&target,
				      sizeof(target), &overlapped, NULL),
			    &overlapped));
	say("its message",
	    WSAGetOverlappedResult(to, &waiting, &n, TRUE, &flags));
	say("is that", n == 3 && !strcmp(data, sent) &&
			       from.sin_port == address_of(s).sin_port);
	WSAResetEvent(overlapped.hEvent);
	say("WSASendMsg, overlapped",
	    sent_in_the_end(s,
			    WSASendMsg(s, &sending, 0, NULL, &overlapped, NULL),
			    &overlapped));
	say("came too", recv(to, data, sizeof(data), 0));
	WSACloseEvent(overlapped.hEvent);
	closesocket(s);
	closesocket(to);
}

/* No bytes are asked for, to hear of the first. */
static void
none_asked_for(void)
{
	WSABUF none;
	WSAOVERLAPPED overlapped;
	SOCKET ends[2];
	DWORD n = 7, flags = 0;
	char byte = 0;

	memset(&overlapped, 0, sizeof(overlapped));
	none.buf = NULL;
	none.len = 0;
	connection(ends);
	say("none", error_of(WSARecv(ends[1], &none, 1, NULL, &flags,
				     &overlapped, NULL)));
	send(ends[0], "x", 1, 0);
	WSAGetOverlappedResult(ends[1], &overlapped, &n, TRUE, &flags);
	say("none came", (long)n);
	say("it is there", recv(ends[1], &byte, 1, 0) == 1 && byte == 'x');
	close_both(ends);
}

static void
all_of_it(void)
{
	char data[6] = "";
	WSABUF buffer;
	WSAOVERLAPPED overlapped;
	SOCKET ends[2];
	DWORD n = 0, flags = MSG_WAITALL;

	memset(&overlapped, 0, sizeof(overlapped));
	overlapped.hEvent = WSACreateEvent();
	buffer.buf = data;
	buffer.len = sizeof(data);
	connection(ends);
	send(ends[0], "abc", 3, 0);
	say("for all of it", error_of(WSARecv(ends[1], &buffer, 1, &n, &flags,
					      &overlapped, NULL)));
	say("a half",
	    WSAGetOverlappedResult(ends[1], &overlapped, &n, FALSE, &flags)
		    ? 0
		    : WSAGetLastError());
	send(ends[0], "def", 3, 0);
	WSAGetOverlappedResult(ends[1], &overlapped, &n, TRUE, &flags);
	say("the whole", memcmp(data, "abcdef", 6) ? -1 : (long)n);
	close_both(ends);
	WSACloseEvent(overlapped.hEvent);
}

int
main(void)
{
	WSADATA data;

	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	at_once();
	with_event();
	with_routine();
	long_send();
	cancelled();
	datagrams();
	messages();
	overlapped_datagrams();
	none_asked_for();
	all_of_it();
	WSACleanup();
	return 0;
}
