"""The first bind of a program opens the pool, which may be busy or out of reach."""

import errno
import fcntl
import os
import pathlib
import subprocess
import time

import pytest

START, COUNT = 26100, 60


@pytest.fixture
def locked(pool, player):
    """A reserved block, and the pool's lock held, until unlock() is called."""
    owner = player()
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {START}, {COUNT})")[0] == "("
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


INTERRUPTED = """
import os, signal, socket, sys
os.set_blocking(1, False)
signal.set_wakeup_fd(1)  # written by the handler itself, in the middle of bind
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
with socket.socket() as s:
    try:
        s.bind(("127.0.0.1", int(sys.argv[1])))
        answer = 0
    except OSError as e:
        answer = e.errno
signal.setitimer(signal.ITIMER_REAL, 0)
sys.exit(answer)
"""


def test_handlers_do_not_cut_the_wait_short(script, locked):
    process = script(INTERRUPTED, START)
    # Three handlers without SA_RESTART have run while the pool was busy.
    for _ in range(3):
        assert os.read(process.stdout.fileno(), 1) == b"\x0e"
    locked()
    assert process.wait(timeout=30) == errno.EADDRINUSE


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


def waits_for_the_pool(task):
    """Is that thread in a nap between two looks at the lock: in futex_waitv, or
    on a timer?"""
    try:
        call = (task / "syscall").read_text().split()
        if call[0] == "449":
            return True
        return "timerfd" in os.readlink(task / "fd" / str(int(call[1], 16)))
    except (OSError, ValueError, IndexError):
        return False


def test_many_threads_at_once(script, locked):
    process = script(THREADS, START, COUNT)
    assert process.stdout.readline() == b"all here\n"
    waited = set()
    tasks = pathlib.Path(f"/proc/{process.pid}/task")
    limit = time.monotonic() + 4  # they give up after 5 s
    while len(waited) < COUNT and time.monotonic() < limit:
        waited |= {task for task in tasks.iterdir() if waits_for_the_pool(task)}
    locked()
    assert len(waited) == COUNT
    assert process.communicate(timeout=30)[0] == b"[]\n"


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


def test_without_a_descriptor_the_next_bind_tries_again(script, locked):
    locked()
    assert script(FULL, START).wait(timeout=30) == errno.EADDRINUSE


def test_strict_is_about_sockets_that_take_ports(player, shim_env):
    one = player({**shim_env, "PORTRES_STRICT": "1"})
    one.ask("S.update(u=socket.socket(socket.AF_UNIX))")
    address = (2).to_bytes(2, "little") + START.to_bytes(2, "big") + bytes(12)
    assert one.ask(f"by_libc('bind', S['u'], {address})") == "EINVAL"
    assert one.ask("tcp('x') and bind('x', 25990)") == "25990"
