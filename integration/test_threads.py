# SPDX-License-Identifier: MIT
"""Threads, threads that fork, and forks that other libraries handle."""

import random
import signal
import subprocess
import time

import pytest

from kits.books import Books, assert_empty, sweep
from kits.compiling import library

pytestmark = pytest.mark.long

START = 28200
OWNED = (0, START, 4)


@pytest.fixture
def judge(is_free):
    """judge(first, count) -> is it free, and how long did it take to say?"""
    def judge(first, count):
        began = time.monotonic()
        return is_free(first, count), time.monotonic() - began

    return judge


def test_storm_beside_an_owner(compiled, start, player, judge, pool):
    storm = start([compiled("threads/threads.c"), 3, START])
    assert storm.line() == "ready"
    done = storm.line().split()
    assert done[0] == "done" and int(done[1]) > 1000, done
    assert not judge(START, 4)[0]
    assert OWNED in Books(pool).blocks
    assert storm.end() == 0
    assert judge(START, 4)[0]
    sweep(pool, player)
    assert_empty(pool)


def test_kills_of_a_process_with_threads(
    compiled, start, player, judge, pool
):
    program = compiled("threads/threads.c")
    for _ in range(20):
        storm = start([program, 0, START])
        assert storm.line() == "ready"
        end = time.monotonic() + random.random() / 20
        while time.monotonic() < end:
            pass
        assert storm.popen.poll() is None
        storm.kill()
        free, took = judge(START, 4)
        assert free and took < 1
    sweep(pool, player)
    assert_empty(pool)


def test_forks_while_threads_are_inside_the_pool(
    compiled, start, is_free, build
):
    program = compiled("threads/forks.c", flags=[f"-L{build}/lib", "-lportres"])
    storm = start([program, START, 40])
    try:
        assert storm.line() == "ready"
        storm.tell("")
        assert storm.line() == "there"
        assert storm.popen.wait() == -signal.SIGKILL
        # 41 children live on; none of them has the lock, or a port.
        assert is_free(START, 50)
    finally:
        storm.popen.stdin.close()  # the children's end


@pytest.fixture
def atfork(compiled, tmp_path, build):
    library("threads/atfork.c", tmp_path / "libatfork.so", "-DLIBRARY",
            f"-I{build}/include", "-pthread")
    return compiled(
        "threads/atfork.c", flags=[f"-L{tmp_path}", "-latfork", f"-Wl,-rpath,{tmp_path}"]
    )


@pytest.mark.parametrize(
    "what", ["calls", "late", "signal", "inside", "stuck", "slow"]
)
def test_fork_handlers_of_other_libraries(atfork, shim_env, what):
    run = subprocess.run(
        [atfork, what, str(START)],
        env=shim_env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout) == (0, "")


CANCELLED = r"""
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>
#include "portres.h"
static int fd;
static void *closer(void *nothing)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	close(fd);
	return nothing;
}
int main(void)
{
	struct portres_instance block = {.start_port = htons(START), .number_of_ports = 4};
	pthread_t thread;
	void *end;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block);
	for (int i = 0; i < 10; i++) {
		pthread_create(&thread, NULL, closer, NULL);
		pthread_join(thread, &end);
		printf("%s\n", end == PTHREAD_CANCELED ? "cancelled" : "not");
	}
	for (int i = 0; i < 64; i++)
		if (fcntl(i, F_GETFD) >= 0)
			printf("%d ", i);
	return 0;
}
"""


def test_a_thread_that_is_cancelled_in_close(
    compiled, shim_env, bare_env
):
    program = compiled(CANCELLED.replace("START", str(START)))
    bare, ours = [
        subprocess.run(
            [program], env=env, capture_output=True, text=True, timeout=60, check=True
        ).stdout
        for env in (bare_env, shim_env)
    ]
    assert ours == bare


CANCELS = r"""
#include <dlfcn.h>
#include <pthread.h>
__thread int cancel_in_close;
int close(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "close");

	if (cancel_in_close)
		pthread_cancel(pthread_self());
	return real(fd);
}
"""
ARMED = """extern __thread int cancel_in_close;
static void *closer(void *nothing)
{
	cancel_in_close = 1;
"""


def test_a_thread_that_is_cancelled_while_libc_closes(
    compiled, shim_env, tmp_path
):
    """By then our own close is on its way, and leaves nothing behind."""
    library(CANCELS, tmp_path / "libcancels.so")
    head, _, rest = CANCELLED.partition("static void *closer(void *nothing)\n{\n")
    own_cancel = rest.partition("\tclose(fd);")[0]
    text = (head + ARMED + rest.replace(own_cancel, "", 1)).replace("START", str(START))
    flags = [f"-L{tmp_path}", "-lcancels", f"-Wl,-rpath,{tmp_path}"]
    run = [compiled(text, flags=flags)]
    said = subprocess.run(
        run, env=shim_env, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert said.splitlines()[-1] == "0 1 2 "
