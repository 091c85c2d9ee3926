# SPDX-License-Identifier: MIT
"""Requests that are not waited for: events, routines, a busy pool."""

import fcntl
import os
import select

import pytest

from csource import program_text, run_c  # noqa: F401 (a fixture)

OVERLAPPED = r"""
	SOCKET s = tcp();
	INET_PORT_RANGE r = ports(27160, 4);
	INET_PORT_RESERVATION_INSTANCE i = {0};
	WSAOVERLAPPED o = {0};
	DWORD n = 77, flags = 9;
	started();
"""


def test_immediate_success_sets_the_event(run_c):  # noqa: F811
    said = run_c(OVERLAPPED + r"""
	o.hEvent = WSACreateEvent();
	o.Internal = 5;
	WSASetEvent(o.hEvent);
	/* A mark in the lowest bit is not part of the handle. */
	HANDLE event = o.hEvent;
	o.hEvent = (HANDLE)((ULONG_PTR)event | 1);
	errno = 4321;
	say("acquire", over_buffers(s, &o, &r, &i, &n));
	say("errno", errno);
	say("bytes", n);
	say("token", i.Token != 0);
	say("Internal", o.Internal);
	say("InternalHigh", o.InternalHigh);
	say("completed", HasOverlappedIoCompleted(&o));
	say("event", WSAWaitForMultipleEvents(1, &event, TRUE, 0, FALSE));
	n = 0;
	say("result", WSAGetOverlappedResult(s, &o, &n, FALSE, &flags));
	say("its bytes", n);
	say("its flags", flags);
	say("fails at once", over_buffers(s, &o, &r, &i, &n));
	say("and does not set it", WSAWaitForMultipleEvents(1, &event, TRUE, 0, 0));
	say("close", WSACloseEvent(event));
	""")
    assert said == {
        "acquire": 0, "errno": 4321, "bytes": 16, "token": 1, "Internal": 0,
        "InternalHigh": 16, "completed": 1, "event": 0, "result": 1,
        "its bytes": 16, "its flags": 0, "fails at once": 10048,
        "and does not set it": 258, "close": 1,
    }


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


def test_a_routine_runs_in_an_alertable_wait_only(run_c):  # noqa: F811
    said = run_c(OVERLAPPED + r"""
	/* It makes the event ignored, even one that is none. */
	o.hEvent = (HANDLE)0x1234;
	inner = tcp();
	say("acquire", WSAIoctl(s, ACQUIRE, &r, 4, &i, 16, &n, &o, routine));
	say("bytes", n);
	say("not inside", called);
	say("plain wait", SleepEx(1, FALSE));
	say("still not", called);
	say("alertable", SleepEx(INFINITE, TRUE));
	say("called", called);
	say("error", routine_error);
	say("its bytes", routine_bytes);
	say("blocking inside", inside);
	say("overlapped inside", overlapped_inside);
	say("once", SleepEx(0, TRUE));
	""", before=ROUTINE)
    assert said == {
        "acquire": 0, "bytes": 16, "not inside": 0, "plain wait": 0,
        "still not": 0, "alertable": 0xC0, "called": 1, "error": 0,
        "its bytes": 16, "blocking inside": 10036, "overlapped inside": 0,
        "once": 0,
    }


def test_which_sockets_are_overlapped(run_c):  # noqa: F811
    said = run_c(OVERLAPPED + r"""
	SOCKET plain = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);
	SOCKET flagged = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0,
				    WSA_FLAG_OVERLAPPED |
				    WSA_FLAG_NO_HANDLE_INHERIT);
	o.Internal = 5;
	say("plain", over_buffers(plain, &o, &r, &i, &n));
	say("untouched", o.Internal);
	say("not looked at", over_buffers(plain, nowhere(), &r, &i, &n));
	r = ports(27166, 1);
	say("flagged", over_buffers(flagged, &o, &r, &i, &n));
	say("filled in", o.InternalHigh);
	say("not inherited", fcntl(flagged, F_GETFD));
	closesocket(plain);
	say("same number", tcp() == plain);
	say("is overlapped", over_buffers(plain, nowhere(), &r, &i, &n));
	WSAPROTOCOL_INFOA info = {.iAddressFamily = AF_INET,
		.iSocketType = SOCK_DGRAM, .iProtocol = IPPROTO_UDP};
	flagged = WSASocketA(-1, -1, -1, &info, 0, 0);
	int type, size = sizeof type;
	getsockopt(flagged, SOL_SOCKET, SO_TYPE, &type, &size);
	say("of the structure", type == SOCK_DGRAM);
	say("bad flags", WSASocketA(AF_INET, SOCK_STREAM, 0, 0, 0, 2) == ~0ul);
	say("their code", WSAGetLastError());
	say("bad info", WSASocketA(-1, -1, -1, nowhere(), 0, 0) == ~0ul);
	say("its code", WSAGetLastError());
	WSACleanup();
	say("not started", WSASocketW(2, 1, 0, 0, 0, 1) == INVALID_SOCKET);
	say("that code", WSAGetLastError());
	""")
    assert said == {
        "plain": 0, "untouched": 5, "not looked at": 10048, "flagged": 0,
        "filled in": 16, "not inherited": 1, "same number": 1,
        "is overlapped": 10014, "of the structure": 1,
        "bad flags": 1, "their code": 10022, "bad info": 1, "its code": 10014,
        "not started": 1, "that code": 10093,
    }


def test_events(run_c):  # noqa: F811
    said = run_c(r"""
	HANDLE e[3];
	say("before startup", WSACreateEvent() == NULL);
	say("its code", WSAGetLastError());
	say("wait before", WSAWaitForMultipleEvents(1, e, 0, 0, 0));
	started();
	e[0] = WSACreateEvent();
	e[1] = CreateEvent(NULL, FALSE, TRUE, NULL);
	e[2] = WSACreateEvent();
	say("one set", WSAWaitForMultipleEvents(3, e, FALSE, INFINITE, FALSE));
	say("reset itself", WSAWaitForMultipleEvents(3, e, FALSE, 0, FALSE));
	WSASetEvent(e[0]);
	WSASetEvent(e[2]);
	say("not all", WaitForMultipleObjects(3, e, TRUE, 1));
	say("the first", WaitForMultipleObjects(3, e, FALSE, 1));
	SetEvent(e[1]);
	say("all", WaitForMultipleObjects(3, e, TRUE, INFINITE));
	say("manual stays", WaitForSingleObject(e[0], INFINITE));
	WSAResetEvent(e[0]);
	say("until reset", WaitForSingleObjectEx(e[0], 0, TRUE));
	say("closed", CloseHandle(e[0]));
	say("wait for it", WaitForSingleObject(e[0], INFINITE));
	say("that code", WSAGetLastError());
	say("close again", WSACloseEvent(e[0]));
	say("code", WSAGetLastError());
	say("set", SetEvent(e[0]));
	say("set NULL", WSASetEvent(NULL));
	say("reset wild", WSAResetEvent((HANDLE)0x123456789abcdef0));
	say("reset -1", ResetEvent(INVALID_HANDLE_VALUE));
	say("none", WSAWaitForMultipleEvents(0, e, FALSE, 0, FALSE));
	say("none code", WSAGetLastError());
	say("many", WSAWaitForMultipleEvents(65, e, FALSE, 0, FALSE));
	say("many code", WSAGetLastError());
	say("wild", WSAWaitForMultipleEvents(2, nowhere(), FALSE, 0, FALSE));
	say("wild code", WSAGetLastError());
	say("named", CreateEventW(NULL, 0, 0, L"x") == NULL);
	say("named code", GetLastError());
	int made = 0;
	while (WSACreateEvent())
		made++;
	say("many can be made", made > 8000);
	say("then", WSAGetLastError());
	""")
    failed = 0xFFFFFFFF
    assert said == {
        "before startup": 1, "its code": 10093, "wait before": failed,
        "one set": 1, "reset itself": 258, "not all": 258, "the first": 0,
        "all": 0, "manual stays": 0, "until reset": 258, "closed": 1,
        "wait for it": failed, "that code": 6, "close again": 0, "code": 6,
        "set": 0, "set NULL": 0, "reset wild": 0, "reset -1": 0,
        "none": failed, "none code": 87, "many": failed, "many code": 87,
        "wild": failed, "wild code": 998, "named": 1, "named code": 50,
        "many can be made": 1, "then": 8,
    }


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
    # The worker was there for the request only.
    for _ in range(1000):
        tasks = os.listdir(f"/proc/{program.pid}/task")
        if len(tasks) == 1:
            break
        os.sched_yield()
    assert len(tasks) == 1


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


def test_results_of_bad_calls(run_c):  # noqa: F811
    said = run_c(OVERLAPPED + r"""
#define RESULT(s, o, n, f) \
	(WSAGetOverlappedResult(s, o, n, FALSE, f) ? 0 : WSAGetLastError())
	say("good", RESULT(s, &o, &n, &flags));
	say("no structure", RESULT(s, NULL, &n, &flags));
	say("no bytes", RESULT(s, &o, NULL, &flags));
	say("no flags", RESULT(s, &o, &n, NULL));
	say("wild structure", RESULT(s, nowhere(), &n, &flags));
	say("wild bytes", RESULT(s, &o, nowhere(), &flags));
	say("wild flags", RESULT(s, &o, &n, read_only()));
	say("no socket", RESULT(~0, &o, &n, &flags));
	o.Internal = STATUS_PENDING;
	say("pending", RESULT(s, &o, &n, &flags));
	o.Internal = 995;
	say("failed", RESULT(s, &o, &n, &flags));
	WSACleanup();
	say("not started", RESULT(s, NULL, &n, &flags));
	""")
    assert said == {
        "good": 0, "no structure": 87, "no bytes": 87, "no flags": 87,
        "wild structure": 10014, "wild bytes": 10014, "wild flags": 10014,
        "no socket": 10038, "pending": 996, "failed": 995, "not started": 10093,
    }


def test_no_thread_without_need(run_c):  # noqa: F811
    """Success at once needs no worker."""
    said = run_c(OVERLAPPED + r"""
	say("acquire", over_buffers(s, &o, &r, &i, &n));
	say("threads", system("test $(ls /proc/$PPID/task | wc -l) = 1"));
	""")
    assert said == {"acquire": 0, "threads": 0}
