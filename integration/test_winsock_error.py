# SPDX-License-Identifier: MIT
"""errno and WSAGetLastError are one error; WSAStartup negotiates."""

import errno
import re


# errno names that Winsock has under WSA and the same name
SAME = {
    "EINTR": 4, "EACCES": 13, "EFAULT": 14, "EINVAL": 22, "EMFILE": 24,
    "EWOULDBLOCK": 35, "EINPROGRESS": 36, "EALREADY": 37, "ENOTSOCK": 38,
    "EDESTADDRREQ": 39, "EMSGSIZE": 40, "EPROTOTYPE": 41, "ENOPROTOOPT": 42,
    "EPROTONOSUPPORT": 43, "ESOCKTNOSUPPORT": 44, "EOPNOTSUPP": 45,
    "EPFNOSUPPORT": 46, "EAFNOSUPPORT": 47, "EADDRINUSE": 48,
    "EADDRNOTAVAIL": 49, "ENETDOWN": 50, "ENETUNREACH": 51, "ENETRESET": 52,
    "ECONNABORTED": 53, "ECONNRESET": 54, "ENOBUFS": 55, "EISCONN": 56,
    "ENOTCONN": 57, "ESHUTDOWN": 58, "ETOOMANYREFS": 59, "ETIMEDOUT": 60,
    "ECONNREFUSED": 61, "ELOOP": 62, "ENAMETOOLONG": 63, "EHOSTDOWN": 64,
    "EHOSTUNREACH": 65, "ENOTEMPTY": 66, "EUSERS": 68, "EDQUOT": 69,
    "ESTALE": 70, "EREMOTE": 71,
}
# the others: the closest that Winsock has
CLOSEST = {
    "EPERM": 10013, "EBADF": 10038, "ENFILE": 10024, "EAGAIN": 10035,
    "ENOTSUP": 10045, "ENOSYS": 10045, "ENOMEM": 10055, "ENOSPC": 10055,
    "EPIPE": 10058, "ENONET": 10050, "ECANCELED": 995, "EDOM": 10022,
}


def test_errno_translated(run_c):
    want = {name: 10000 + number for name, number in SAME.items()} | CLOSEST
    said = run_c("".join(
        f'\terrno = {name};\n\tsay("{name}", WSAGetLastError());\n'
        f'\tsay("{name} stays", errno);\n' for name in want)
        + '\terrno = 0;\n\tsay("none", WSAGetLastError());\n')
    stays = {f"{name} stays": getattr(errno, name) for name in want}
    assert said == want | stays | {"none": 0}


def test_every_code_can_be_set(run_c):
    """Also those that no errno stands for: 10093 and 87 for instance."""
    codes = [*range(0, 1200), *range(10000, 10120), *range(11001, 11040), -1]
    said = run_c("".join(
        f'\tWSASetLastError({code});\n\tsay("{code}", WSAGetLastError());\n'
        for code in codes))
    assert said == {str(code): code for code in codes}


def test_every_number_has_its_words(run_c, build):
    """All that winerror.h has are told, but WSABASEERR, which is none."""
    text = (build / "include/winerror.h").read_text()
    found = re.findall(r"^#define (\w+) (\d+)u?$", text, re.M)
    names = {name for name, _ in found if not name.startswith(("FACILITY", "WSABASE"))}
    assert {"ERROR_NETNAME_DELETED", "WAIT_TIMEOUT", "WSAEFAULT", "WSANO_DATA"} <= names
    said = run_c("\tchar text[200];\n" + "".join(
        f'\tsay("{name}", FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, {name}, 0,'
        " text, sizeof text, NULL) > 5);\n" for name in sorted(names)),
        before="#include <windows.h>\n")
    assert said == dict.fromkeys(names, 1)


def test_set_sets_errno_as_well(run_c):
    said = run_c("".join(
        f'\tWSASetLastError(WSA{name});\n\tsay("{name}", errno == {name});\n'
        for name in SAME)
        + '\tWSASetLastError(0);\n\tsay("none", errno);\n'
        + '\tWSASetLastError(WSANOTINITIALISED);\n\tsay("other", errno != 0);\n')
    assert said == dict.fromkeys(SAME, 1) | {"none": 0, "other": 1}


def test_a_later_failure_wins(run_c):
    """The kernel knows nothing of the code beside errno."""
    said = run_c(r"""
	WSASetLastError(WSANOTINITIALISED);
	close(-1);
	say("kernel", WSAGetLastError());
	WSASetLastError(WSA_INVALID_PARAMETER);
	say("kept", WSAGetLastError());
	say("by a successful call", close(dup(1)) + WSAGetLastError());
	started();
	say("by WSAStartup", WSAGetLastError());
	WSASetLastError(WSAEBADF);
	say("another name of EBADF", WSAGetLastError());
	closesocket(4000);
	say("ours, with the same errno", WSAGetLastError());
	""")
    assert said == {"kernel": 10038, "kept": 87, "by a successful call": 87,
                    "by WSAStartup": 87, "another name of EBADF": 10009,
                    "ours, with the same errno": 10038}


def test_one_error_a_thread(compile_program, run):
    program = compile_program(r"""
#include <winsock2.h>
#include <pthread.h>

static void *other(void *unused)
{
	(void)unused;
	WSASetLastError(WSAEDISCON);
	return (void *)(long)WSAGetLastError();
}

int main(void)
{
	pthread_t thread;
	void *its;

	WSASetLastError(WSANOTINITIALISED);
	if (pthread_create(&thread, NULL, other, NULL) ||
	    pthread_join(thread, &its))
		return 1;
	return (long)its == WSAEDISCON &&
	       WSAGetLastError() == WSANOTINITIALISED ? 42 : 2;
}
""", "threads", flags=["-pthread"])
    assert run(program).returncode == 42


def test_startup(run_c):
    versions = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (2, 3), (3, 0),
                (0, 0), (0, 5)]
    said = run_c("\tWSADATA d;\n" + "".join(f"""
	memset(&d, 'x', sizeof(d));
	say("{major}.{minor}", WSAStartup(MAKEWORD({major}, {minor}), &d));
	say("{major}.{minor} version", d.wVersion);
	say("{major}.{minor} high", d.wHighVersion);
	say("{major}.{minor} sockets", d.iMaxSockets);
	say("{major}.{minor} texts", !strcmp(d.szDescription, "WinSock 2.0") &&
	    !strcmp(d.szSystemStatus, "Running"));
	""" for major, minor in versions) + r"""
	say("NULL", WSAStartup(MAKEWORD(2, 2), NULL));
	say("wild", WSAStartup(MAKEWORD(2, 2), nowhere()));
	say("0 and NULL", WSAStartup(0, NULL));
	for (int i = 0; i < 8; i++)
		if (WSACleanup())
			say("too few starts", i);
	say("too many starts", WSACleanup());
	""")
    agreed = {(1, 0): 0x001, (1, 1): 0x101, (1, 2): 0x101, (2, 0): 0x002,
              (2, 1): 0x102}
    want = {"NULL": 10014, "wild": 10014, "0 and NULL": 10092,
            "too many starts": -1}
    for major, minor in versions:
        key = f"{major}.{minor}"
        want[key] = 10092 if major == 0 else 0
        want[f"{key} version"] = agreed.get((major, minor), 0x202)
        want[f"{key} high"] = 0x202
        want[f"{key} sockets"] = 32767 if major == 1 else 0
        want[f"{key} texts"] = 1
    assert said == want


BLOCK_OF_ONE = r"""
	started();
	SOCKET owner = tcp(), x = tcp(), y = tcp(), z = tcp();
	INET_PORT_RANGE wanted = ports(26500, 1);
	INET_PORT_RESERVATION_INSTANCE block;
	DWORD bytes;
	struct sockaddr_in at = { .sin_family = AF_INET };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	say("acquire", ioc(owner, ACQUIRE, &wanted, sizeof wanted, &block,
			   sizeof block, &bytes));
	at.sin_port = htons(26500);
	say("refused", bind(x, (void *)&at, sizeof at));
	say("refused errno", errno);
	say("refused code", WSAGetLastError());
	at.sin_port = 0;
	say("associate", ioc(x, ASSOCIATE, &block.Token, 8, NULL, 0, &bytes));
	say("inside", bind(x, (void *)&at, sizeof at));
	say("associate", ioc(y, ASSOCIATE, &block.Token, 8, NULL, 0, &bytes));
	say("full", bind(y, (void *)&at, sizeof at));
	say("full errno", errno);
	say("full code", WSAGetLastError());
	at.sin_port = htons(26500);
	say("taken", bind(y, (void *)&at, sizeof at));
	say("taken code", WSAGetLastError());
"""


def test_one_errno_three_codes(run_c):
    """Refused by a reservation, a full block, and the kernel's own in-use."""
    assert run_c(BLOCK_OF_ONE) == {
        "acquire": 0,
        "refused": -1, "refused errno": errno.EADDRINUSE, "refused code": 10013,
        "associate": 0,
        "inside": 0,
        "full": -1, "full errno": errno.EADDRINUSE, "full code": 10055,
        "taken": -1, "taken code": 10048,
    }
