# SPDX-License-Identifier: MIT
"""Requests that find the pool busy: pending, cancelled, done by the worker."""

import os
import select

import pytest

from kits.overlapped import ROUTINE, says
from kits.real import until

PEND = r"""
	o.hEvent = WSACreateEvent();
	say("acquire", over_buffers(s, &o, &r, &i, &n));
	say("bytes", n);
	say("completed", HasOverlappedIoCompleted(&o));
	say("result", WSAGetOverlappedResult(s, &o, &n, FALSE, &flags));
	say("its code", WSAGetLastError());
	say("event", WSAWaitForMultipleEvents(1, &o.hEvent, TRUE, 0, FALSE));
	getchar();
"""
PENDING = ["acquire 997", "bytes 0", "completed 0", "result 0", "its code 996",
           "event 258"]


def test_pending_until_the_pool_is_free(busy, pool_held):
    program = busy(PEND + r"""
	say("waited", WSAGetOverlappedResult(s, &o, &n, TRUE, &flags));
	say("bytes", n);
	say("event", WSAWaitForMultipleEvents(1, &o.hEvent, TRUE, 0, FALSE));
	say("start", ntohs(i.StartPort));
	say("held", ioc(tcp(), ACQUIRE, &r, 4, &i, 16, &n));
	getchar();
	""")
    with pool_held:
        program.tell("")
        says(program, *PENDING)
    program.tell("")
    says(program, "waited 1", "bytes 16", "event 0", "start 27160",
         "held 10048")
    until(lambda: len(os.listdir(f"/proc/{program.pid}/task")) == 1,
          "the worker stays, without a request")


@pytest.mark.parametrize("how, answers", [
    ("closesocket(s)", [0]),
    ("close(s)", [0]),
    ("CancelIo((HANDLE)s)", [1]),
    ("CancelIoEx((HANDLE)s, &o)", [1]),
    ("CancelIoEx((HANDLE)s, NULL)", [1]),
    ("WSACleanup()", [0]),
])
def test_cancelled(busy, pool_held, how, answers):
    program = busy(PEND + rf"""
	say("how", {how});
	SOCKET other = tcp();
	say("event", WaitForSingleObject(o.hEvent, INFINITE));
	say("Internal", o.Internal);
	say("bytes", o.InternalHigh);
	started();
	say("result", WSAGetOverlappedResult(other, &o, &n, TRUE, &flags));
	say("code", WSAGetLastError());
	say("nothing to cancel", CancelIoEx((HANDLE)other, NULL));
	say("code", WSAGetLastError());
	say("no socket", CancelIo((HANDLE)4000));
	say("code", WSAGetLastError());
	getchar();
	say("free", ioc(other, ACQUIRE, &r, 4, &i, 16, &n));
	""")
    with pool_held:
        program.tell("")
        says(program, *PENDING)
        program.tell("")
        says(program, *[f"how {a}" for a in answers], "event 0",
             "Internal 995", "bytes 0", "result 0", "code 995",
             "nothing to cancel 0", "code 1168", "no socket 0", "code 6")
    program.tell("")
    says(program, "free 0")


def test_closed_between_two_looks_at_the_socket(busy, pool_held):
    """By close(), in the moment in which the worker has asked whether it still is the
    socket that it was."""
    program = busy(PEND + r"""
	armed = 1;
	say("event", WaitForSingleObject(o.hEvent, INFINITE));
	say("Internal", o.Internal);
	say("armed", armed);
	""", before=r"""
#include <sys/syscall.h>

static volatile int armed;

int looked_at(int, int, int, void *, unsigned int *) __asm__("getsockopt");

int looked_at(int fd, int level, int name, void *value, unsigned int *size)
{
	long r = syscall(SYS_getsockopt, fd, level, name, value, size);

	if (armed && name == SO_COOKIE) {
		armed = 0;
		close(fd);
	}
	return (int)r;
}
""")
    with pool_held:
        program.tell("")
        says(program, *PENDING)
        program.tell("")
        says(program, "event 0", "Internal 995", "armed 0")


def test_others_requests_are_not_cancelled(busy, pool_held):
    program = busy(PEND + r"""
	SOCKET other = tcp();
	WSAOVERLAPPED p = {0};
	pthread_t thread;
	void *its;
	say("other socket", CancelIo((HANDLE)other));
	say("other structure", CancelIoEx((HANDLE)s, &p));
	pthread_create(&thread, NULL, cancel_all, (void *)s);
	pthread_join(thread, &its);
	say("other thread", (long)its);
	closesocket(other);
	say("completed", HasOverlappedIoCompleted(&o));
	getchar();
	say("waited", WSAGetOverlappedResult(s, &o, &n, TRUE, &flags));
	""", before=r"""
static void *cancel_all(void *s)
{
	return (void *)(long)CancelIo(s);
}
""")
    with pool_held:
        program.tell("")
        says(program, *PENDING)
        program.tell("")
        says(program, "other socket 1", "other structure 0", "other thread 1",
             "completed 0")
    program.tell("")
    says(program, "waited 1")


def test_a_routine_learns_how_a_pending_request_ended(busy, pool_held):
    program = busy(r"""
	SOCKET second = tcp();
	WSAOVERLAPPED p = {0};
	INET_PORT_RESERVATION_INSTANCE j;
	inner = tcp();
	say("one", WSAIoctl(s, ACQUIRE, &r, 4, &i, 16, &n, &o, routine));
	say("code", WSAGetLastError());
	r = ports(27163, 2);
	say("two", WSAIoctl(second, ACQUIRE, &r, 4, &j, 16, &n, &p, routine));
	say("code", WSAGetLastError());
	say("no routine yet", SleepEx(1, TRUE));
	say("go", 0);
	getchar();
	while (called < 2)
		say("slept", SleepEx(INFINITE, TRUE) == 0xc0 ? 0 : 1);
	say("first", o.Internal);
	say("second", p.Internal);
	say("routine", routine_error);
	""", before=ROUTINE)
    with pool_held:
        program.tell("")
        says(program, "one -1", "code 997", "two -1", "code 997",
             "no routine yet 0", "go 0")
    program.tell("")
    assert program.line() == "slept 0"
    line = program.line()
    if line == "slept 0":  # one by one
        line = program.line()
    assert line == "first 0"
    says(program, "second 10048", "routine 10048")


def test_five_seconds_are_the_end(busy, pool_held):
    program = busy(PEND + r"""
	say("event", WaitForSingleObject(o.hEvent, INFINITE));
	say("result", WSAGetOverlappedResult(s, &o, &n, TRUE, &flags));
	say("code", WSAGetLastError());
	""")
    with pool_held:
        program.tell("")
        says(program, *PENDING)
        program.tell("")
        says(program, "event 0", "result 0", "code 10050")


def test_a_blocking_call_is_interrupted(busy, pool_held):
    """By a handler without SA_RESTART; one with it is not noticed."""
    program = busy(r"""
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGUSR1, &action, NULL);
	say("go", 0);
	say("code", ioc(s, ACQUIRE, &r, 4, &i, 16, &n));
	say("errno", errno == EINTR);
	""", before="#include <signal.h>\nstatic void on_signal(int n) { (void)n; }\n")
    with pool_held:
        program.tell("")
        says(program, "go 0")
        while True:
            program.popen.send_signal(10)
            if select.select([program.popen.stdout], [], [], 0.05)[0]:
                break
        says(program, "code 10004", "errno 1")


def test_fork_with_a_pending_request(busy, pool_held):
    program = busy(PEND + r"""
	if (fork() == 0) {
		HANDLE event = WSACreateEvent();
		WSAOVERLAPPED p = {.hEvent = event};
		closesocket(s);
		say("in the child", o.Internal == STATUS_PENDING);
		r = ports(27190, 1);
		s = tcp();
		say("its own", over_buffers(s, &p, &r, &i, &n));
		getchar();
		say("done", WSAGetOverlappedResult(s, &p, &n, TRUE, &flags));
		_exit(0);
	}
	pause();
	""")
    with pool_held:
        program.tell("")
        says(program, *PENDING)
        program.tell("")
        says(program, "in the child 1", "its own 997")
    program.tell("")
    says(program, "done 1")
