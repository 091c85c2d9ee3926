# SPDX-License-Identifier: MIT
"""The first bind of a program opens the pool, which may be busy or out of reach."""

import errno
import fcntl
import socket
import subprocess


import pytest

from kits.playing import refused

START, COUNT = 26100, 60


@pytest.fixture
def locked(pool, owner):
    """A reserved block, and the pool's lock held, until unlock() is called."""
    owner.tcp().acquire(START, COUNT)
    (path,) = pool.glob("pool-*")
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(file, fcntl.LOCK_UN)


@pytest.fixture
def script(shim_env):
    """script(text, *arguments) -> a preloaded python, with a pipe from it."""
    running = []

    def script(text, *arguments):
        running.append(
            subprocess.Popen(
                ["/usr/bin/python3", "-c", text, *map(str, arguments)],
                env=shim_env,
                stdout=subprocess.PIPE,
            )
        )
        return running[-1]

    yield script
    for process in running:
        process.kill()
        process.wait()


THREADS = """
import socket, sys, threading
start, count = map(int, sys.argv[1:])
here = threading.Barrier(count, lambda: print("all here", flush=True))
got = []

def bind(port):
    with socket.socket() as s:
        here.wait()
        try:
            s.bind(("127.0.0.1", port))
            got.append(port)
        except OSError:
            pass

threads = [threading.Thread(target=bind, args=(start + i,)) for i in range(count)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(got)
"""


def test_many_threads_at_once(script, locked):
    """None of them waits for the lock, and none gets a reserved port."""
    process = script(THREADS, START, COUNT)
    assert process.communicate(timeout=30)[0] == b"all here\n[]\n"


FULL = """
import os, resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
first, second = socket.socket(), socket.socket()
full = []
try:
    while True:
        full.append(os.dup(0))
except OSError:
    pass
first.bind(("127.0.0.1", int(sys.argv[1])))
for fd in full:
    os.close(fd)
try:
    second.bind(("127.0.0.1", int(sys.argv[1]) + 1))
except OSError as e:
    sys.exit(e.errno)
"""


def test_without_a_descriptor_the_next_bind_tries_again(script, locked, under_a_guard):
    if under_a_guard:
        pytest.skip("a guard refuses the first as well")
    locked()
    assert script(FULL, START).wait(timeout=30) == errno.EADDRINUSE


def test_strict_is_about_sockets_that_take_ports(player, shim_env):
    one = player({**shim_env, "PORTRES_STRICT": "1"})
    local = one.socket.socket(socket.AF_UNIX)
    address = (2).to_bytes(2, "little") + START.to_bytes(2, "big") + bytes(12)
    with refused(errno.EINVAL):
        one.portio.by_libc(local, "bind", address)
    assert one.tcp().bind(25990) == 25990
