# SPDX-License-Identifier: MIT
"""Calls that Linux has under Winsock's names and with another meaning."""

import subprocess

import pytest


LISTENER = r"""
	started();
	SOCKET l = socket(23, 0, 0), c = socket(AF_INET, 0, 0), a;
	struct sockaddr_in6 six = {0};
	struct sockaddr_in at = {.sin_family = AF_INET};
	int size = sizeof six, off = 0, code = 0;
	u_long yes = 1;
	struct timeval t = {5, 0};
	fd_set readable, writable, exceptional;
	char byte = 0;

	six.sin6_family = 23;
	setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&off, 1);
	say("bind", bind(l, (SOCKADDR *)&six, sizeof six));
	listen(l, 5);
	getsockname(l, (SOCKADDR *)&six, &size);
	at.sin_port = six.sin6_port;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	FD_ZERO(&readable);
	FD_ZERO(&writable);
	FD_ZERO(&exceptional);
"""


def test_family_23_and_type_0(run_c):
    said = run_c(r"""
	started();
	SOCKET s = socket(23, 0, 0), u = socket(23, 0, IPPROTO_UDP);
	SOCKET v = socket(AF_INET, 0, IPPROTO_TCP);
	int value, size = sizeof value;
	struct in6_addr one;
	char text[64];
	getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &size);
	say("tcp", value == SOCK_STREAM);
	getsockopt(s, SOL_SOCKET, SO_DOMAIN, (char *)&value, &size);
	say("six", value == AF_INET6);
	getsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, &size);
	say("alone", value);
	getsockopt(u, SOL_SOCKET, SO_TYPE, (char *)&value, &size);
	say("udp", value == SOCK_DGRAM);
	getsockopt(v, SOL_SOCKET, SO_TYPE, (char *)&value, &size);
	say("tcp again", value == SOCK_STREAM);
	say("pton", inet_pton(23, "::1", &one));
	say("ntop", !strcmp(inet_ntop(23, &one, text, sizeof text), "::1"));
	say("none", (s = socket(99, 1, 0)) == INVALID_SOCKET);
	say("code", WSAGetLastError());
	""", before="#include <ws2tcpip.h>\n")
    assert said == {"tcp": 1, "six": 1, "alone": 1, "udp": 1, "tcp again": 1,
                    "pton": 1, "ntop": 1, "none": 1, "code": 10047}


def test_connect_that_does_not_block(run_c):
    said = run_c(LISTENER + r"""
	say("FIONBIO", ioctlsocket(c, FIONBIO, &yes));
	say("listener", ioctlsocket(l, 0x8004667e, &yes));
	say("connect", connect(c, (SOCKADDR *)&at, sizeof at));
	code = WSAGetLastError();
	say("would block", code == 0 || code == WSAEWOULDBLOCK);
	FD_SET(c, &writable);
	FD_SET(c, &exceptional);
	say("select", select(0, NULL, &writable, &exceptional, &t));
	say("connected", FD_ISSET(c, &writable) && !FD_ISSET(c, &exceptional));
	say("time kept", t.tv_sec == 5 && t.tv_usec == 0);
	FD_SET(l, &readable);
	say("select again", select(0, &readable, NULL, NULL, NULL));
	a = accept(l, NULL, NULL);
	say("accepted", recv(a, &byte, 1, 0));
	say("takes after", WSAGetLastError());
	say("none left", (a = accept(l, NULL, NULL)) == INVALID_SOCKET);
	say("code", WSAGetLastError());
	say("no sets", select(0, NULL, NULL, NULL, &t));
	say("its code", WSAGetLastError());
	""")
    assert said == {
        "bind": 0, "FIONBIO": 0, "listener": 0, "connect": -1,
        "would block": 1, "select": 1, "connected": 1, "time kept": 1,
        "select again": 1, "accepted": -1, "takes after": 10035,
        "none left": 1, "code": 10035, "no sets": -1, "its code": 10022,
    }


def test_a_refused_connect_is_exceptional(run_c):
    said = run_c(LISTENER + r"""
	closesocket(l);
	ioctlsocket(c, FIONBIO, &yes);
	say("connect", connect(c, (SOCKADDR *)&at, sizeof at));
	say("code", WSAGetLastError());
	FD_SET(c, &writable);
	FD_SET(c, &exceptional);
	say("select", select(0, NULL, &writable, &exceptional, &t));
	say("writable", FD_ISSET(c, &writable) != 0);
	say("exceptional", FD_ISSET(c, &exceptional) != 0);
	size = sizeof code;
	say("ask", getsockopt(c, SOL_SOCKET, SO_ERROR, (char *)&code, &size));
	say("SO_ERROR", code);
	""")
    assert said == {"bind": 0, "connect": -1, "code": 10035, "select": 1,
                    "writable": 0, "exceptional": 1, "ask": 0,
                    "SO_ERROR": 10061}


def test_time_limits_are_milliseconds(run_c):
    said = run_c(LISTENER + r"""
	DWORD ms = 1500, got = 0;
	struct timeval linux_time = {0};
	SOCKET u = socket(AF_INET, SOCK_DGRAM, 0);
	say("connect", connect(c, (SOCKADDR *)&at, sizeof at));
	say("set", setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms,
			      sizeof ms));
	size = sizeof linux_time;
	getsockopt(c, SOL_SOCKET, SO_RCVTIMEO, (char *)&linux_time, &size);
	say("seconds", linux_time.tv_sec);
	size = sizeof got;
	getsockopt(c, SOL_SOCKET, SO_RCVTIMEO, (char *)&got, &size);
	say("milliseconds", got);
	say("size", size);
	ms = 20;
	setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms);
	say("recv", recv(c, &byte, 1, 0));
	say("code", WSAGetLastError());
	setsockopt(u, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms);
	at.sin_port = 0;
	bind(u, (SOCKADDR *)&at, sizeof at);
	say("recvfrom", recvfrom(u, &byte, 1, 0, NULL, NULL));
	say("its code", WSAGetLastError());
	ioctlsocket(c, FIONBIO, &yes);
	say("not blocking", recv(c, &byte, 1, 0));
	say("that code", WSAGetLastError());
	""")
    assert said == {
        "bind": 0, "connect": 0, "set": 0, "seconds": 1, "milliseconds": 1500,
        "size": 4, "recv": -1, "code": 10060, "recvfrom": -1,
        "its code": 10060, "not blocking": -1, "that code": 10035,
    }


def test_opposite_options_and_one_byte(run_c):
    said = run_c(r"""
	started();
	SOCKET s = tcp();
	int on = 1, off = 0, value = 0, size = sizeof value;
	struct linger linger = {1, 5};
	char byte = 1;
#define SET(name, what) \
	setsockopt(s, SOL_SOCKET, name, (char *)&what, sizeof what)
#define GET(name) (size = sizeof value, \
	getsockopt(s, SOL_SOCKET, name, (char *)&value, &size) ? -1 : value)
	say("neither", GET(SO_EXCLUSIVEADDRUSE) + GET(SO_REUSEADDR));
	SET(SO_REUSEADDR, on);
	say("reuse", GET(SO_EXCLUSIVEADDRUSE));
	SET(SO_REUSEADDR, off);
	say("exclusive", SET(SO_EXCLUSIVEADDRUSE, on));
	say("is", GET(SO_EXCLUSIVEADDRUSE));
	say("not reuse", GET(SO_REUSEADDR));
	SET(SO_LINGER, linger);
	say("lingers", GET(SO_DONTLINGER));
	SET(SO_DONTLINGER, on);
	say("does not", GET(SO_DONTLINGER));
	say("one byte", SET(SO_KEEPALIVE, byte));
	say("keeps", GET(SO_KEEPALIVE));
	setsockopt(s, IPPROTO_TCP, 1 /* TCP_NODELAY */, &byte, 1);
	size = sizeof value;
	getsockopt(s, IPPROTO_TCP, 1, (char *)&value, &size);
	say("no delay", value);
	say("wild", setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, nowhere(), 4));
	say("code", WSAGetLastError());
	say("wild get", getsockopt(s, SOL_SOCKET, SO_ERROR, nowhere(), &size));
	say("its code", WSAGetLastError());
	""")
    assert said == {
        "neither": 0, "reuse": 0, "exclusive": 0, "is": 1, "not reuse": 0, "lingers": 0,
        "does not": 1, "one byte": 0, "keeps": 1, "no delay": 1, "wild": -1,
        "code": 10014, "wild get": -1, "its code": 10014,
    }


def test_no_signal_for_a_peer_that_is_gone(run_c):
    said = run_c(LISTENER + r"""
	connect(c, (SOCKADDR *)&at, sizeof at);
	shutdown(c, SD_SEND);
	say("send", send(c, &byte, 1, 0));
	say("code", WSAGetLastError());
	say("sendto", sendto(c, &byte, 1, 0, NULL, 0));
	say("its code", WSAGetLastError());
	""")
    assert said == {"bind": 0, "send": -1, "code": 10058, "sendto": -1,
                    "its code": 10058}


def test_ioctlsocket_and_the_others(run_c):
    said = run_c(LISTENER + r"""
	u_long wide = ~0ul;
	ULONG narrow[2] = {0, 77};
	struct tcp_keepalive alive = {1, 90500, 1};
	int value = 0;
	DWORD n = 0;
	connect(c, (SOCKADDR *)&at, sizeof at);
	a = accept(l, NULL, NULL);
	send(a, "abc", 3, 0);
	WSAPOLLFD poll = {.fd = c, .events = POLLIN};
	say("poll", WSAPoll(&poll, 1, 5000));
	say("FIONREAD", ioctlsocket(c, FIONREAD, &wide));
	say("bytes", wide);
	say("32 bits", ioctlsocket(c, 0x4004667f, &narrow[0]));
	say("bytes too", narrow[0]);
	say("no more", narrow[1]);
	say("WSAIoctl", ioc(c, FIONREAD, NULL, 0, narrow, 4, &n));
	say("size", n);
	say("8 bytes", ioc(c, FIONREAD, NULL, 0, &wide, 8, &n));
	say("their size", n);
	say("mark", ioctlsocket(c, SIOCATMARK, &wide));
	say("FIONBIO", ioc(c, FIONBIO, &narrow[1], 4, NULL, 0, &n));
	say("not blocking", !!(fcntl(c, F_GETFL) & O_NONBLOCK));
	narrow[1] = 0;
	say("off", ioctlsocket(c, FIONBIO, &narrow[1]));
	say("blocking", !!(fcntl(c, F_GETFL) & O_NONBLOCK));
	say("keepalive", ioc(c, SIO_KEEPALIVE_VALS, &alive, 12, NULL, 0, &n));
	size = sizeof value;
	getsockopt(c, IPPROTO_TCP, 4 /* TCP_KEEPIDLE */, (char *)&value, &size);
	say("idle", value);
	getsockopt(c, IPPROTO_TCP, 5 /* TCP_KEEPINTVL */, (char *)&value, &size);
	say("interval", value);
	getsockopt(c, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, &size);
	say("on", value);
	alive.onoff = 0;
	ioc(c, SIO_KEEPALIVE_VALS, &alive, 12, NULL, 0, &n);
	getsockopt(c, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, &size);
	say("off again", value);
#define CODE(call) ((call) < 0 ? WSAGetLastError() : 0)
	say("NULL", CODE(ioctlsocket(c, FIONBIO, NULL)));
	say("unknown", CODE(ioctlsocket(c, 1, &wide)));
	say("no socket", CODE(ioctlsocket(~0, FIONBIO, &wide)));
	say("poll none", CODE(WSAPoll(&poll, 0, 0)));
	say("poll NULL", CODE(WSAPoll(NULL, 1, 0)));
	WSACleanup();
	say("not started", CODE(ioctlsocket(c, FIONBIO, &wide)));
	say("poll not started", CODE(WSAPoll(&poll, 1, 0)));
	""")
    assert said == {
        "bind": 0, "poll": 1, "FIONREAD": 0, "bytes": 3, "32 bits": 0,
        "bytes too": 3, "no more": 77, "WSAIoctl": 0, "size": 4, "8 bytes": 0,
        "their size": 8, "mark": 0, "FIONBIO": 0, "not blocking": 1, "off": 0,
        "blocking": 0, "keepalive": 0, "idle": 91, "interval": 1, "on": 1,
        "off again": 0, "NULL": 10014, "unknown": 10045, "no socket": 10038,
        "poll none": 10022, "poll NULL": 10014, "not started": 10093,
        "poll not started": 10093,
    }


def test_names(run_c):
    said = run_c(r"""
	struct addrinfo hints = {.ai_family = 23, .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
	struct addrinfo *found;
	ADDRINFOW wide_hints = {.ai_family = 23, .ai_socktype = SOCK_STREAM,
				.ai_flags = AI_NUMERICHOST | AI_CANONNAME};
	PADDRINFOW wide;
	WCHAR node[64], service[64];
	struct in6_addr one;
	started();
	say("six", getaddrinfo("::1", "80", &hints, &found));
	say("its size", found->ai_addrlen == sizeof(struct sockaddr_in6));
	say("its family", found->ai_family == AF_INET6);
	say("name", GetNameInfoW(found->ai_addr, found->ai_addrlen, node, 64,
				 service, 64, NI_NUMERICHOST | NI_NUMERICSERV));
	say("text", !wcscmp(node, L"::1") && !wcscmp(service, L"80"));
	say("no room", GetNameInfoW(found->ai_addr, found->ai_addrlen, node, 3,
				    NULL, 0, NI_NUMERICHOST));
	freeaddrinfo(found);
	say("no name", getaddrinfo("x.y", NULL, &hints, &found));
	say("its code", WSAGetLastError());
	say("is its name", EAI_NONAME);
	say("has a text", strlen(gai_strerror(EAI_NONAME)) > 5);
	say("wide text", wcslen(gai_strerrorW(11001)) > 5);
	say("wide", GetAddrInfoW(L"::1", L"80", &wide_hints, &wide));
	say("its name", !wcscmp(wide->ai_canonname, L"::1"));
	say("wide size", wide->ai_addrlen == sizeof(struct sockaddr_in6));
	say("the last", wide->ai_next == NULL);
	FreeAddrInfoW(wide);
	say("no wide", GetAddrInfoW(L"\x4e2d", NULL, &wide_hints, &wide));
	hints.ai_family = 99;
	say("family", getaddrinfo("::1", NULL, &hints, &found));
	say("pton", InetPtonW(23, L"fe80::1", &one));
	say("ntop", !wcscmp(InetNtopW(23, &one, node, 64), L"fe80::1"));
	say("too long", InetNtopW(23, &one, node, 7) == NULL);
	say("that code", WSAGetLastError());
	say("no address", InetPtonW(2, L"1.2.3", &one));
	say("no text", InetPtonW(2, NULL, &one));
	say("the code", WSAGetLastError());
	say("A", InetPton(AF_INET, "127.0.0.1", &one));
	""", before="#include <ws2tcpip.h>\n")
    assert said == {
        "six": 0, "its size": 1, "its family": 1, "name": 0, "text": 1,
        "no room": 122, "no name": 11001, "its code": 11001,
        "is its name": 11001, "has a text": 1, "wide text": 1, "wide": 0,
        "its name": 1, "wide size": 1, "the last": 1, "no wide": 11001,
        "family": 10047, "pton": 1, "ntop": 1, "too long": 1, "that code": 87,
        "no address": 0, "no text": -1, "the code": 10014, "A": 1,
    }


@pytest.mark.parametrize("flags", [[], ["-O2", "-D_FORTIFY_SOURCE=2"]],
                         ids=["plain", "fortified"])
@pytest.mark.parametrize("lang", ["c", "c++"])
def test_every_call_is_renamed(build, compile_program, lang, flags):
    """Also a pointer to it, a call in parentheses, and in C++ the overloads.
    FORTIFY has functions of its own for two of them in C."""
    program = compile_program(r"""
#include <sys/socket.h>
#include <ws2tcpip.h>
#include <stdio.h>
int main(void)
{
	struct sockaddr_in a = {};
	int n = sizeof a;
	char b[4];
	SOCKET s = socket(2, 1, 0);
	int (*binder)(int, const struct sockaddr *, socklen_t) = bind;
	struct addrinfo *found;
	fd_set set;
	FD_ZERO(&set);
	binder((int)s, (struct sockaddr *)&a, sizeof a);
	(connect)(s, (struct sockaddr *)&a, sizeof a);
	listen(s, 1);
	accept(s, (struct sockaddr *)&a, &n);
	getsockopt(s, 1, 2, b, &n);
	setsockopt(s, 1, 2, b, 4);
	recv(s, b, 4, 0);
	recvfrom(s, b, 4, 0, (struct sockaddr *)&a, &n);
	send(s, b, 4, 0);
	sendto(s, b, 4, 0, (struct sockaddr *)&a, n);
	select(0, &set, &set, &set, NULL);
	getaddrinfo("", "", NULL, &found);
	inet_pton(2, "", b);
	puts(gai_strerror(0));
	return 0;
}
""", "renamed", lang, flags=[*flags, "-c"])
    listed = subprocess.run(["nm", "-u", program], capture_output=True,
                            text=True, check=True).stdout.split()
    ours = {name[8:] for name in listed if name.startswith("portres_")}
    wanted = set("socket bind connect listen accept getsockopt setsockopt recv "
                 "recvfrom send sendto select getaddrinfo inet_pton "
                 "gai_strerror".split())
    if flags:
        wanted -= {"recv", "recvfrom"}
    assert wanted <= ours
    assert not {n for n in listed if n.split("@")[0] in wanted}
