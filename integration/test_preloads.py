# SPDX-License-Identifier: MIT
"""Beside other preloaded libraries, before and behind us, and plug-ins."""

import os
import pathlib
import subprocess
from errno import EADDRINUSE, ENOTSUP, ENOTTY

import pytest

from kits.playing import attempt, refused

from checkers import sanitizer
from kits.compiling import library
from kits.real import until

START = 24500
CLOCK_MONOTONIC_COARSE = 6

ROOT = pathlib.Path("/usr/lib")
FOLDERS = ["*-linux-gnu", "*-linux-gnu/faketime"]


@pytest.fixture
def beside(player, build, shim_env):
    """beside(name, where, **variables) -> a player with that library as well."""

    def beside(name, where, **variables):
        found = [path for folder in FOLDERS for path in ROOT.glob(f"{folder}/{name}")]
        if not found:
            pytest.skip(f"needs {name}: see tests/packages")
        if "faketime" in name and sanitizer(build):
            pytest.skip("libfaketime and ASan wait for each other")
        *runtime, ours = shim_env["LD_PRELOAD"].split()
        order = [str(found[0]), ours]
        preload = runtime + (order if where == "before" else order[::-1])
        program = player({**shim_env, **variables, "LD_PRELOAD": " ".join(preload)})
        # The linker only warns of what it cannot load.
        assert program.os.getpid() == program.pid  # it has begun
        maps = pathlib.Path(f"/proc/{program.pid}/maps").read_text()
        assert os.path.realpath(found[0]) in maps
        return program

    return beside


def assert_all_works(program, judge):
    a = program.tcp()
    block = a.acquire(START, 3)
    x = program.tcp()
    with refused(EADDRINUSE):
        x.bind(START)
    x.associate(block)
    assert x.bind(0) == START
    assert program.subprocess.call(["/bin/true"], close_fds=True) == 0
    j = judge.tcp()
    with refused(EADDRINUSE):
        j.bind(START + 1)
    a.close()
    assert j.bind(START + 1) == START + 1
    assert program.end() == 0


@pytest.mark.parametrize(
    "name,where",
    [
        *[
            (name, where)
            for name in [
                "libeatmydata.so",
                "libfaketime.so.1",
                "libfaketimeMT.so.1",
                "libjemalloc.so.2",
                "libsocket_wrapper_noop.so",
            ]
            for where in ["before", "behind"]
        ],
        ("libsocket_wrapper.so", "behind"),
    ],
)
def test_with_another_library(beside, player, name, where):
    assert_all_works(beside(name, where, FAKETIME="-3d"), player())


def test_a_library_that_goes_to_libc_past_us(beside):
    """socket_wrapper looks libc up by its file, and so cuts off who is behind it.
    That shows: requests are not answered. See docs/limits.md."""
    program = beside("libsocket_wrapper.so", "before")
    a = program.tcp()
    with refused(ENOTTY):
        a.acquire(START, 3)
    assert a.bind(START) == START


def test_sockets_that_are_none(beside, owner, tmp_path):
    """Those of socket_wrapper are local ones in truth, and take no ports."""
    (tmp_path / "wrapped").mkdir()
    owner.tcp().acquire(START, 3)
    program = beside("libsocket_wrapper.so", "behind",
                     SOCKET_WRAPPER_DIR=str(tmp_path / "wrapped"))
    x = program.tcp()
    with refused(ENOTSUP):
        x.acquire(START + 10, 3)
    assert x.bind(START, "127.0.0.1") == START


@pytest.mark.parametrize("where", ["before", "behind"])
def test_time_that_stands_still(beside, player, pool, where):
    """A pool that is made after the first bind is found all the same."""
    pool.rmdir()
    program = beside("libfaketime.so.1", where, FAKETIME="2000-01-01 00:00:00")
    clock = program.time.clock_gettime
    assert clock(CLOCK_MONOTONIC_COARSE) == clock(CLOCK_MONOTONIC_COARSE)
    program.tcp().bind(0)
    pool.mkdir(mode=0o700)

    def opened():
        with program.tcp() as x:
            attempt(x.bind, START + 9)
        return list(pool.iterdir())

    until(opened, "the pool is not opened")
    assert_all_works(program, player())


PLUG_IN = r"""
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
int plug_in(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
}
"""


@pytest.mark.parametrize("how,answer", [("RTLD_NOW", EADDRINUSE), ("RTLD_DEEPBIND", 0)])
def test_plug_ins(owner, other, build, tmp_path, under_a_guard, how, answer):
    """With RTLD_DEEPBIND one asks libc by itself. Its port is seen afterwards. A guard
    refuses it."""
    answer = EADDRINUSE if under_a_guard else answer
    if sanitizer(build):
        pytest.skip("sanitizers refuse RTLD_DEEPBIND")
    library(PLUG_IN, tmp_path / "plug_in.so")
    a = owner.tcp()
    block = a.acquire(START, 3)
    plug_in = other.ctypes.CDLL(f"{tmp_path}/plug_in.so", os.RTLD_NOW | getattr(os, how))
    assert plug_in.plug_in(START) == answer
    a.release(block)
    if answer == 0:
        with refused(EADDRINUSE):
            a.acquire(START, 3)
    else:
        a.acquire(START, 3)


SANITIZED = r"""
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "portres.h"
static void *calls(void *nothing)
{
	struct portres_instance block = {.number_of_ports = 2};
	struct sockaddr_in at = {.sin_family = AF_INET};
	int a = socket(AF_INET, SOCK_STREAM, 0), b = socket(AF_INET, SOCK_STREAM, 0);

	printf("%d ", ioctl(a, SIO_ACQUIRE_PORT_RESERVATION, &block));
	at.sin_port = block.start_port;
	errno = 0;
	printf("%d ", bind(b, (struct sockaddr *)&at, sizeof(at)));
	printf("%d ", errno);
	printf("%d ", ioctl(b, SIO_ASSOCIATE_PORT_RESERVATION, &block.token));
	printf("%d ", bind(b, (struct sockaddr *)&at, sizeof(at)));
	printf("%d %d\n", close(a), close(b));
	return nothing;
}
int main(void)
{
	pthread_t thread;
	calls(NULL);
	pthread_create(&thread, NULL, calls, NULL);
	pthread_join(thread, NULL);
	return 0;
}
"""


HOW = ["address", "address by option", "thread", "undefined"]


@pytest.mark.parametrize("how", HOW)
def test_a_sanitized_program(compiled, build, shim_env, own_wildcard, how):
    """See docs/limits.md for the first two."""
    if sanitizer(build):
        pytest.skip("one sanitizer is enough")
    program = compiled(SANITIZED, flags=[f"-fsanitize={how.split()[0]}", "-g"])
    env = {**shim_env, **own_wildcard, "ASAN_OPTIONS": "verify_asan_link_order=1"}
    if how == "address by option":
        env["ASAN_OPTIONS"] = "verify_asan_link_order=0"
    if how == "address":
        runtime = subprocess.run(
            ["gcc", "-print-file-name=libasan.so"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        env["LD_PRELOAD"] = f"{runtime} {env['LD_PRELOAD']}"
    run = subprocess.run([program], env=env, capture_output=True, text=True, timeout=60)
    line = "0 -1 98 0 0 0 0\n"
    assert (run.returncode, run.stdout) == (0, 2 * line), run.stderr
