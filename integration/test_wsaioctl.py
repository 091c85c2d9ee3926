# SPDX-License-Identifier: MIT
"""WSAIoctl and its neighbours: what each call answers, number by number."""

import pytest


SETUP = r"""
	SOCKET s = tcp();
	INET_PORT_RANGE r = ports(27140, 4);
	INET_PORT_RESERVATION_INSTANCE i = {0};
	INET_PORT_RESERVATION_INSTANCE other = {0};
	DWORD n = 77;
	DWORD m = 0;
"""


def test_before_startup_and_after_cleanup(run_c):
    said = run_c(SETUP + r"""
	say("before", ioc(s, ACQUIRE, &r, 4, &i, 16, &n));
	say("untouched", n);
	say("even with all else wrong", ioc(~0, 1, NULL, 0, NULL, 0, NULL));
	started();
	started();
	say("first cleanup", WSACleanup());
	say("still started", ioc(s, ACQUIRE, &r, 4, &i, 16, &n));
	say("second cleanup", WSACleanup());
	say("after", ioc(s, RELEASE, &i.Token, 8, NULL, 0, &n));
	say("third cleanup", WSACleanup());
	say("its error", WSAGetLastError());
	say("a socket closes all the same", closesocket(s));
	""")
    assert said == {
        "before": 10093, "untouched": 77, "even with all else wrong": 10093,
        "first cleanup": 0, "still started": 0, "second cleanup": 0,
        "after": 10093, "third cleanup": -1, "its error": 10093,
        "a socket closes all the same": 0,
    }


# Each case: an expression, the code that it gives. `n` is 77 before and must
# be 0 after, for the block that is held is 27140 to 27143 with i.Token.
BAD = {
    # 2: the pointer to the number of bytes
    "bytes NULL": ("ioc(s, ACQUIRE, &r, 4, &other, 16, NULL)", 10014),
    "bytes wild": ("ioc(s, ACQUIRE, &r, 4, &other, 16, nowhere())", 10014),
    "bytes read-only": ("ioc(s, ASSOCIATE, &i.Token, 8, 0, 0, read_only())",
                        10014),
    "bytes NULL and bad socket": ("ioc(~0, ACQUIRE, 0, 0, 0, 0, NULL)", 10014),
    # 3: the socket
    "INVALID_SOCKET": ("ioc(~0, ACQUIRE, &r, 4, &other, 16, &n)", 10038),
    "closed": ("ioc(4000, ACQUIRE, &r, 4, &other, 16, &n)", 10038),
    "a file": ("ioc(file, ACQUIRE, &r, 4, &other, 16, &n)", 10038),
    "past int": ("ioc(s + (1ul << 32), RELEASE, &i.Token, 8, 0, 0, &n)", 10038),
    "bad socket and code": ("ioc(~0, 1, 0, 0, 0, 0, &n)", 10038),
    # 4: the code
    "unknown code": ("ioc(s, 0x98000063, &r, 4, &other, 16, &n)", 10045),
    "unknown code and buffers": ("ioc(s, 0x98000067, 0, 0, 0, 0, &n)", 10045),
    # 5: the buffers
    "acquire, short input": ("ioc(s, ACQUIRE, &r, 3, &other, 16, &n)", 10022),
    "acquire, no input": ("ioc(s, ACQUIRE, NULL, 0, &other, 16, &n)", 10022),
    "acquire, short output": ("ioc(s, ACQUIRE, &r, 4, &other, 15, &n)", 10022),
    "acquire, no output": ("ioc(s, ACQUIRE, &r, 4, NULL, 0, &n)", 10022),
    "acquire, NULL input": ("ioc(s, ACQUIRE, NULL, 4, &other, 16, &n)", 10014),
    "acquire, NULL output": ("ioc(s, ACQUIRE, &r, 4, NULL, 16, &n)", 10014),
    "acquire, wild input":
        ("ioc(s, ACQUIRE, nowhere(), 4, &other, 16, &n)", 10014),
    "acquire, wild output": ("ioc(s, ACQUIRE, &r, 4, nowhere(), 16, &n)", 10014),
    "acquire, read-only output":
        ("ioc(s, ACQUIRE, &r, 4, read_only(), 16, &n)", 10014),
    "release, short": ("ioc(s, RELEASE, &i.Token, 7, 0, 0, &n)", 10014),
    "release, NULL": ("ioc(s, RELEASE, NULL, 8, 0, 0, &n)", 10014),
    "release, wild": ("ioc(s, RELEASE, nowhere(), 8, 0, 0, &n)", 10014),
    "associate, short": ("ioc(s, ASSOCIATE, &i.Token, 7, 0, 0, &n)", 10014),
    "associate, NULL": ("ioc(s, ASSOCIATE, NULL, 8, 0, 0, &n)", 10014),
    "associate, wild": ("ioc(s, ASSOCIATE, nowhere(), 8, 0, 0, &n)", 10014),
    # 6: the operation
    "count 0": ("(r = ports(27144, 0), "
                "ioc(s, ACQUIRE, &r, 4, &other, 16, &n))", 10022),
    "past 65535": ("(r = ports(65530, 7), "
                   "ioc(s, ACQUIRE, &r, 4, &other, 16, &n))", 10022),
    "overlap": ("(r = ports(27143, 2), "
                "ioc(s, ACQUIRE, &r, 4, &other, 16, &n))", 10048),
    "token 0": ("(i.Token = 0, ioc(s, RELEASE, &i.Token, 8, 0, 0, &n))", 10022),
    "unknown token":
        ("(i.Token += 1000, ioc(s, ASSOCIATE, &i.Token, 8, 0, 0, &n))", 10022),
    "unix socket": ("ioc(socket(AF_UNIX, SOCK_STREAM, 0), ACQUIRE, &r, 4, "
                    "&other, 16, &n)", 10045),
    "extension function, short":
        ("ioc(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &r, 4, &other, 16, &n)",
         10014),
    "extension function, unknown":
        ("ioc(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &other, 16, &other, 16, &n)",
         10022),
    "affinity, short": ("ioc(s, SIO_CPU_AFFINITY, &r, 1, 0, 0, &n)", 10014),
    "route, no address":
        ("ioc(s, SIO_ROUTING_INTERFACE_QUERY, NULL, 0, &other, 16, &n)", 10014),
    "route, short address":
        ("ioc(s, SIO_ROUTING_INTERFACE_QUERY, "
         "&(struct sockaddr_in){.sin_family = AF_INET}, 15, &other, 16, &n)", 10014),
    "route, short output":
        ("ioc(s, SIO_ROUTING_INTERFACE_QUERY, &(struct sockaddr_in){.sin_family = "
         "AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, 16, &other, 15, &n)",
         10014),
    "route, no family":
        ("ioc(s, SIO_ROUTING_INTERFACE_QUERY, "
         "&(struct sockaddr_in){.sin_family = 99}, 16, &other, 16, &n)", 10047),
    "FIONBIO, short": ("ioc(s, FIONBIO, &r, 3, 0, 0, &n)", 10014),
    "FIONBIO, NULL": ("ioc(s, FIONBIO, NULL, 4, 0, 0, &n)", 10014),
    "FIONBIO, wild": ("ioc(s, 0x8004667e, nowhere(), 8, 0, 0, &n)", 10014),
    "FIONREAD, short": ("ioc(s, FIONREAD, 0, 0, &other, 3, &n)", 10014),
    "FIONREAD, NULL": ("ioc(s, 0x4004667f, 0, 0, NULL, 4, &n)", 10014),
    "FIONREAD, read-only":
        ("ioc(s, FIONREAD, 0, 0, read_only(), 4, &n)", 10014),
    "keepalive, short": ("ioc(s, SIO_KEEPALIVE_VALS, &i, 11, 0, 0, &n)", 10014),
    "keepalive, NULL": ("ioc(s, SIO_KEEPALIVE_VALS, NULL, 12, 0, 0, &n)", 10014),
    "keepalive, UDP": ("ioc(socket(AF_INET, SOCK_DGRAM, 0), "
                       "SIO_KEEPALIVE_VALS, (DWORD[]){1, 1, 1}, 12, 0, 0, &n)",
                       10045),
    "overlapped wild":
        ("ioc_over(s, ACQUIRE, &r, 4, &other, 16, &n, nowhere())", 10014),
    "overlapped read-only":
        ("ioc_over(s, ACQUIRE, &r, 4, &other, 16, &n, read_only())", 10014),
    "overlapped, event no handle":
        ("ioc_over(s, ACQUIRE, &r, 4, &other, 16, &n, "
         "&(WSAOVERLAPPED){.hEvent = (HANDLE)0x1234})", 6),
    "overlapped, bytes NULL":
        ("ioc_over(s, ACQUIRE, &r, 4, &other, 16, NULL, &(WSAOVERLAPPED){0})",
         10014),
    "overlapped, unknown code":
        ("ioc_over(s, 1, &r, 4, &other, 16, &n, nowhere())", 10045),
    "overlapped wild, short input":
        ("ioc_over(s, ACQUIRE, &r, 3, &other, 16, &n, nowhere())", 10014),
    "overlapped, overlap":
        ("(r = ports(27143, 2), ioc_over(s, ACQUIRE, &r, 4, &other, 16, &n, "
         "&(WSAOVERLAPPED){0}))", 10048),
    "other protocol": ("ioc(socket(AF_INET, SOCK_DGRAM, 0), RELEASE, &i.Token, "
                       "8, 0, 0, &n)", 10022),
}


@pytest.mark.parametrize("call", ["WSAIoctl", "WSPIoctl"])
@pytest.mark.parametrize("name", BAD)
def test_bad_calls(run_c, name, call):
    expression, code = BAD[name]
    if call == "WSPIoctl":
        expression = expression.replace("ioc", "spi")
    said = run_c(SETUP + rf"""
	int file = open("/dev/null", O_RDONLY);
	uint64_t token;

	started();
	say("held", ioc(s, ACQUIRE, &r, 4, &i, 16, &n));
	token = i.Token;
	r = ports(27144, 4);
	n = 77;
	say("answer", {expression});
	say("bytes", n);
	say("output untouched", other.Token == 0 && other.StartPort == 0);
	/* Nothing was half acquired, and what was held still is. */
	r = ports(27144, 4);
	say("free", ioc(s, ACQUIRE, &r, 4, &i, 16, &m));
	say("release", ioc(s, RELEASE, &token, 8, NULL, 0, &m));
	""")
    untouched = "bytes NULL" in name or "bytes wild" in name \
        or "bytes read-only" in name
    assert said == {"held": 0, "answer": code, "bytes": 77 if untouched else 0,
                    "output untouched": 1, "free": 0, "release": 0}


def test_which_address_goes_there(run_c):
    """SIO_ROUTING_INTERFACE_QUERY, whatever the socket's family and protocol."""
    said = run_c(SETUP + r"""
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(5)}, me;
	struct sockaddr_in6 six = {.sin6_family = AF_INET6}, mine;

	started();
	four.sin_addr.s_addr = htonl(0x7f000105);
	say("IPv4", ioc(s, SIO_ROUTING_INTERFACE_QUERY, &four, sizeof(four), &me,
			sizeof(me), &n));
	say("bytes", n);
	say("the address", me.sin_family == AF_INET && me.sin_port == 0 &&
		me.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	six.sin6_addr.s6_addr[15] = 1;
	say("IPv6", ioc(s, SIO_ROUTING_INTERFACE_QUERY, &six, sizeof(six), &mine,
			sizeof(mine), &n));
	say("its bytes", n);
	say("itself", mine.sin6_family == AF_INET6 && mine.sin6_port == 0 &&
		IN6_IS_ADDR_LOOPBACK(&mine.sin6_addr));
	""")
    assert said == {"IPv4": 0, "bytes": 16, "the address": 1, "IPv6": 0,
                    "its bytes": 28, "itself": 1}


def test_good_calls(run_c):
    said = run_c(SETUP + r"""
	SOCKET user = tcp();
	struct sockaddr_in name = {.sin_family = AF_INET};
	int size = sizeof(name);
	char out[16];
	/* The buffer may be both; the code, a sign-extended int. */
	union {
		INET_PORT_RANGE in;
		INET_PORT_RESERVATION_INSTANCE out;
	} both = {.in = ports(27150, 3)};

	memset(out, 'x', sizeof(out));
	started();
	errno = 12345;
	say("acquire", ioc(s, (unsigned long)(int)ACQUIRE, &both, sizeof(both),
			   &both, sizeof(both), &n));
	say("bytes", n);
	say("start", ntohs(both.out.StartPort));
	say("count", both.out.NumberOfPorts);
	say("token", both.out.Token != 0);
	say("associate", ioc(user, ASSOCIATE, &both.out.Token, 8, out, 16, &n));
	say("its bytes", n);
	say("errno", errno);
	bind(user, (struct sockaddr *)&name, sizeof(name));
	getsockname(user, (struct sockaddr *)&name, &size);
	say("inside", ntohs(name.sin_port) / 3 == 27150 / 3);
	say("release", ioc(s, RELEASE, &both.out.Token, 8, out, 16, &n));
	say("bytes of release", n);
	say("output", out[0] == 'x' && out[15] == 'x');
	say("errno again", errno);
	say("once more", ioc(s, RELEASE, &both.out.Token, 8, out, 16, &n));
	""")
    assert said == {
        "acquire": 0, "bytes": 16, "start": 27150, "count": 3, "token": 1,
        "associate": 0, "its bytes": 0, "errno": 12345, "inside": 1,
        "release": 0, "bytes of release": 0, "output": 1,
        "errno again": 12345, "once more": 10022,
    }


def test_closesocket(run_c):
    said = run_c(r"""
	SOCKET s = tcp();
	int file = open("/dev/null", O_RDONLY);

	errno = 12345;
	say("ok", closesocket(s));
	say("errno", errno);
	say("again", closesocket(s));
	say("its error", WSAGetLastError());
	say("file", closesocket(file));
	say("error of file", WSAGetLastError());
	say("file is open", fcntl(file, F_GETFD) >= 0);
	s = tcp();
	say("past int", closesocket(s + (1ul << 32)));
	say("error past int", WSAGetLastError());
	say("INVALID_SOCKET", closesocket(INVALID_SOCKET));
	say("its error too", WSAGetLastError());
	say("socket is open", closesocket(s));
	""")
    assert said == {
        "ok": 0, "errno": 12345, "again": -1, "its error": 10038,
        "file": -1, "error of file": 10038, "file is open": 1,
        "past int": -1, "error past int": 10038,
        "INVALID_SOCKET": -1, "its error too": 10038, "socket is open": 0,
    }


def test_closesocket_frees_the_block(run_c):
    said = run_c(SETUP + r"""
	SOCKET second = tcp();

	started();
	say("first", ioc(s, ACQUIRE, &r, 4, &i, 16, &n));
	say("second", ioc(second, ACQUIRE, &r, 4, &i, 16, &n));
	say("close", closesocket(s));
	say("now", ioc(second, ACQUIRE, &r, 4, &i, 16, &n));
	""")
    assert said == {"first": 0, "second": 10048, "close": 0, "now": 0}


def test_the_first_of_several_errors(run_c):
    """The rows of docs/winsock.md from 6 on: each call has the next row's
    mistake too. The table above has the earlier ones."""
    said = run_c(SETUP + r"""
	WSAOVERLAPPED o = {0};
	int e = 0;

	started();
	s0 = s;
	WSAIoctl(s, ACQUIRE, &r, 4, &i, 16, &n, &o, inside);
	SleepEx(INFINITE, TRUE);
	say("6 before 7", in_routine);
	say("not in the way of others", of_others);
#define BAD_THREAD(in_size) (WSPIoctl(s, ACQUIRE, &r, in_size, &other, 16, \
	&n, &o, inside, nowhere(), &e) ? e : 0)
	r = ports(27144, 0);
	say("7 before 8", BAD_THREAD(3));
	say("8 before 9", BAD_THREAD(4));
	say("bytes", n);
	say("9", spi(s, ACQUIRE, &r, 4, &other, 16, &n));
	say("no place for it", WSPIoctl(s, ACQUIRE, &r, 4, &other, 16, &n,
					NULL, NULL, NULL, NULL));
	say("wild place", WSPIoctl(s, ACQUIRE, &r, 4, &other, 16, &n, NULL,
				   NULL, NULL, nowhere()));
	say("nothing queued", SleepEx(0, TRUE));
	""", before=r"""
static SOCKET s0;
static int in_routine, of_others;

static void CALLBACK inside(DWORD error, DWORD bytes, LPWSAOVERLAPPED o,
			    DWORD flags)
{
	DWORD yes = 1;

	(void)error, (void)bytes, (void)o, (void)flags;
	in_routine = ioc(s0, ACQUIRE, NULL, 0, NULL, 0, &bytes);
	of_others = ioc(s0, FIONBIO, &yes, 4, NULL, 0, &bytes);
}
""")
    assert said == {
        "6 before 7": 10036, "not in the way of others": 0,
        "7 before 8": 10022, "8 before 9": 10014, "bytes": 0, "9": 10022,
        "no place for it": -1, "wild place": -1, "nothing queued": 0,
    }
