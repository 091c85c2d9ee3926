# SPDX-License-Identifier: MIT
"""What Winsock answers to calls that are a little wrong, as Microsoft documents it:
each with its page, below https://learn.microsoft.com/windows/win32/."""

import errno

import pytest

from kits.sleeping import SLEEPS

# name -> (answer, page)
API = "api/winsock2/nf-winsock2-"
WINSOCK = "api/winsock/nf-winsock-"
SHARING = "winsock/using-so-reuseaddr-and-so-exclusiveaddruse"
SOCKET, BIND, SEND, RECV = API + "socket", API + "bind", API + "send", API + "recv"
ACCEPT, SELECT = API + "accept", API + "select"
GETADDRINFO = "api/ws2tcpip/nf-ws2tcpip-getaddrinfo"
FD_SET = "api/winsock2/ns-winsock2-fd_set"

ANSWERS = {
    "socket, not started": (10093, SOCKET),
    "gethostname, not started": (10093, WINSOCK + "gethostname"),
    "socket, type 77": (10044, SOCKET),
    "WSASocket, type 77": (10044, API + "wsasocketw"),
    "socket, family 99": (10047, SOCKET),
    "socket, protocol 999": (10043, SOCKET),
    "socket, UDP as a stream": (10043, SOCKET),
    "socket, AF_INET6": (0, SOCKET),
    "AF_INET6": (23, SOCKET),
    "send, UDP without a peer": (10057, SEND),
    "recv, port unreachable": (10054, RECV),
    "recvfrom, port unreachable": (10054, API + "recvfrom"),
    "recv, not bound": (10022, RECV),
    "recvfrom, not bound": (10022, API + "recvfrom"),
    "WSARecv, not bound": (10022, API + "wsarecv"),
    "sendto, port 0": (10049, API + "sendto"),
    "sendto, INADDR_ANY": (10049, API + "sendto"),
    "WSASendTo, INADDR_ANY": (10049, API + "wsasendto"),
    "connect, port 0": (10049, API + "connect"),
    "connect, INADDR_ANY": (10049, API + "connect"),
    "sendto, not bound": (0, API + "sendto"),
    "recv, bound": (10060, RECV),
    "recv, too long": (10040, RECV),
    "recv, what fits": (1, RECV),
    "send, never connected": (10057, SEND),
    "recv, never connected": (10057, RECV),
    "listen, not bound": (10022, API + "listen"),
    "connect": (0, API + "connect"),
    "connect again": (10056, API + "connect"),
    "connect, nobody there": (10061, API + "connect"),
    "connect, tried again": (10035, API + "connect"),
    "connect, not asked why": (10035, API + "connect"),
    "its error then": (0, API + "connect"),
    "connect, once more": (10056, API + "connect"),
    "recv, after SD_RECEIVE": (10058, RECV),
    "send, after SD_SEND": (10058, SEND),
    # The page has them exclude each other; the number is setsockopt's.
    "TCP, reuse after exclusive": (10022, SHARING),
    "TCP, exclusive after reuse": (10022, SHARING),
    "TCP, bound over it": (0, SHARING),
    "UDP, reuse after exclusive": (10022, SHARING),
    "UDP, exclusive after reuse": (10022, SHARING),
    "UDP, bound over it": (0, SHARING),
    "UDP, its error": (10013, SHARING),
    "bind, short": (10014, BIND),
    "bind, NULL": (10014, BIND),
    "bind, other family": (10014, BIND),
    "getsockname, not bound": (10022, API + "getsockname"),
    "bind, again": (10022, BIND),
    "getsockname, short": (10014, API + "getsockname"),
    "getsockname, NULL": (10014, API + "getsockname"),
    "getsockname, NULL size": (10014, API + "getsockname"),
    "sendto, short": (10014, API + "sendto"),
    "connect, short": (10014, API + "connect"),
    "sendto": (0, API + "sendto"),
    "recvfrom, short": (10014, API + "recvfrom"),
    "accept, short": (10014, ACCEPT),
    "accept, NULL size": (10014, ACCEPT),
    "accept, still there": (0, ACCEPT),
    "getpeername, short": (10014, API + "getpeername"),
    "getsockopt, short": (10014, API + "getsockopt"),
    "getsockopt, NULL": (10014, API + "getsockopt"),
    "getsockopt, NULL size": (10014, API + "getsockopt"),
    "setsockopt, short": (10014, API + "setsockopt"),
    "setsockopt, NULL": (10014, API + "setsockopt"),
    "gethostname, short": (10014, WINSOCK + "gethostname"),
    "gethostname, NULL": (10014, WINSOCK + "gethostname"),
    "gethostname": (0, WINSOCK + "gethostname"),
    "select, no sets": (10022, SELECT),
    "select, an empty set": (10022, SELECT),
    "fd_count": (1, FD_SET),
    "fd_array": (1, FD_SET),
    "select, a bad time": (10022, SELECT),
    "select, nothing": (0, SELECT),
    "fd_count, nothing": (0, SELECT),
    "fd_count, cleared": (0, FD_SET),
    "FD_ISSET": (1, FD_SET),
    "select, no socket": (10038, SELECT),
    "getaddrinfo": (0, GETADDRINFO),
    "results": (1, GETADDRINFO),
    "their type": (0, GETADDRINFO),
    "getaddrinfo, IPv6": (0, GETADDRINFO),
    "its family": (1, GETADDRINFO),
    "getaddrinfo, port 65535": (0, GETADDRINFO),
    "getaddrinfo, port 65536": (10109, GETADDRINFO),
    "getaddrinfo, port 99999": (10109, GETADDRINFO),
    "getaddrinfo, port -1": (10109, GETADDRINFO),
    "getaddrinfo, service x-y": (10109, GETADDRINFO),
    # As many as the machine's own name has.
    "getaddrinfo, empty name": (0, GETADDRINFO),
    "socket, cleaned up": (10093, SOCKET),
}


def spoken(text):
    said = (line.rsplit(" ", 1) for line in text.splitlines())
    return {name: int(value) for name, value in said}


def test_answers(windows_program, run):
    ended = run(windows_program("winsock_answers/answers.c"))
    assert spoken(ended.stdout) == {name: answer for name, (answer, _) in ANSWERS.items()}
    assert ended.returncode == 0


def test_a_reset_connection_is_not_one_that_never_was(run_c):
    """What the kernel calls EPIPE a second time is the reset still."""
    said = run_c(r"""
	started();
	SOCKET l = tcp(), c = tcp(), a;
	struct sockaddr_in at = {.sin_family = AF_INET};
	struct linger now = {1, 0};
	int size = sizeof at;
	char byte = 0;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(l, (SOCKADDR *)&at, sizeof at);
	listen(l, 1);
	getsockname(l, (SOCKADDR *)&at, &size);
	connect(c, (SOCKADDR *)&at, size);
	a = accept(l, NULL, NULL);
	setsockopt(a, SOL_SOCKET, SO_LINGER, (char *)&now, sizeof now);
	closesocket(a);
	say("recv", recv(c, &byte, 1, 0));
	say("code", WSAGetLastError());
	say("send", send(c, &byte, 1, 0));
	say("its code", WSAGetLastError());
	""")
    assert said == {"recv": -1, "code": 10054, "send": -1, "its code": 10054}


def test_resets_of_udp_can_be_turned_off(run_c):
    said = run_c(r"""
	started();
	SOCKET gone = kind(AF_INET, SOCK_DGRAM), s = kind(AF_INET, SOCK_DGRAM);
	struct sockaddr_in at = {.sin_family = AF_INET};
	int size = sizeof at;
	BOOL off = FALSE;
	DWORD n, ms = 50;
	char byte = 0;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(gone, (SOCKADDR *)&at, sizeof at);
	getsockname(gone, (SOCKADDR *)&at, &size);
	closesocket(gone);
	connect(s, (SOCKADDR *)&at, size);
	say("off", ioc(s, SIO_UDP_CONNRESET, &off, sizeof off, NULL, 0, &n));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms);
	send(s, &byte, 1, 0);
	say("recv", recv(s, &byte, 1, 0));
	say("code", WSAGetLastError());
	send(s, &byte, 1, 0);
	say("send", send(s, &byte, 1, 0));
	off = TRUE;
	ms = 10000;
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms);
	say("on", ioc(s, SIO_UDP_CONNRESET, &off, sizeof off, NULL, 0, &n));
	say("recv again", recv(s, &byte, 1, 0));
	say("its code", WSAGetLastError());
	say("TCP", ioc(tcp(), SIO_UDP_CONNRESET, &off, sizeof off, NULL, 0, &n));
	""", before="#include <mswsock.h>\n")
    assert said == {"off": 0, "recv": -1, "code": 10060, "send": 1, "on": 0,
                    "recv again": -1, "its code": 10054, "TCP": 10022}


def test_a_raw_socket_sends_to_an_address(run_c):
    """As programs that are "ping" do."""
    said = run_c(r"""
	started();
	SOCKET s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct sockaddr_in at = {.sin_family = AF_INET};
	const char echo[8] = {8, 0, (char)0xf7, (char)0xff};
	char byte[100];
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	say("allowed", s != INVALID_SOCKET);
	say("sendto", sendto(s, echo, 8, 0, (SOCKADDR *)&at, sizeof at));
	say("recv", s == INVALID_SOCKET ? 28 : recv(s, byte, sizeof byte, 0));
	WSABUF piece = {8, (char *)echo};
	DWORD n = 0;
	say("WSASendTo", WSASendTo(s, &piece, 1, &n, 0, (SOCKADDR *)&at, sizeof at, NULL, NULL));
	""")
    if not said["allowed"]:
        pytest.skip("raw sockets are root's")
    assert said == {"allowed": 1, "sendto": 8, "recv": 28, "WSASendTo": 0}


@pytest.mark.parametrize("number", [10, 23])
def test_both_numbers_are_taken_and_one_is_told(run_c, number):
    """10 is what a header of Linux' says, 23 what Windows' says and programs have in
    files; AF_INET6 is one of both."""
    said = run_c(r"""
	started();
	struct sockaddr_in6 at = {.sin6_family = NUMBER}, told = {0}, *found;
	struct addrinfo hints = {.ai_family = NUMBER}, *list;
	SOCKET s = socket(NUMBER, SOCK_DGRAM, 0), other = socket(NUMBER, SOCK_DGRAM, 0);
	SOCKET l = socket(NUMBER, SOCK_STREAM, 0), c = socket(NUMBER, SOCK_STREAM, 0);
	WSAPROTOCOL_INFOA info;
	int size = sizeof at, room = sizeof info;
	char text[64] = "";
	char byte = 'x';
	at.sin6_addr = in6addr_loopback;
	say("bind", bind(s, (SOCKADDR *)&at, sizeof at));
	getsockname(s, (SOCKADDR *)&told, &size);
	say("getsockname", told.sin6_family);
	at.sin6_port = told.sin6_port;
	say("sendto", sendto(other, &byte, 1, 0, (SOCKADDR *)&at, sizeof at));
	say("recvfrom", recvfrom(s, &byte, 1, 0, (SOCKADDR *)&told, &size));
	say("from", told.sin6_family);
	at.sin6_port = 0;
	bind(l, (SOCKADDR *)&at, sizeof at);
	listen(l, 1);
	getsockname(l, (SOCKADDR *)&told, &size);
	at.sin6_port = told.sin6_port;
	say("connect", connect(c, (SOCKADDR *)&at, sizeof at));
	memset(&told, 0, sizeof told);
	accept(l, (SOCKADDR *)&told, &size);
	say("accept", told.sin6_family);
	getpeername(c, (SOCKADDR *)&told, &size);
	say("getpeername", told.sin6_family);
	getsockopt(c, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&info, &room);
	say("info", info.iAddressFamily);
	say("getaddrinfo", getaddrinfo("::1", "80", &hints, &list));
	found = (struct sockaddr_in6 *)list->ai_addr;
	say("hint", list->ai_family == 23 && found->sin6_family == 23);
	freeaddrinfo(list);
	say("getnameinfo", getnameinfo((SOCKADDR *)&at, sizeof at, text, sizeof text,
				       NULL, 0, NI_NUMERICHOST));
	say("inet_pton", inet_pton(NUMBER, "::1", &at.sin6_addr));
	say("inet_ntop", inet_ntop(NUMBER, &at.sin6_addr, text, sizeof text) == text);
	memset(&told, 0, sizeof told);
	strcpy(text, "::1");
	WSAStringToAddressA(text, NUMBER, NULL, (SOCKADDR *)&told, &size);
	say("WSAStringToAddress", told.sin6_family);
	""", before=f"#include <ws2tcpip.h>\n#define NUMBER {number}\n")
    assert said == {
        "bind": 0, "getsockname": 23, "sendto": 1, "recvfrom": 1, "from": 23,
        "connect": 0, "accept": 23, "getpeername": 23, "info": 23, "getaddrinfo": 0,
        "hint": 1, "getnameinfo": 0, "inet_pton": 1, "inet_ntop": 1,
        "WSAStringToAddress": 23}


def test_select_takes_a_socket_with_any_number(run_c):
    said = run_c(r"""
	started();
	struct rlimit limit;
	struct timeval at_once = {0, 0};
	fd_set readable, writable;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	SOCKET s = kind(AF_INET, SOCK_DGRAM);
	SOCKET high = fcntl(s, F_DUPFD, 1500);
	FD_ZERO(&readable);
	FD_ZERO(&writable);
	FD_SET(high, &readable);
	FD_SET(high, &writable);
	FD_SET(s, &writable);
	say("high", high >= 1500 && high < 5000);
	say("select", select(0, &readable, &writable, NULL, &at_once));
	say("readable", FD_ISSET(high, &readable) != 0);
	say("writable", FD_ISSET(high, &writable) != 0 && writable.fd_array[0] == high);
	""", before="#include <sys/resource.h>\n")
    if not said["high"]:
        pytest.skip("no descriptors beyond 1500 here")
    assert said == {"high": 1, "select": 2, "readable": 0, "writable": 1}


def test_select_waits_for_a_connection(run_c):
    """winsock2/nf-winsock2-select: readable when there is data, a connection or its end,
    writable when connect() has succeeded, exceptional when it failed; 0 when the time
    is over, and not before."""
    said = run_c(r"""
	struct timeval moment = {.tv_usec = 50000};
	ULONGLONG began;
	fd_set one, none;
	struct sockaddr_in at = {.sin_family = AF_INET};
	int size = sizeof at;
	u_long on = 1;
	started();
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0), l = socket(AF_INET, SOCK_STREAM, 0);
	for (int which = 0; which < 3; which++) {
		static const char *const names[] = {"read", "write", "except"};
		char name[16];
		FD_ZERO(&one);
		FD_SET(s, &one);
		began = GetTickCount64();
		say(names[which], select(0, which == 0 ? &one : NULL, which == 1 ? &one : NULL,
					 which == 2 ? &one : NULL, &moment));
		sprintf(name, "%s waits", names[which]);
		say(name, GetTickCount64() - began >= 40);
	}
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(l, (SOCKADDR *)&at, size);
	getsockname(l, (SOCKADDR *)&at, &size);
	ioctlsocket(s, FIONBIO, &on);
	connect(s, (SOCKADDR *)&at, size);
	FD_ZERO(&one);
	FD_SET(s, &one);
	none = one;
	say("failed", select(0, &none, NULL, &one, NULL));
	say("readable", FD_ISSET(s, &none) != 0);
	say("exceptional", FD_ISSET(s, &one) != 0);
	SOCKET c = socket(AF_INET, SOCK_STREAM, 0);
	listen(l, 1);
	connect(c, (SOCKADDR *)&at, size);
	closesocket(accept(l, NULL, NULL));
	shutdown(c, SD_BOTH);
	FD_ZERO(&one);
	FD_SET(c, &one);
	say("ended", select(0, &one, NULL, NULL, NULL));
	FD_ZERO(&one);
	FD_SET(c, &one);
	began = GetTickCount64();
	say("ended except", select(0, NULL, NULL, &one, &moment));
	say("ended waits", GetTickCount64() - began >= 40);
	""", before="#include <windows.h>\n")
    assert said == {
        "read": 0, "read waits": 1, "write": 0, "write waits": 1, "except": 0,
        "except waits": 1, "failed": 1, "readable": 0, "exceptional": 1, "ended": 1,
        "ended except": 0, "ended waits": 1}


def test_select_finds_a_reset_and_takes_any_time(run_c):
    """A connection that was reset is readable, though the exceptional are asked for."""
    said = run_c(r"""
	struct timeval long_time = {.tv_sec = LONG_MAX};
	struct linger hard = {1, 0};
	struct sockaddr_in at = {.sin_family = AF_INET};
	int size = sizeof at;
	fd_set readable, exceptional;
	started();
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SOCKET l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	bind(l, (SOCKADDR *)&at, size);
	listen(l, 1);
	getsockname(l, (SOCKADDR *)&at, &size);
	u_long on = 1;
	ioctlsocket(c, FIONBIO, &on);
	connect(c, (SOCKADDR *)&at, size);
	SOCKET s = accept(l, NULL, NULL);
	setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&hard, sizeof hard);
	closesocket(s);
	FD_ZERO(&readable);
	FD_SET(c, &readable);
	exceptional = readable;
	say("found", select(0, &readable, NULL, &exceptional, &long_time));
	say("readable", FD_ISSET(c, &readable) != 0);
	say("exceptional", FD_ISSET(c, &exceptional) != 0);
	""", before="#include <limits.h>\n")
    assert said == {"found": 1, "readable": 1, "exceptional": 0}


def test_select_sleeps_beside_sockets_that_nobody_asked_for(run_c):
    """One was never connected, the other's connection ends while it waits."""
    said = run_c(r"""
	struct timeval moment = {.tv_usec = 400000};
	struct sockaddr_in at = {.sin_family = AF_INET};
	int size = sizeof at;
	pthread_t thread;
	fd_set exceptional;
	started();
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SOCKET l = socket(AF_INET, SOCK_STREAM, 0), fresh = socket(AF_INET, SOCK_STREAM, 0);
	c = socket(AF_INET, SOCK_STREAM, 0);
	bind(l, (SOCKADDR *)&at, size);
	listen(l, 1);
	getsockname(l, (SOCKADDR *)&at, &size);
	connect(c, (SOCKADDR *)&at, size);
	s = accept(l, NULL, NULL);
	FD_ZERO(&exceptional);
	FD_SET(fresh, &exceptional);
	FD_SET(c, &exceptional);
	pthread_create(&thread, NULL, end_it, NULL);
	say("found", select(0, NULL, NULL, &exceptional, &moment));
	say("slept", polls > 0 && polls < 500);
	pthread_join(thread, NULL);
	""", before=SLEEPS + r"""
#include <poll.h>
#include <sched.h>
#include <signal.h>

static SOCKET c, s;
static int polls;

int counted(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *) __asm__("ppoll");

int counted(struct pollfd *polled, nfds_t n, const struct timespec *time, const sigset_t *mask)
{
	struct timespec left = *time;

	polls++;
	return (int)syscall(SYS_ppoll, polled, n, &left, mask, _NSIG / 8);
}

static void *end_it(void *unused)
{
	while (!sleeps(getpid()))
		sched_yield();
	shutdown(c, SD_BOTH);
	shutdown(s, SD_BOTH);
	return unused;
}
""")
    assert said == {"found": 0, "slept": 1}


def test_a_select_hears_of_another_threads_connect(run_c):
    """The socket had no connection when it began to wait."""
    said = run_c(r"""
	struct sockaddr_in at = {.sin_family = AF_INET};
	int size = sizeof at;
	pthread_t thread;
	fd_set one;
	started();
	s = socket(AF_INET, SOCK_STREAM, 0);
	l = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(l, (SOCKADDR *)&at, size);
	listen(l, 1);
	FD_ZERO(&one);
	FD_SET(s, &one);
	pthread_create(&thread, NULL, connect_it, NULL);
	say("writable", select(0, NULL, &one, NULL, NULL));
	pthread_join(thread, NULL);
	""", before=r"""
static SOCKET s, l;

static void *connect_it(void *unused)
{
	struct sockaddr_in at;
	int size = sizeof at;

	getsockname(l, (SOCKADDR *)&at, &size);
	connect(s, (SOCKADDR *)&at, size);
	return unused;
}
""")
    assert said == {"writable": 1}


def test_addresses_as_text_that_are_none(run_c):
    """ws2tcpip/nf-ws2tcpip-inet_pton and -inet_ntop; inet_addr as it is known."""
    said = run_c(r"""
	struct in6_addr a;
	char text[4];
	started();
	say("pton, no text", inet_pton(AF_INET, NULL, &a) < 0 ? WSAGetLastError() : 0);
	say("pton, no room", inet_pton(AF_INET, "1.2.3.4", NULL) < 0 ? WSAGetLastError() : 0);
	say("ntop, no room", inet_ntop(AF_INET, &a, NULL, 99) ? 0 : WSAGetLastError());
	say("ntop, no address", inet_ntop(AF_INET, NULL, text, 4) ? 0 : WSAGetLastError());
	say("ntop, short", inet_ntop(AF_INET, &a, text, 4) ? 0 : WSAGetLastError());
	say("addr", inet_addr(NULL) == INADDR_NONE);
	""", before="#include <ws2tcpip.h>\n")
    assert said == {"pton, no text": 10014, "pton, no room": 10014, "ntop, no room": 87,
                    "ntop, no address": 87, "ntop, short": 87, "addr": 1}


def test_urgent_data(run_c):
    """Datagrams have none (winsock2/nf-winsock2-recv); SIOCATMARK is true where none
    waits (winsock2/nf-winsock2-ioctlsocket)."""
    said = run_c(r"""
	struct sockaddr_in at = {.sin_family = AF_INET};
	int size = sizeof at, ms = 20;
	u_long mark = 0;
	char byte;
	started();
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SOCKET u = socket(AF_INET, SOCK_DGRAM, 0);
	bind(u, (SOCKADDR *)&at, size);
	setsockopt(u, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms);
	say("recv", recv(u, &byte, 1, MSG_OOB) < 0 ? WSAGetLastError() : 0);
	say("recvfrom", recvfrom(u, &byte, 1, MSG_OOB, NULL, NULL) < 0 ? WSAGetLastError() : 0);
	SOCKET l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	bind(l, (SOCKADDR *)&at, size);
	listen(l, 1);
	getsockname(l, (SOCKADDR *)&at, &size);
	connect(c, (SOCKADDR *)&at, size);
	SOCKET s = accept(l, NULL, NULL);
	ioctlsocket(s, SIOCATMARK, &mark);
	say("none", mark);
	send(c, "abc", 3, 0);
	send(c, "!", 1, MSG_OOB);
	WSAPOLLFD look = {.fd = s, .events = POLLPRI};
	WSAPoll(&look, 1, -1);
	ioctlsocket(s, SIOCATMARK, &mark);
	say("waits", mark);
	say("urgent", recv(s, &byte, 1, MSG_OOB));
	""")
    assert said == {"recv": 10045, "recvfrom": 10045, "none": 1, "waits": 0, "urgent": 1}


def test_a_buffers_size_is_told_as_it_was_set(run_c):
    """The kernel doubles it for what it needs beside the data."""
    said = run_c(r"""
	int n = 8192, size = sizeof n;
	started();
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&n, sizeof n);
	setsockopt(s, SOL_SOCKET, SO_SNDBUF, (char *)&n, sizeof n);
	n = 0;
	getsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&n, &size);
	say("receive", n);
	getsockopt(s, SOL_SOCKET, SO_SNDBUF, (char *)&n, &size);
	say("send", n);
	""")
    assert said == {"receive": 8192, "send": 8192}


PORT = 27600


@pytest.fixture
def server(windows_program, start, namespace):
    """server(how) -> that server of restart.c, on one port of a namespace that
    nobody else is in."""
    program = windows_program("winsock_answers/restart.c")
    return lambda how: start([*namespace, program, PORT, how])


def says(program, *lines):
    assert [program.line() for _ in lines] == list(lines)


SERVED = ["bind 0", "listen 0", "connect 0"]


def leave_time_wait(server):
    program = server("plain")
    says(program, *SERVED)
    assert program.end() == 0


@pytest.mark.parametrize("how", ["plain", "exclusive", "six", "block", "any"])
def test_a_server_is_there_again_at_once(server, how):
    """As on Windows, also in a block of its own that has that port alone."""
    reserved = ["reserve 0"] if how in ("block", "any") else []
    for _ in range(3):
        program = server(how)
        says(program, *reserved, *SERVED)
        assert program.end() == 0


def test_not_while_a_connection_has_an_owner(server):
    first = server("kept")
    says(first, *SERVED, "kept 0")
    says(server("plain"), "bind 10048")
    first.tell("")
    assert first.end() == 0
    # The kernel ends the connection by itself, and no process has it.
    says(server("plain"), *SERVED)


STRANGER = """
import socket, sys
with socket.socket() as server, socket.socket() as client:
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen()
    client.connect(server.getsockname())
    server.accept()[0].close()
    client.recv(1)
"""


def test_a_strangers_time_wait_is_in_the_way(server, start, namespace, bare_env):
    """The kernel asks its socket for the option, and that had none."""
    stranger = start([*namespace, "/usr/bin/python3", "-c", STRANGER, PORT], bare_env)
    assert stranger.end() == 0
    says(server("plain"), "bind 10048")


def test_two_never_share_the_port(server):
    """One is bound over the past and does not listen yet: the kernel would let
    another with the option beside it."""
    leave_time_wait(server)
    first = server("bound")
    says(first, "bind 0")
    says(server("bound"), "bind 10048")
    first.tell("")
    says(first, "listen 0")
    assert first.end() == 0


@pytest.mark.parametrize("how", ["client", "request"])
def test_a_port_that_a_client_had(server, how):
    """It closed first, so that its port is in TIME_WAIT, and had the option."""
    for _ in range(2):
        client = server(how)
        says(client, "bind 0", "connect 0")
        assert client.end() == 0
    says(server("plain"), *SERVED)


WITH_THE_OPTION = """
import socket, sys
with socket.socket() as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(("127.0.0.1", int(sys.argv[1])))
    except OSError as refused:
        print(refused.errno)
"""


def test_it_has_the_option_for_the_call_alone(server, start, namespace, bare_env):
    """A socket that is bound over the past has it no more: nobody may come beside."""
    leave_time_wait(server)
    first = server("bound")
    says(first, "bind 0")
    stranger = start([*namespace, "/usr/bin/python3", "-c", WITH_THE_OPTION, PORT], bare_env)
    assert stranger.line() == str(errno.EADDRINUSE)
    first.tell("")
    says(first, "listen 0")


# It has a break in the system call that it makes with the option.
BREAKS = r"""
#include <winsock2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int __real_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	int on = 0;
	socklen_t n = sizeof on;

	getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &n);
	if (on) {
		puts("inside");
		fflush(stdout);
		getchar();
	}
	return __real_bind(fd, address, size);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof(int);
	WSADATA data;
	SOCKET s;
	int on = 0;
	int r;

	WSAStartup(MAKEWORD(2, 2), &data);
	at.sin_port = htons((u_short)atoi(argv[1]));
	at.sin_addr.s_addr = inet_addr(argv[argc - 1]);
	s = socket(AF_INET, SOCK_STREAM, 0);
	r = bind(s, (SOCKADDR *)&at, sizeof at);
	printf("bind %d\n", r ? WSAGetLastError() : 0);
	if (r)
		return 0;
	listen(s, 1);
	/* Winsock's getsockopt hides it. */
	syscall(SYS_getsockopt, s, SOL_SOCKET, SO_REUSEADDR, &on, &n);
	printf("option %d\n", on);
	return 0;
}
"""


def test_they_take_turns(server, compile_program, start, namespace):
    """Two that have the option at a time would both have the port."""
    leave_time_wait(server)
    program = compile_program(BREAKS, "breaks", flags=["-Wl,--wrap=bind"])
    first = start([*namespace, program, PORT, "127.0.0.1"])
    says(first, "inside")
    says(start([*namespace, program, PORT, "127.0.0.1"]), "bind 10048")
    # Not even of another address: it listens, and does without.
    says(start([*namespace, program, PORT, "127.0.0.2"]), "bind 0", "option 0")
    first.tell("")
    says(first, "bind 0", "option 1")
    assert first.end() == 0


# As often as it can it binds, and while it is bound it is alone.
RACER = r"""
#include <winsock2.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int alone = open(argv[argc - 1], O_RDWR);
	int bound = 0, shared = 0;
	WSADATA data;

	WSAStartup(MAKEWORD(2, 2), &data);
	at.sin_port = htons((u_short)atoi(argv[1]));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 150; i++) {
		SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

		if (bind(s, (SOCKADDR *)&at, sizeof at) == 0) {
			bound++;
			shared += flock(alone, LOCK_EX | LOCK_NB) != 0;
			flock(alone, LOCK_UN);
		}
		closesocket(s);
	}
	printf("bound %d\nshared %d\n", bound, shared);
	return 0;
}
"""


def test_a_race_for_the_port(server, compile_program, start, namespace, tmp_path):
    leave_time_wait(server)
    (tmp_path / "alone").touch()
    racer = compile_program(RACER, "racer")
    racers = [start([*namespace, racer, PORT, tmp_path / "alone"]) for _ in range(4)]
    bound = [int(racer.line().split()[1]) for racer in racers]
    assert sum(bound) > 4
    assert [racer.line() for racer in racers] == ["shared 0"] * 4


def test_the_option_is_not_seen(run_c):
    """The program has not set it."""
    said = run_c(r"""
	started();
	SOCKET l = tcp();
	struct sockaddr_in at = {.sin_family = AF_INET};
	int value = 7, size = sizeof value;
	bind(l, (SOCKADDR *)&at, sizeof at);
	say("listen", listen(l, 1));
	getsockopt(l, SOL_SOCKET, SO_REUSEADDR, (char *)&value, &size);
	say("reuse", value);
	""")
    assert said == {"listen": 0, "reuse": 0}


def test_the_programs_own_option_stays(run_c):
    """It has set it, and has it: after a listen, a connect, a bind that failed."""
    said = run_c(r"""
	started();
	SOCKET l = tcp(), c = tcp(), late = tcp();
	struct sockaddr_in at = {.sin_family = AF_INET};
	int on = 1, value = 7, size = sizeof at, room = sizeof value;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof on);
	setsockopt(c, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof on);
	setsockopt(late, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof on);
	bind(l, (SOCKADDR *)&at, sizeof at);
	say("listen", listen(l, 1));
	getsockopt(l, SOL_SOCKET, SO_REUSEADDR, (char *)&value, &room);
	say("reuse", value);
	getsockname(l, (SOCKADDR *)&at, &size);
	say("connect", connect(c, (SOCKADDR *)&at, sizeof at));
	getsockopt(c, SOL_SOCKET, SO_REUSEADDR, (char *)&value, &room);
	say("its", value);
	say("bind", bind(late, (SOCKADDR *)&at, sizeof at));
	getsockopt(late, SOL_SOCKET, SO_REUSEADDR, (char *)&value, &room);
	say("late", value);
	""")
    assert said == {"listen": 0, "reuse": 1, "connect": 0, "its": 1, "bind": -1, "late": 1}


def test_again_at_once_though_a_child_was_forked_meanwhile(run_c):
    """While another thread listened. The child has closed the listener, and does not
    execute anything."""
    said = run_c(r"""
	struct sockaddr_in at = {.sin_family = AF_INET};
	int size = sizeof at, ends[2];
	pthread_t thread;
	char byte;
	started();
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = tcp();
	bind(listener, (SOCKADDR *)&at, size);
	getsockname(listener, (SOCKADDR *)&at, &size);
	pthread_create(&thread, NULL, be_listener, NULL);
	sem_wait(&inside);
	if (fork() == 0) {
		closesocket(listener);
		close(ends[1]);
		write(ends[0], "c", 1);
		read(ends[0], &byte, 1);
		_exit(0);
	}
	read(ends[1], &byte, 1);
	sem_post(&goes_on);
	pthread_join(thread, NULL);
	SOCKET client = tcp(), again = tcp();
	say("connect", connect(client, (SOCKADDR *)&at, size));
	closesocket(accept(listener, NULL, NULL));
	recv(client, &byte, 1, 0);
	closesocket(client);
	closesocket(listener);
	say("again", bind(again, (SOCKADDR *)&at, size) ? WSAGetLastError() : 0);
	close(ends[1]);
	wait(NULL);
	""", before=r"""
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static SOCKET listener;
static sem_t inside, goes_on;

int kernels_listen(int fd, int backlog) __asm__("listen");

int kernels_listen(int fd, int backlog)
{
	sem_post(&inside);
	sem_wait(&goes_on);
	return (int)syscall(SYS_listen, fd, backlog);
}

static void *be_listener(void *unused)
{
	listen(listener, 1);
	return unused;
}
""")
    assert said == {"connect": 0, "again": 0}


@pytest.mark.parametrize("program", ["answers.c", "restart.c"])
def test_the_same_sources_build_for_windows(builds_for_windows, program):
    builds_for_windows(f"winsock_answers/{program}")

