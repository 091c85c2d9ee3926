# SPDX-License-Identifier: MIT
"""What is under way on a socket when another call comes: it keeps its place, and it
ends when the socket does. As Microsoft documents closesocket, shutdown and
"Overlapped I/O and Event Objects"."""

import pytest

from kits.sleeping import SLEEPS

PAIR = r"""
#include <mswsock.h>
#include <process.h>
#include <sched.h>
#include <semaphore.h>
#include <windows.h>

#define LONG_ENOUGH (8 << 20) /* for any buffer of the kernel's */

static SOCKET listener, client, server;
static struct sockaddr_in at = {.sin_family = AF_INET};
static WSABUF much;
static int got, end_at = -1;

static void listening(void)
{
	int size = sizeof at;

	started();
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = 0;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	bind(listener, (SOCKADDR *)&at, size);
	listen(listener, 5);
	getsockname(listener, (SOCKADDR *)&at, &size);
}

static void pair(void)
{
	listening();
	client = socket(AF_INET, SOCK_STREAM, 0);
	connect(client, (SOCKADDR *)&at, sizeof at);
	server = accept(listener, NULL, NULL);
}

/* To the end; where the first E is. */
static DWORD WINAPI read_all(void *unused)
{
	static char some[65536];
	char *e;
	int n;

	while ((n = recv(server, some, sizeof some, 0)) > 0) {
		e = memchr(some, 'E', n);
		if (e && end_at < 0)
			end_at = got + (e - some);
		got += n;
	}
	closesocket(server);
	return 0;
}

/* More than the kernel takes: it is pending until somebody reads. */
static int send_much(WSAOVERLAPPED *over)
{
	much.len = LONG_ENOUGH;
	much.buf = malloc(LONG_ENOUGH);
	memset(much.buf, '.', LONG_ENOUGH);
	return WSASend(client, &much, 1, NULL, 0, over, NULL) ? WSAGetLastError() : 0;
}

static void ended_as(SOCKET s, WSAOVERLAPPED *over)
{
	DWORD bytes = 0, flags;
	BOOL good = WSAGetOverlappedResult(s, over, &bytes, TRUE, &flags);

	say("ended", good ? 0 : WSAGetLastError());
	say("sent", bytes);
}
"""

BEHIND = {
    "send": 'send(client, "END", 3, 0)',
    "WSASend": "WSASend(client, &last, 1, &bytes, 0, NULL, NULL) ? -1 : (int)bytes",
}


@pytest.mark.parametrize("call", BEHIND)
def test_a_send_behind_a_pending_one(run_c, call):
    said = run_c(r"""
	WSAOVERLAPPED over = {0};
	WSABUF last = {3, "END"};
	DWORD bytes;
	HANDLE reader;
	pair();
	say("pending", send_much(&over));
	reader = CreateThread(NULL, 0, read_all, NULL, 0, NULL);
	say("behind", %s);
	ended_as(client, &over);
	closesocket(client);
	WaitForSingleObject(reader, INFINITE);
	say("got", got);
	say("its place", end_at);
	""" % BEHIND[call], before=PAIR)
    assert said == {"pending": 997, "behind": 3, "ended": 0, "sent": 8 << 20,
                    "got": (8 << 20) + 3, "its place": 8 << 20}


def test_behind_a_pending_one_without_waiting(run_c):
    """Of sockets that do not block, and of those with a time limit."""
    said = run_c(r"""
	WSAOVERLAPPED sending = {0}, receiving = {0};
	char byte;
	WSABUF one = {1, &byte};
	DWORD flags = 0;
	int ms = 10;
	u_long on = 1;
	pair();
	say("send", send_much(&sending));
	say("receive", WSARecv(client, &one, 1, NULL, &flags, &receiving, NULL) ? WSAGetLastError() : 0);
	setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, (char *)&ms, sizeof ms);
	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms);
	say("limited send", send(client, "E", 1, 0) < 0 ? WSAGetLastError() : 0);
	say("limited recv", recv(client, &byte, 1, 0) < 0 ? WSAGetLastError() : 0);
	ioctlsocket(client, FIONBIO, &on);
	say("quick send", send(client, "E", 1, 0) < 0 ? WSAGetLastError() : 0);
	say("quick recv", recv(client, &byte, 1, 0) < 0 ? WSAGetLastError() : 0);
	""", before=PAIR)
    assert said == {"send": 997, "receive": 997, "limited send": 10060,
                    "limited recv": 10060, "quick send": 10035, "quick recv": 10035}


def test_a_receive_behind_a_pending_one(run_c):
    said = run_c(r"""
	WSAOVERLAPPED over = {0};
	char first[4] = "", second[4] = "";
	WSABUF three = {3, first};
	DWORD flags = 0, bytes;
	HANDLE writer;
	pair();
	say("pending", WSARecv(client, &three, 1, NULL, &flags, &over, NULL) ? WSAGetLastError() : 0);
	writer = CreateThread(NULL, 0, write_six, NULL, 0, NULL);
	say("recv", recv(client, second, 3, 0));
	WSAGetOverlappedResult(client, &over, &bytes, TRUE, &flags);
	say("bytes", bytes);
	say("first", strcmp(first, "abc"));
	say("second", strcmp(second, "def"));
	WaitForSingleObject(writer, INFINITE);
	""", before=PAIR + r"""
static DWORD WINAPI write_six(void *unused)
{
	return send(server, "abcdef", 6, 0) != 6;
}
""")
    assert said == {"pending": 997, "recv": 3, "bytes": 3, "first": 0, "second": 0}


def test_each_has_its_place(run_c):
    """A request that is made while a call stands in line comes behind it."""
    said = run_c(r"""
	WSAOVERLAPPED first = {0}, second = {0};
	WSABUF more;
	HANDLE thread, reader;
	pair();
	say("first", send_much(&first));
	waiting = client;
	call = do_send_end;
	thread = blocked();
	more = much;
	say("second", WSASend(client, &more, 1, NULL, 0, &second, NULL) ? WSAGetLastError() : 0);
	reader = CreateThread(NULL, 0, read_all, NULL, 0, NULL);
	ended_as(client, &second);
	closesocket(client);
	WaitForSingleObject(thread, INFINITE);
	WaitForSingleObject(reader, INFINITE);
	say("got", got);
	say("its place", end_at);
	""", before=PAIR + WAITS + DO_SEND_END)
    assert said == {"first": 997, "second": 997, "ended": 0, "sent": 8 << 20,
                    "got": (16 << 20) + 3, "its place": 8 << 20}


def test_a_receive_behind_an_accept_that_waits_for_data(run_c):
    """What comes first is AcceptEx'."""
    said = run_c(r"""
	const DWORD room = sizeof(struct sockaddr_in) + 16;
	char out[64 + 2 * (sizeof(struct sockaddr_in) + 16)];
	WSAOVERLAPPED over = {0};
	int seconds = -1, size = sizeof seconds;
	HANDLE thread;
	DWORD n, flags;
	listening();
	server = socket(AF_INET, SOCK_STREAM, 0);
	AcceptEx(listener, server, out, 64, room, room, &n, &over);
	client = socket(AF_INET, SOCK_STREAM, 0);
	connect(client, (SOCKADDR *)&at, sizeof at);
	while (seconds < 0) {
		sched_yield();
		getsockopt(server, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &size);
	}
	waiting = server;
	call = do_recv;
	thread = blocked();
	send(client, "x", 1, 0);
	say("accepted", WSAGetOverlappedResult(listener, &over, &n, TRUE, &flags));
	say("its byte", out[0] == 'x');
	send(client, "y", 1, 0);
	say("wait", WaitForSingleObject(thread, 10000));
	say("received", bytes[0] == 'y');
	""", before=PAIR + WAITS)
    assert said == {"accepted": 1, "its byte": 1, "wait": 0, "received": 1}


def test_quick_calls_beside_requests_of_another_thread(run_c):
    """Those that are done at once are in nobody's way."""
    said = run_c(r"""
	HANDLE thread;
	u_long on = 1;
	int refused = 0;
	started();
	client = socket(AF_INET, SOCK_DGRAM, 0);
	server = socket(AF_INET, SOCK_DGRAM, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(server, (SOCKADDR *)&at, sizeof at);
	int size = sizeof at;
	getsockname(server, (SOCKADDR *)&at, &size);
	ioctlsocket(client, FIONBIO, &on);
	sem_init(&begun, 0, 0);
	thread = CreateThread(NULL, 0, send_often, NULL, 0, NULL);
	sem_wait(&begun);
	for (int i = 0; i < 20000; i++) {
		if (sendto(client, "x", 1, 0, (SOCKADDR *)&at, size) == 1)
			take_one();
		else
			refused++;
	}
	over_now = 1;
	WaitForSingleObject(thread, INFINITE);
	say("refused", refused);
	""", before=PAIR + r"""
static sem_t begun;
static _Atomic int over_now;

/* Each takes as many as it has sent: the client's buffer is never full. */
static void take_one(void)
{
	char byte;

	recv(server, &byte, 1, 0);
}

static DWORD WINAPI send_often(void *unused)
{
	static WSAOVERLAPPED over;
	WSABUF one = {1, "y"};

	sem_post(&begun);
	while (!over_now) {
		WSASendTo(client, &one, 1, NULL, 0, (SOCKADDR *)&at, sizeof at, &over, NULL);
		take_one();
	}
	return 0;
}
""")
    assert said == {"refused": 0}


def test_requests_of_two_threads_and_a_close(run_c):
    """Each of them ends, whatever is just being tried."""
    said = run_c(r"""
	int lost = 0;
	HANDLE threads[2];
	started();
	pthread_barrier_init(&together, NULL, 3);
	for (long i = 0; i < 2; i++) {
		over[i].hEvent = WSACreateEvent();
		threads[i] = CreateThread(NULL, 0, ask, (void *)i, 0, NULL);
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct sockaddr_in own = {.sin_family = AF_INET};
		client = socket(AF_INET, SOCK_DGRAM, 0);
		bind(client, (SOCKADDR *)&own, sizeof own);
		pthread_barrier_wait(&together);
		for (volatile int n = 0; n < i % 3000; n++)
			;
		closesocket(client);
		pthread_barrier_wait(&together);
		for (int n = 0; n < 2; n++)
			if (code[n] == WSA_IO_PENDING)
				lost += WaitForSingleObject(over[n].hEvent, 2000) != WAIT_OBJECT_0;
	}
	WaitForMultipleObjects(2, threads, TRUE, INFINITE);
	say("lost", lost);
	""", before=PAIR + r"""
#define ROUNDS 2000
static pthread_barrier_t together;
static WSAOVERLAPPED over[2];
static int code[2];

static DWORD WINAPI ask(void *which)
{
	static char byte[2];
	long n = (long)which;
	WSABUF one = {1, &byte[n]};
	DWORD flags;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&together);
		for (volatile int k = 0; k < i * (n + 7) % 1500; k++)
			;
		flags = 0;
		code[n] = WSARecv(client, &one, 1, NULL, &flags, &over[n], NULL) ? WSAGetLastError() : 0;
		pthread_barrier_wait(&together);
	}
	return 0;
}
""")
    assert said == {"lost": 0}


SHUT = {
    "shutdown": "shutdown(client, SD_SEND)",
    "both": "shutdown(client, SD_BOTH)",
    "WSASendDisconnect": "WSASendDisconnect(client, NULL)",
    "DisconnectEx": "!DisconnectEx(client, &leaving, 0, 0) && WSAGetLastError() != 997",
}


@pytest.mark.parametrize("call", SHUT)
def test_what_is_pending_is_sent_before_the_end(run_c, call):
    """And nothing after it."""
    said = run_c(r"""
	WSAOVERLAPPED over = {0}, leaving = {0}, late = {0};
	WSABUF last = {3, "END"};
	HANDLE reader;
	pair();
	say("pending", send_much(&over));
	say("shut", %s);
	say("send", send(client, "E", 1, 0) < 0 ? WSAGetLastError() : 0);
	say("WSASend", WSASend(client, &last, 1, NULL, 0, &late, NULL) ? WSAGetLastError() : 0);
	reader = CreateThread(NULL, 0, read_all, NULL, 0, NULL);
	ended_as(client, &over);
	WaitForSingleObject(reader, INFINITE);
	say("got", got);
	say("late", end_at);
	say("send then", send(client, "E", 1, 0) < 0 ? WSAGetLastError() : 0);
	""" % SHUT[call], before=PAIR)
    assert said == {"pending": 997, "shut": 0, "send": 10058, "WSASend": 10058, "ended": 0,
                    "sent": 8 << 20, "got": 8 << 20, "late": -1, "send then": 10058}


def test_a_cancelled_send_is_no_obstacle(run_c):
    """The end comes when nothing is pending any more, however that ended."""
    said = run_c(r"""
	WSAOVERLAPPED over = {0};
	HANDLE reader;
	pair();
	say("pending", send_much(&over));
	say("shut", shutdown(client, SD_SEND));
	say("cancel", CancelIoEx((HANDLE)client, &over));
	reader = CreateThread(NULL, 0, read_all, NULL, 0, NULL);
	WaitForSingleObject(reader, INFINITE);
	say("some", got > 0 && got < LONG_ENOUGH);
	""", before=PAIR)
    assert said == {"pending": 997, "shut": 0, "cancel": 1, "some": 1}


CANCELS = {
    "CancelIo": "CancelIo((HANDLE)listener)",
    "CancelIoEx": "CancelIoEx((HANDLE)listener, &over)",
    "CancelIoEx, all": "CancelIoEx((HANDLE)listener, NULL)",
    "closesocket": "closesocket(listener) == 0",
    "the other one's": "CancelIoEx((HANDLE)server, &over)",
}


@pytest.mark.parametrize("call", CANCELS)
def test_an_accept_whose_client_is_silent_ends_with_the_listener(run_c, call):
    """Until something comes it is the listener's request."""
    said = run_c(r"""
	const DWORD room = sizeof(struct sockaddr_in) + 16;
	char out[64 + 2 * (sizeof(struct sockaddr_in) + 16)];
	OVERLAPPED over = {0}, *which = NULL;
	int seconds = -1, size = sizeof seconds;
	HANDLE port;
	ULONG_PTR key;
	DWORD bytes;
	listening();
	port = CreateIoCompletionPort((HANDLE)listener, NULL, 1, 0);
	server = socket(AF_INET, SOCK_STREAM, 0);
	AcceptEx(listener, server, out, 64, room, room, &bytes, &over);
	say("pending", WSAGetLastError());
	client = socket(AF_INET, SOCK_STREAM, 0);
	connect(client, (SOCKADDR *)&at, sizeof at);
	/* Our thread has accepted it. */
	while (seconds < 0)
		GetQueuedCompletionStatus(port, &bytes, &key, &which, 1),
		getsockopt(server, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &size);
	say("cancelled", %s);
	say("good", GetQueuedCompletionStatus(port, &bytes, &key, &which, 5000));
	say("why", GetLastError());
	say("which", which == &over);
	""" % CANCELS[call], before=PAIR)
    assert said == {"pending": 997, "cancelled": 1, "good": 0, "why": 995, "which": 1}


WAITS = SLEEPS + r"""
static sem_t begun;
static int answer, code, found = -1;
static SOCKET waiting;

static int (*call)(void);

static DWORD WINAPI wait_for_it(void *unused)
{
	sem_post(&begun);
	answer = call();
	code = answer < 0 ? WSAGetLastError() : 0;
	return 0;
}

/* A thread that makes the call, when it sleeps in it. */
static HANDLE blocked(void)
{
	DWORD id;
	HANDLE thread;

	sem_init(&begun, 0, 0);
	thread = CreateThread(NULL, 0, wait_for_it, NULL, 0, &id);
	sem_wait(&begun);
	while (!sleeps(id))
		sched_yield();
	return thread;
}

static char bytes[1 << 20];

static int do_accept(void)
{
	SOCKET made = accept(waiting, NULL, NULL);

	return made == INVALID_SOCKET ? -1 : 0;
}

static int do_recv(void)
{
	return recv(waiting, bytes, 1, 0);
}

static int do_recvfrom(void)
{
	return recvfrom(waiting, bytes, 1, 0, NULL, NULL);
}

static int do_wsarecv(void)
{
	WSABUF one = {1, bytes};
	DWORD n, flags = 0;

	return WSARecv(waiting, &one, 1, &n, &flags, NULL, NULL);
}

static int do_send(void)
{
	int n;

	while ((n = send(waiting, bytes, sizeof bytes, 0)) > 0)
		;
	return n;
}

static int do_wsasend(void)
{
	WSABUF one = {sizeof bytes, bytes};
	DWORD n;
	int r;

	while ((r = WSASend(waiting, &one, 1, &n, 0, NULL, NULL)) == 0)
		;
	return r;
}

static int do_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(waiting, &set);
	return select(0, &set, NULL, NULL, NULL);
}

static int do_poll(void)
{
	WSAPOLLFD at = {.fd = waiting, .events = POLLRDNORM};
	int n = WSAPoll(&at, 1, -1);

	found = at.revents;
	return n;
}

static int do_behind(void)
{
	static WSAOVERLAPPED over;
	WSABUF one = {1, bytes};
	DWORD flags = 0;

	WSARecv(waiting, &one, 1, NULL, &flags, &over, NULL);
	return recv(waiting, bytes, 1, 0);
}
"""

DO_SEND_END = r"""
static int do_send_end(void)
{
	return send(waiting, "END", 3, 0);
}
"""

# A send may have sent a part: then the next one finds no socket.
ENDS = {
    "accept": [10004], "recv": [10004], "wsarecv": [10004], "recvfrom": [10004],
    "send": [10004, 10038], "wsasend": [10004, 10038], "behind": [10004], "select": [10038],
}


@pytest.mark.parametrize("call", ENDS)
def test_a_call_that_waits_ends_with_its_socket(run_c, call):
    """closesocket cancels what other threads wait for; its peer hears of the end, and
    its port is free."""
    said = run_c(r"""
	SOCKET again;
	HANDLE thread;
	char byte;
	pair();
	waiting = client;
	if (strcmp("%s", "accept") == 0) {
		waiting = listener;
	} else if (strcmp("%s", "recvfrom") == 0) {
		waiting = socket(AF_INET, SOCK_DGRAM, 0);
		at.sin_port = 0;
		bind(waiting, (SOCKADDR *)&at, sizeof at);
	}
	call = do_%s;
	thread = blocked();
	say("close", closesocket(waiting));
	say("wait", WaitForSingleObject(thread, 10000));
	say("answer", answer);
	say("code", code);
	if (waiting == client) {
		int ms = 10000, n;
		setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms);
		while ((n = recv(server, bytes, sizeof bytes, 0)) > 0)
			;
		say("its peer", n);
	} else if (waiting == listener) {
		closesocket(client);
		closesocket(server);
		again = socket(AF_INET, SOCK_STREAM, 0);
		say("its peer", bind(again, (SOCKADDR *)&at, sizeof at));
	} else {
		say("its peer", 0);
	}
	""" % (call, call, call), before=PAIR + WAITS)
    assert said.pop("code") in ENDS[call]
    assert said == {"close": 0, "wait": 0, "answer": -1, "its peer": 0}


@pytest.mark.parametrize("call, kernels, code", [("recv", "recvmsg", 10004),
                                                 ("select", "ppoll", 10038)])
def test_a_call_that_is_late_ends_with_its_socket(run_c, call, kernels, code):
    """Its thread was not on a processor before closesocket had given it up."""
    said = run_c(r"""
	HANDLE thread;
	sem_init(&closed, 0, 0);
	pair();
	waiting = client;
	call = do_%s;
	thread = blocked();
	say("close", closesocket(waiting));
	sem_post(&closed);
	say("wait", WaitForSingleObject(thread, 10000));
	say("answer", answer);
	say("code", code);
	""" % call, before=PAIR + WAITS + r"""
#include <sys/syscall.h>

static sem_t closed;

long late(long, long, long, long, long) __asm__("%s");

long late(long a, long b, long c, long d, long e)
{
	long r = syscall(SYS_%s, a, b, c, d, e);

	sem_wait(&closed);
	return r;
}
""" % (kernels, kernels))
    assert said == {"close": 0, "wait": 0, "answer": -1, "code": code}


def test_a_poll_that_waits_ends_with_its_socket(run_c):
    said = run_c(r"""
	HANDLE thread;
	pair();
	waiting = client;
	call = do_poll;
	thread = blocked();
	say("close", closesocket(client));
	say("wait", WaitForSingleObject(thread, 10000));
	say("answer", answer);
	say("found", found == POLLNVAL);
	""", before=PAIR + WAITS)
    assert said == {"close": 0, "wait": 0, "answer": 1, "found": 1}


def test_a_hard_close_beside_a_call_that_waits(run_c):
    """Its peer hears of the reset, and of no end before it."""
    said = run_c(r"""
	struct linger hard = {1, 0};
	HANDLE thread;
	pair();
	setsockopt(client, SOL_SOCKET, SO_LINGER, (char *)&hard, sizeof hard);
	waiting = client;
	call = do_recv;
	thread = blocked();
	closesocket(client);
	say("wait", WaitForSingleObject(thread, 10000));
	say("its peer", recv(server, bytes, 1, 0) < 0 ? WSAGetLastError() : 0);
	""", before=PAIR + WAITS)
    assert said == {"wait": 0, "its peer": 10054}


def test_a_request_while_its_socket_is_being_closed(run_c):
    """A close waits for a thread in select(): what is asked for meanwhile ends, too."""
    said = run_c(r"""
	HANDLE thread[2];
	int lost = 0, made = 0;
	for (int i = 0; i < 200; i++) {
		pair();
		waiting = client;
		call = do_select;
		thread[0] = blocked();
		sem_init(&begun, 0, 0);
		thread[1] = CreateThread(NULL, 0, ask_often, NULL, 0, NULL);
		sem_wait(&begun);
		closesocket(client);
		WaitForMultipleObjects(2, thread, TRUE, INFINITE);
		made += pending;
		for (int n = 0; n < pending; n++) {
			DWORD got, flags;
			if (WaitForSingleObject(over[n].hEvent, 2000) != WAIT_OBJECT_0)
				lost++;
		}
		closesocket(server);
		closesocket(listener);
	}
	say("some", made > 0);
	say("lost", lost);
	""", before=PAIR + WAITS + r"""
static WSAOVERLAPPED over[64];
static int pending;

/* Until there is no socket any more. */
static DWORD WINAPI ask_often(void *unused)
{
	static char byte;
	WSABUF one = {1, &byte};
	DWORD flags;
	int code = WSA_IO_PENDING;

	for (pending = 0; pending < 64 && code == WSA_IO_PENDING;) {
		WSAOVERLAPPED *at = &over[pending];
		if (!at->hEvent)
			at->hEvent = WSACreateEvent();
		flags = 0;
		code = WSARecv(waiting, &one, 1, NULL, &flags, at, NULL) ? WSAGetLastError() : 0;
		if (code == WSA_IO_PENDING)
			pending++;
		if (pending == 1)
			sem_post(&begun);
	}
	return 0;
}
""")
    assert said == {"some": 1, "lost": 0}


def test_a_send_in_line_goes_before_the_end(run_c):
    """It was called before the shutdown."""
    said = run_c(r"""
	WSAOVERLAPPED sending = {0};
	HANDLE thread, reader;
	pair();
	send_much(&sending);
	waiting = client;
	call = do_send_end;
	thread = blocked();
	say("shut", shutdown(client, SD_SEND));
	reader = CreateThread(NULL, 0, read_all, NULL, 0, NULL);
	WaitForSingleObject(thread, INFINITE);
	WaitForSingleObject(reader, INFINITE);
	say("sent", answer);
	say("got", got);
	say("its place", end_at);
	""", before=PAIR + WAITS + DO_SEND_END)
    assert said == {"shut": 0, "sent": 3, "got": (8 << 20) + 3, "its place": 8 << 20}


def test_a_call_is_not_passed_for_ever(run_c):
    """Two requests are always pending: one that is made later does not come first."""
    said = run_c(r"""
	static WSAOVERLAPPED over[2];
	static char byte[2];
	WSABUF one[2] = {{1, &byte[0]}, {1, &byte[1]}};
	DWORD flags, n;
	HANDLE thread;
	int rounds = 0;
	pair();
	for (int i = 0; i < 2; i++) {
		flags = 0;
		WSARecv(client, &one[i], 1, NULL, &flags, &over[i], NULL);
	}
	waiting = client;
	call = do_recv;
	thread = blocked();
	while (WaitForSingleObject(thread, 0) == WAIT_TIMEOUT && rounds < 10000) {
		int i = rounds++ % 2;
		send(server, "x", 1, 0);
		while (!WSAGetOverlappedResult(client, &over[i], &n, FALSE, &flags) &&
		       WaitForSingleObject(thread, 0) == WAIT_TIMEOUT)
			sched_yield();
		flags = 0;
		WSARecv(client, &one[i], 1, NULL, &flags, &over[i], NULL);
	}
	say("passed", rounds >= 10000);
	say("answer", answer);
	""", before=PAIR + WAITS)
    assert said == {"passed": 0, "answer": 1}


@pytest.mark.parametrize("flags", ["0", "TF_REUSE_SOCKET"])
def test_disconnecting_when_the_peer_has_ended_before(run_c, flags):
    """What is pending is sent all the same."""
    said = run_c(r"""
	WSAOVERLAPPED over = {0}, leaving = {0};
	HANDLE reader;
	DWORD n, flags;
	pair();
	say("pending", send_much(&over));
	shutdown(server, SD_SEND);
	say("leaving", DisconnectEx(client, &leaving, %s, 0) ? 0 : WSAGetLastError());
	reader = CreateThread(NULL, 0, read_all, NULL, 0, NULL);
	say("left", WSAGetOverlappedResult(client, &leaving, &n, TRUE, &flags));
	closesocket(client);
	WaitForSingleObject(reader, INFINITE);
	say("got", got);
	say("sent", over.InternalHigh);
	say("good", over.Internal);
	""" % flags, before=PAIR)
    assert said == {"pending": 997, "leaving": 997, "left": 1, "got": 8 << 20,
                    "sent": 8 << 20, "good": 0}


def test_a_poll_whose_bell_was_closed(run_c):
    """Programs close all descriptors that they do not know."""
    said = run_c(r"""
	HANDLE thread;
	struct timeval moment = {.tv_usec = 100000};
	fd_set set;
	pair();
	waiting = client;
	call = do_select;
	thread = blocked();
	send(server, "x", 1, 0);
	WaitForSingleObject(thread, INFINITE);
	for (int fd = 3; fd < 100; fd++)
		if (fd != (int)client && fd != (int)server)
			close(fd);
	recv(client, bytes, 1, 0);
	FD_ZERO(&set);
	FD_SET(client, &set);
	say("select", select(0, &set, NULL, NULL, &moment));
	""", before=PAIR + WAITS)
    assert said == {"select": 0}


@pytest.mark.parametrize("call", ["accept", "recv", "select"])
def test_a_call_that_waits_ends_with_winsock(run_c, call):
    """The last WSACleanup cancels what other threads wait for."""
    said = run_c(r"""
	HANDLE thread;
	pair();
	waiting = strcmp("%s", "accept") == 0 ? listener : client;
	call = do_%s;
	thread = blocked();
	WSACleanup();
	say("cleanup", WSACleanup());
	say("wait", WaitForSingleObject(thread, 10000));
	say("answer", answer);
	""" % (call, call), before=PAIR.replace("	started();\n", "	started();\n	started();\n")
        + WAITS)
    assert said == {"cleanup": 0, "wait": 0, "answer": -1}


def test_a_childs_close_ends_no_call_of_its_parents(run_c):
    """The parent's thread waits on a socket that both have: it is not the child's."""
    said = run_c(r"""
	HANDLE thread;
	int status;
	pair();
	waiting = client;
	call = do_recv;
	thread = blocked();
	if (fork() == 0)
		_exit(closesocket(client));
	wait(&status);
	say("close", status);
	send(server, "x", 1, 0);
	say("wait", WaitForSingleObject(thread, 10000));
	say("answer", answer);
	""", before="#include <sys/wait.h>\n" + PAIR + WAITS)
    assert said == {"close": 0, "wait": 0, "answer": 1}


def test_a_poller_keeps_the_duplicate_of_a_socket(run_c):
    """Another thread's select() ends with the number, and the connection lives on in
    the other descriptor."""
    said = run_c(r"""
	HANDLE thread;
	SOCKET copy;
	char byte;
	pair();
	waiting = client;
	copy = dup(client);
	call = do_select;
	thread = blocked();
	say("close", closesocket(client));
	say("wait", WaitForSingleObject(thread, 10000));
	say("code", code);
	say("send", send(copy, "x", 1, 0));
	say("recv", recv(server, &byte, 1, 0));
	""", before=PAIR + WAITS)
    assert said == {"close": 0, "wait": 0, "code": 10038, "send": 1, "recv": 1}


def test_an_accept_knows_no_time_limit(run_c):
    """SO_RCVTIMEO is for those that receive; the sockets that it accepts inherit it."""
    said = run_c(r"""
	HANDLE thread;
	int ms = 1, size = sizeof ms;
	listening();
	setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms);
	waiting = listener;
	call = do_accept;
	thread = blocked();
	say("waits", WaitForSingleObject(thread, 200) == WAIT_TIMEOUT);
	client = socket(AF_INET, SOCK_STREAM, 0);
	connect(client, (SOCKADDR *)&at, sizeof at);
	say("wait", WaitForSingleObject(thread, 10000));
	say("answer", answer);
	""", before=PAIR + WAITS)
    assert said == {"waits": 1, "wait": 0, "answer": 0}


def test_a_reset_is_told_again(run_c):
    """No later call takes the cut-off stream for a whole one."""
    said = run_c(r"""
	struct linger hard = {1, 0};
	WSAOVERLAPPED over = {0};
	char byte;
	WSABUF one = {1, &byte};
	DWORD flags = 0, n;
	for (int writes = 0; writes < 2; writes++) {
		pair();
		setsockopt(server, SOL_SOCKET, SO_LINGER, (char *)&hard, sizeof hard);
		closesocket(server);
		WSAPoll(&(WSAPOLLFD){.fd = client, .events = POLLRDNORM}, 1, -1);
		if (writes)
			say("send", send(client, "x", 1, 0) < 0 ? WSAGetLastError() : 0);
		else
			say("recv", recv(client, &byte, 1, 0) < 0 ? WSAGetLastError() : 0);
		say(writes ? "after send" : "after recv",
		    recv(client, &byte, 1, 0) < 0 ? WSAGetLastError() : 0);
		say(writes ? "WSARecv after send" : "WSARecv after recv",
		    WSARecv(client, &one, 1, &n, &flags, &over, NULL) ? WSAGetLastError() : 0);
	}
	""", before=PAIR)
    assert said == {
        "recv": 10054, "after recv": 10054, "WSARecv after recv": 10054,
        "send": 10054, "after send": 10054, "WSARecv after send": 10054}
