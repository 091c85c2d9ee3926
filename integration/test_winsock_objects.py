# SPDX-License-Identifier: MIT
"""A program and a shared object of its own, both built on the archive: one
Winsock where the linker joins them, two where it cannot; docs/winsock.md."""

import fcntl
import os
import subprocess

import pytest

import checkers
from kits.overlapped import says

LIBRARY = r"""
#include <winsock2.h>
#include <mstcpip.h>
#include <ws2spi.h>

/* 0 or the error: is Winsock started here? */
int lib_started(void)
{
	WSAEVENT event = WSACreateEvent();

	if (!event)
		return WSAGetLastError();
	WSACloseEvent(event);
	return 0;
}

int lib_set(HANDLE event)
{
	return SetEvent(event) ? 0 : (int)GetLastError();
}

int lib_last(void)
{
	return WSAGetLastError();
}

int lib_associate(SOCKET s, ULONG64 token)
{
	DWORD n;

	return WSAIoctl(s, SIO_ASSOCIATE_PORT_RESERVATION, &token, 8, NULL, 0,
			&n, NULL, NULL) ? WSAGetLastError() : 0;
}

int lib_sleep(void)
{
	return SleepEx(0, TRUE) == WAIT_IO_COMPLETION;
}

int lib_result(SOCKET s, OVERLAPPED *o, BOOL wait)
{
	DWORD n, flags;

	return WSAGetOverlappedResult(s, o, &n, wait, &flags)
		? 0 : WSAGetLastError();
}

int lib_cancel(SOCKET s)
{
	return CancelIoEx((HANDLE)s, NULL) ? 0 : (int)GetLastError();
}

int lib_start(void)
{
	WSADATA data;

	return WSAStartup(MAKEWORD(2, 2), &data);
}

/* Has the thread known, whose end is told here then. */
int lib_thread(void)
{
	WSATHREADID id;
	int error;

	return WPUOpenCurrentThread(&id, &error);
}
"""

NAMES = "started set last associate sleep result cancel start thread".split()

PROGRAM = r"""
#include <winsock2.h>
#include <mstcpip.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *name, long value)
{
	printf("%%s %%ld\n", name, value);
}

%(declarations)s

static int routines;

static void CALLBACK routine(DWORD error, DWORD bytes, OVERLAPPED *o, DWORD f)
{
	(void)error, (void)bytes, (void)o, (void)f;
	routines++;
}

%(before)s

int main(int argc, char **argv)
{
	INET_PORT_RANGE range = {htons(27400), 2};
	INET_PORT_RESERVATION_INSTANCE block;
	OVERLAPPED o = {0};
	SOCKET s, t;
	WSADATA data;
	HANDLE event;
	DWORD n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)argc;
	%(open)s
	WSAStartup(MAKEWORD(2, 2), &data);
	s = socket(AF_INET, SOCK_STREAM, 0);
	t = socket(AF_INET, SOCK_STREAM, 0);
%(body)s
	return 0;
}
"""

CALLS = r"""
	say("started", lib_started());
	event = CreateEvent(NULL, TRUE, FALSE, NULL);
	say("set", lib_set(event));
	say("is set", WaitForSingleObject(event, 0) == WAIT_OBJECT_0);
	WSASetLastError(WSAECONNREFUSED);
	say("errno's", lib_last());
	WSASetLastError(WSANOTINITIALISED);
	say("Winsock's", lib_last());
	WSAIoctl(s, SIO_ACQUIRE_PORT_RESERVATION, &range, 4, &block, 16, &n, &o,
		 routine);
	say("asleep there", lib_sleep());
	say("routines", routines);
	SleepEx(0, TRUE);
	say("routines", routines);
	lib_start();
	say("associated", lib_associate(t, block.Token));
"""


@pytest.fixture
def objects(compile_program, build, tmp_path):
    """objects(how, body) -> the program, with the library linked before Winsock
    ("before") or behind it ("behind"; "symbolic" or "hiding" as well), or opened
    by a program that "exports" its names or has them "alone"."""

    def objects(how, body, before=""):
        source, library = tmp_path / "lib.c", tmp_path / "libours.so"
        source.write_text(LIBRARY)
        (tmp_path / "hiding").write_text("{ global: lib_*; local: *; };\n")
        inside = {"symbolic": ["-Wl,-Bsymbolic"],
                  "hiding": [f"-Wl,--version-script={tmp_path}/hiding"]}.get(how, [])
        subprocess.run(
            ["gcc", f"-I{build}/include", "-shared", "-fPIC", *checkers.flags(build),
             *inside, source, "-o", library, f"-L{build}/lib", "-lws2_32"], check=True)
        parameters = {"set": "HANDLE", "associate": "SOCKET, ULONG64",
                      "result": "SOCKET, OVERLAPPED *, BOOL", "cancel": "SOCKET"}
        linked = how not in ("exports", "alone")
        declarations, opens = [], []
        if not linked:
            opens.append('void *lib = dlopen(argv[1], RTLD_NOW);')
        for name in NAMES:
            types = parameters.get(name, "void")
            if linked:
                declarations.append(f"int lib_{name}({types});")
            else:
                declarations.append(f"static int (*lib_{name})({types});")
                opens.append(f'lib_{name} = dlsym(lib, "lib_{name}");')
        rpath = f"-Wl,-rpath,{tmp_path}"
        flags = {"before": [str(library), rpath],
                 "exports": ["-rdynamic"], "alone": []}.get(
                     how, [f"-L{build}/lib", "-lws2_32", str(library), rpath])
        return compile_program(
            PROGRAM % {"declarations": "\n".join(declarations),
                       "open": "\n\t".join(opens), "body": body,
                       "before": before},
            "program", flags=["-Wno-unused", "-pthread", *flags]), library

    return objects


@pytest.mark.parametrize("how", ["before", "behind", "exports"])
def test_one_winsock(objects, run, how):
    ended = run(*objects(how, CALLS))
    assert ended.stdout.splitlines() == [
        "started 0", "set 0", "is set 1", "errno's 10061", "Winsock's 10093",
        "asleep there 1", "routines 1", "routines 1", "associated 0"], ended


@pytest.mark.parametrize("how", ["alone", "symbolic", "hiding"])
def test_two_winsocks(objects, run, how):
    """Each has its startups, handles, routines and Winsock's own codes; what is
    the process', errno and the reservations, they share."""
    ended = run(*objects(how, CALLS))
    assert ended.stdout.splitlines() == [
        "started 10093", "set 6", "is set 0", "errno's 10061", "Winsock's 10022",
        "asleep there 0", "routines 0", "routines 1", "associated 0"], ended


BUSY = r"""
	INET_PORT_RANGE first = {htons(27410), 1};
	WSAIoctl(t, SIO_ACQUIRE_PORT_RESERVATION, &first, 4, &block, 16, &n,
		 NULL, NULL);
	lib_start();
	say("ready", 0);
	getchar();
	say("pending", WSAIoctl(s, SIO_ACQUIRE_PORT_RESERVATION, &range, 4,
				&block, 16, &n, &o, NULL)
		? WSAGetLastError() : 0);
	say("incomplete there", lib_result(s, &o, FALSE));
"""


@pytest.fixture
def held(pool):
    (path,) = pool.glob("pool-*")
    fd = os.open(path, os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


@pytest.mark.parametrize("how, cancelled", [("behind", 0), ("alone", 1168)])
def test_a_pending_request_seen_from_the_library(
        objects, start, under, request, how, cancelled):
    """It may wait for the other's request; only its own it can cancel."""
    program = start([*under, *objects(how, BUSY + r"""
	say("waited there", lib_result(s, &o, TRUE));
	getchar();
	say("pending", WSAIoctl(s, SIO_ACQUIRE_PORT_RESERVATION, &range, 4,
				&block, 16, &n, &o, NULL)
		? WSAGetLastError() : 0);
	say("cancelled there", lib_cancel(s));
""")])
    says(program, "ready 0")
    fd = request.getfixturevalue("held")
    program.tell("")
    says(program, "pending 997", "incomplete there 996")
    os.close(fd)
    says(program, "waited there 0")
    (path,) = request.getfixturevalue("pool").glob("pool-*")
    with open(path, "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        program.tell("")
        says(program, "pending 997", f"cancelled there {cancelled}")


THREAD = r"""
	pthread_t thread;
	void *answer;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&thread, NULL, work, NULL);
	pthread_barrier_wait(&both);
	dlclose(lib);
	pthread_barrier_wait(&both);
	pthread_join(thread, &answer);
	say("known", (long)answer);
"""


WORK = r"""
static pthread_barrier_t both;

static void *work(void *unused)
{
	long answer = lib_thread();

	(void)unused;
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	return (void *)answer;
}
"""


def test_a_library_that_is_unloaded(objects, run):
    """A thread that it knew ends after that."""
    ended = run(*objects("alone", THREAD, WORK))
    assert ended.returncode == 0 and ended.stdout == "known 0\n", ended


def test_without_the_library(compile_program, run, shim_env):
    """The linker says what is missing; no call goes to nowhere."""
    program = compile_program(
        "#include <winsock2.h>\nint main(void) { return WSAGetLastError(); }\n",
        "without")
    env = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
    ended = run(program, env=env)
    assert ended.returncode == 127 and "libportres.so.0" in ended.stderr


def test_a_function_of_the_programs_own_wins(compile_program, run):
    """As beside an import library of Windows'; names inside the archive are
    nobody's."""
    program = compile_program(r"""
#include <winsock2.h>
int handle_open(void) { return 40; }
int WSAPoll(LPWSAPOLLFD fds, ULONG n, INT timeout)
{
	(void)fds, (void)n, (void)timeout;
	return 2;
}
int main(void)
{
	WSADATA data;

	if (WSAStartup(MAKEWORD(2, 2), &data) || !SetEvent(WSACreateEvent()))
		return 1;
	return handle_open() + WSAPoll(0, 0, 0);
}
""", "own")
    assert run(program).returncode == 42
