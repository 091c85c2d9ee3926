# SPDX-License-Identifier: MIT
"""The service provider's side: WSPStartup, WSPIoctl, routines for threads."""


ROUTINES = r"""
static __thread int here;
static DWORD_PTR context;
static int error;
static _Atomic int runs; /* the last that a routine stores */

static void CALLBACK user(DWORD_PTR c)
{
	context = c;
	runs += here;
}

static void CALLBACK done(DWORD e, DWORD bytes, LPWSAOVERLAPPED o, DWORD flags)
{
	error = (int)(e + bytes + flags);
	runs += here + (o == NULL);
}

static WSATHREADID id;
static HANDLE named, go;

static void *other(void *unused)
{
	(void)unused;
	here = 1;
	WPUOpenCurrentThread(&id, NULL);
	SetEvent(named);
	SleepEx(INFINITE, TRUE);
	WaitForSingleObjectEx(go, INFINITE, TRUE);
	return NULL;
}
"""


def test_the_table(run_c):
    said = run_c(r"""
	WSPUPCALLTABLE up = {0};
	WSPPROC_TABLE table = {0};
	WSPDATA data;
	int e = 0;
	DWORD n = 5, f;
	INET_PORT_RANGE r = ports(27400, 2);
	INET_PORT_RESERVATION_INSTANCE i;
	struct sockaddr_in at = {.sin_family = AF_INET};
	WSAOVERLAPPED o = {0};
#define CODE(call) ((call) == -1 ? e : 0)
	say("version", WSPStartup(MAKEWORD(1, 1), &data, NULL, up, &table));
	say("no table", WSPStartup(MAKEWORD(2, 2), &data, NULL, up, NULL));
	say("no data", WSPStartup(MAKEWORD(2, 2), NULL, NULL, up, &table));
	say("startup", WSPStartup(MAKEWORD(2, 2), &data, NULL, up, &table));
	say("its version", data.wVersion);
	SOCKET s = table.lpWSPSocket(AF_INET, SOCK_STREAM, 0, NULL, 0, 1, &e);
	SOCKET t = table.lpWSPSocket(AF_INET, SOCK_STREAM, 0, NULL, 0, 0, &e);
	say("acquire", CODE(table.lpWSPIoctl(s, ACQUIRE, &r, 4, &i, 16, &n,
					     NULL, NULL, NULL, &e)));
	say("bytes", n);
	at.sin_port = htons(27400);
	say("refused", CODE(table.lpWSPBind(t, (void *)&at, sizeof at, &e)));
	say("associate", CODE(table.lpWSPIoctl(t, ASSOCIATE, &i.Token, 8, NULL,
					       0, &n, NULL, NULL, NULL, &e)));
	say("bind", CODE(table.lpWSPBind(t, (void *)&at, sizeof at, &e)));
	say("no socket", CODE(table.lpWSPBind(~0, (void *)&at, sizeof at, &e)));
	say("family", CODE((long)table.lpWSPSocket(99, 1, 0, NULL, 0, 1, &e)));
	say("flags", CODE((long)table.lpWSPSocket(2, 1, 0, NULL, 0, 2, &e)));
	say("result", table.lpWSPGetOverlappedResult(s, &o, &n, 0, &f, &e));
	say("none", table.lpWSPGetOverlappedResult(s, NULL, &n, 0, &f, &e));
	say("its code", e);
	say("close", CODE(table.lpWSPCloseSocket(s, &e)));
	say("close again", CODE(table.lpWSPCloseSocket(s, &e)));
	say("no place", table.lpWSPCloseSocket(s, NULL));
	say("wild place", table.lpWSPCloseSocket(s, nowhere()));
	say("cleanup", CODE(table.lpWSPCleanup(&e)));
	say("cleanup again", CODE(table.lpWSPCleanup(&e)));
	""")
    assert said == {
        "version": 10092, "no table": 10014, "no data": 10014, "startup": 0,
        "its version": 0x202, "acquire": 0, "bytes": 16, "refused": 10013,
        "associate": 0, "bind": 0, "no socket": 10038, "family": 10047,
        "flags": 10022, "result": 1, "none": 0, "its code": 87, "close": 0,
        "close again": 10038, "no place": -1, "wild place": -1, "cleanup": 0,
        "cleanup again": 10093,
    }


def test_routines_run_on_the_thread_that_was_named(run_c):
    said = run_c(r"""
	pthread_t thread;
	int e = 0;
	SOCKET s = tcp();
	INET_PORT_RANGE r = ports(27410, 2);
	INET_PORT_RESERVATION_INSTANCE i;
	WSAOVERLAPPED o = {0};
	DWORD n;
	started();
	named = WSACreateEvent();
	go = WSACreateEvent();
	pthread_create(&thread, NULL, other, NULL);
	WaitForSingleObject(named, INFINITE);
	say("queued", WPUQueueApc(&id, user, 1234, &e));
	say("acquire", WSPIoctl(s, ACQUIRE, &r, 4, &i, 16, &n, &o, done, &id,
				&e));
	say("nothing for us", SleepEx(0, TRUE));
	/* Both, or the second by the second wait. */
	while (runs < 2)
		sched_yield();
	SetEvent(go);
	pthread_join(thread, NULL);
	say("context", context);
	say("runs there", runs);
	say("error and bytes", error);
	say("to a thread that ended", WPUQueueApc(&id, user, 0, &e));
	say("code", e);
	say("close", WPUCloseThread(&id, &e));
	say("close again", WPUCloseThread(&id, &e));
	say("its code", e);
	""", before=ROUTINES)
    assert said == {
        "queued": 0, "acquire": 0, "nothing for us": 0, "context": 1234,
        "runs there": 2, "error and bytes": 16, "to a thread that ended": -1,
        "code": 10014, "close": 0, "close again": -1, "its code": 10014,
    }


def test_bad_threads(run_c):
    said = run_c(r"""
	SOCKET s = tcp();
	INET_PORT_RANGE r = ports(27420, 2);
	INET_PORT_RESERVATION_INSTANCE i;
	WSAOVERLAPPED o = {0};
	DWORD n;
	int e = 0;
#define IOCTL(thread) (WSPIoctl(s, ACQUIRE, &r, 4, &i, 16, &n, &o, done, \
				thread, &e) ? e : 0)
#define CODE(call) ((call) ? e : 0)
	started();
	id.ThreadHandle = WSACreateEvent();
	say("an event", IOCTL(&id));
	say("queue to it", CODE(WPUQueueApc(&id, user, 0, &e)));
	say("close it", CODE(WPUCloseThread(&id, &e)));
	say("wild", IOCTL((WSATHREADID *)nowhere()));
	say("queue wild", CODE(WPUQueueApc(nowhere(), user, 0, &e)));
	say("close wild", CODE(WPUCloseThread(NULL, &e)));
	say("open wild", CODE(WPUOpenCurrentThread(read_only(), &e)));
	say("no place", WPUOpenCurrentThread(NULL, NULL));
	say("open", CODE(WPUOpenCurrentThread(&id, &e)));
	say("no routine", CODE(WPUQueueApc(&id, NULL, 0, &e)));
	say("wait for it", WaitForSingleObject(id.ThreadHandle, 0) + 1);
	say("own", IOCTL(&id));
	say("runs", SleepEx(INFINITE, TRUE));
	r = ports(27430, 2);
	say("none is own", IOCTL(NULL));
	say("runs too", SleepEx(INFINITE, TRUE));
	""", before=ROUTINES)
    assert said == {
        "an event": 10014, "queue to it": 10014, "close it": 10014,
        "wild": 10014, "queue wild": 10014, "close wild": 10014,
        "open wild": 10014, "no place": -1, "open": 0, "no routine": 10014,
        "wait for it": 259, "own": 0, "runs": 0xC0, "none is own": 0,
        "runs too": 0xC0,
    }
