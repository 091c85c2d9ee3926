# SPDX-License-Identifier: MIT
"""For tests of requests that are not waited for: a beginning of
main, a routine, a pool that is busy while the test wants it."""

import fcntl
import os

import pytest

from kits.csource import program_text

OVERLAPPED = r"""
	SOCKET s = tcp();
	INET_PORT_RANGE r = ports(27160, 4);
	INET_PORT_RESERVATION_INSTANCE i = {0};
	WSAOVERLAPPED o = {0};
	DWORD n = 77, flags = 9;
	started();
"""

ROUTINE = r"""
static int called;
static DWORD routine_error, routine_bytes;
static int inside, overlapped_inside;
static SOCKET inner;

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED o,
			     DWORD flags)
{
	INET_PORT_RANGE r = ports(27170, 1);
	INET_PORT_RESERVATION_INSTANCE i;
	static WSAOVERLAPPED other;
	DWORD n;

	called += o != NULL && flags == 0;
	routine_error = error;
	routine_bytes = bytes;
	inside = ioc(inner, ACQUIRE, &r, 4, &i, 16, &n);
	overlapped_inside = over_buffers(inner, &other, &r, &i, &n);
}
"""


@pytest.fixture
def busy(compile_program, start, under):
    """busy(body) -> a program that is at its first "ready" line, its pool
    open; then pool_held() makes it busy."""

    def busy(body, before=""):
        program = compile_program(program_text(OVERLAPPED + r"""
	setvbuf(stdout, NULL, _IOLBF, 0);
	closesocket(s);
	s = tcp();
	INET_PORT_RANGE first = ports(27180, 1);
	ioc(tcp(), ACQUIRE, &first, 4, &i, 16, &n);
	memset(&i, 0, sizeof i);
	say("ready", 0);
	getchar();
""" + body, before), "busy", flags=["-pthread", "-D_GNU_SOURCE"])
        running = start([*under, program])
        assert running.line() == "ready 0"
        return running

    return busy


@pytest.fixture
def pool_held(pool):
    class Held:
        def __enter__(self):
            path, = pool.glob("pool-*")
            self.fd = os.open(path, os.O_RDWR)
            fcntl.flock(self.fd, fcntl.LOCK_EX)

        def __exit__(self, *_):
            os.close(self.fd)

    return Held()


def says(program, *lines):
    for line in lines:
        assert program.line() == line
