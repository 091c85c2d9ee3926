# SPDX-License-Identifier: MIT
"""Each way to duplicate, each way to close, each place; judged from outside."""

import itertools
import os
import subprocess
import time

import pytest

from kits.playing import Program
from kits.books import Books
from kits.compiling import PROGRAMS

pytestmark = pytest.mark.long

START, COUNT = 24100, 4

DUPS = [
    "none",
    "dup",
    "dup2",
    "dup3",
    "F_DUPFD",
    "F_DUPFD_CLOEXEC",
    "SCM_RIGHTS",
    "in flight",
]
CLOSES = [
    "close",
    "__close",
    "close_range",
    "close_range unshare",
    "closefrom",
    "dup2",
    "dup3",
    "fclose",
    "freopen",
    "syscall",
    "io_uring",
]
# The program says "owned" first, "closed" last, and in between:
STAY = [
    "same",
    "fork",
    "fork child first",
    "vfork",
    "vfork exec",
    "spawn",
    "daemon",
    "exec",
    "exec FIONCLEX",
]
GO = ["exec SOCK_CLOEXEC", "exec F_SETFD", "exec FIOCLEX"]
LEFT = {"fork", "fork child first", "vfork", "vfork exec", "spawn"}


@pytest.fixture(scope="module")
def program(build, root, tmp_path_factory):
    path = tmp_path_factory.mktemp("matrix") / "matrix"
    subprocess.run(
        ["gcc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"-I{build}/include"]
        + [*(PROGRAMS / "lifetime_matrix").glob("*.c"), "-o", path, "-pthread"],
        check=True,
    )
    return path


@pytest.fixture(scope="module")
def environment(build, tmp_path_factory):
    """One pool for all rows: what one leaves behind, the next one meets."""
    pool = tmp_path_factory.mktemp("pool")
    pool.chmod(0o700)
    return {
        **os.environ,
        "LD_PRELOAD": str(build / "libportres.so"),
        "PORTRES_POOL": str(pool),
    }


@pytest.fixture(scope="module")
def judge(program, environment):
    judge = Program([program, "judge", START, COUNT], environment)
    yield lambda: judge.ask("?")
    judge.close()


@pytest.fixture
def judge_here(program, start):
    """A judge of this test's own pool."""
    other = start([program, "judge", START, COUNT])
    return lambda: other.ask("?")


def expected(where, dup):
    words = ["owned"]
    if where in LEFT:
        words.append("left")
    survives = dup not in ("none", "F_DUPFD_CLOEXEC") if where in GO else dup != "none"
    if survives:
        words.append("copied")
    return words + ["closed"]


@pytest.mark.parametrize("where", STAY + GO)
@pytest.mark.parametrize("dup,close", itertools.product(DUPS, CLOSES))
def test_matrix(program, environment, judge, where, dup, close):
    actor = Program([program, "actor", where, dup, close, START, COUNT], environment)
    try:
        words = []
        while (word := actor.line()) != "end":
            if word == "skip":
                pytest.skip(f"no {close} here")
            words.append(word)
            wanted = "free" if word == "closed" else "taken"
            assert judge() == wanted, f"after {words}"
            actor.tell("go")
        assert words == expected(where, dup)
        assert actor.end() == 0
    finally:
        actor.close()


NOISE = """
import fcntl, os, sys, threading
os.chdir(sys.argv[1])

def lock(name):
    f = open(name, "w")
    fcntl.flock(f, fcntl.LOCK_EX)
    return f

def wait(f):
    fcntl.flock(f, fcntl.LOCK_EX)

def churn():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(1))})
    files = [open(f"churn{i}", "w") for i in range(40)]
    while True:
        for f in files:
            fcntl.flock(f, fcntl.LOCK_EX)
        for f in files:
            fcntl.flock(f, fcntl.LOCK_UN)

kept = [lock("queue")]
for _ in range(int(sys.argv[2])):
    threading.Thread(target=wait, args=(open("queue"),), daemon=True).start()
if sys.argv[3] == "churn":
    threading.Thread(target=churn, daemon=True).start()
print(os.fstat(kept[0].fileno()).st_ino, flush=True)
for line in sys.stdin:
    kept.append(lock(str(len(kept))))
    print(len(kept), flush=True)
"""


LEASES = 8


@pytest.fixture
def scattered(start, owner, is_free, tmp_path):
    """scattered(waiters, churn) -> duplicates that alone keep an owner's blocks;
    taken(i), a judge of these; and a program that adds one more lock to the
    machine's list, in front of the leases, with each line that it reads.

    The kernel shows a lock and all its waiters in one piece, and ends a page
    of /proc/locks early when the piece does not fit.
    """

    def scattered(waiters, churn):
        cpu = max(os.sched_getaffinity(0))
        os.sched_setaffinity(owner.pid, {cpu})
        duplicates = []
        for i in range(LEASES):
            with owner.tcp() as a:
                a.acquire(START + 10 * i, COUNT)
                # Not where the acquirer had it: only the whole list can tell.
                duplicates.append(a.dup())
        noise = start(
            ["taskset", "-c", str(cpu), "/usr/bin/python3", "-c", NOISE, tmp_path]
            + [str(waiters), "churn" if churn else "still"]
        )
        inode = noise.line()
        deadline = time.monotonic() + 30
        seen = 0
        while seen != waiters + 1:
            assert time.monotonic() < deadline
            with open("/proc/locks") as f:
                seen = sum(f":{inode} " in line for line in f)

        def taken(i):
            return not is_free(START + 10 * i, COUNT)

        return duplicates, taken, noise

    return scattered


@pytest.mark.parametrize(
    "waiters,closing", [(3, False), (18, True), (45, False), (100, True)]
)
def test_leases_behind_locks_that_others_wait_for(scattered, waiters, closing):
    duplicates, taken, noise = scattered(waiters, churn=False)
    for lines in range(80):  # in all more than a page of them
        live = 1 + lines // 10
        if closing:
            duplicates[LEASES - 1].dup().close()
        assert taken(LEASES - 1)
        if lines % 10 == 9 and live < LEASES:
            # Nobody sees this close, so the list must tell again.
            assert taken(live - 1)
            duplicates[live - 1].close_unseen()
            assert not taken(live - 1), f"after {lines} lines"
        noise.ask("one more")


@pytest.mark.parametrize("waiters,asks", [(0, 1), (18, 1), (45, 50)])
def test_leases_among_locks_that_come_and_go(scattered, waiters, asks):
    """A piece of 45 waiters behind a list that never holds still can hide a
    death from a call that asks once: docs/limits.md. It never makes one up."""
    duplicates, taken, noise = scattered(waiters, churn=True)
    for i in range(LEASES):
        for _ in range(10):
            assert taken(LEASES - 1)
        duplicates[i].close_unseen()
        assert not all(taken(i) for _ in range(asks)), i
        noise.ask("one more")


def test_a_thousand_children_leave_the_table_as_it_was(owner, judge_here, pool):
    def statuses():
        return {subprocess.run(["/bin/true"]).returncode for _ in range(1000)}

    a = owner.tcp()
    a.acquire(START, COUNT)
    before = Books(pool).bytes
    assert owner.run(statuses) == {0}
    assert Books(pool).bytes == before
    assert judge_here() == "taken"
    a.close()
    assert Books(pool).blocks == []


PASSER = """
import socket, subprocess, sys
from portio import acquire

def say(word):
    print(word, flush=True)
    return sys.stdin.readline()

while True:
    owner = socket.socket()
    acquire(owner, int(sys.argv[1]), int(sys.argv[2]))
    how = say("owned").strip()
    child = subprocess.Popen(
        ["/bin/sh", "-c", "echo up; exec /bin/cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[owner.fileno()],
        env={} if how == "bare" else None,
    )
    owner.close()
    assert child.stdout.readline() == b"up\\n"
    say("alive")
    child.stdin.close()
    child.wait()
    child.stdout.close()
    if not say("dead"):
        break
"""


def test_pass_fds_without_a_gap(program, start, judge_here):
    """The parent's copy is closed before the child has run one instruction."""
    owner = start(["/usr/bin/python3", "-c", PASSER, START, COUNT])
    hammer = start([program, "hammer", START, COUNT])
    asked = 0
    for turn in range(200):
        assert owner.line() == "owned"
        assert hammer.ask("go") == "hammering"
        assert owner.ask("bare" if turn % 2 else "preloaded") == "alive"
        answer, times = hammer.ask("stop").split()
        assert answer == "taken"
        asked += int(times)
        assert owner.ask("end it") == "dead"
        assert judge_here() == "free"
        owner.tell("again")
    assert asked > 200


def test_prompt_and_healed(owner, other, pool):
    """A close that we see frees at once, in the books; another one does when somebody
    asks for a port of a block, and all blocks of that socket with it."""
    a = owner.tcp()
    number = a.fileno()
    a.acquire(START, COUNT)
    b = a.dup()
    a.close()
    assert Books(pool).blocks == [(0, START, COUNT)]
    b.close()
    assert Books(pool).blocks == []
    a = owner.tcp()
    a.acquire(START, COUNT)
    a.acquire(START + 10, COUNT)
    a.close_unseen()
    assert len(Books(pool).blocks) == 2
    assert owner.tcp().fileno() == number
    assert other.tcp().bind(START + 11) == START + 11
    assert Books(pool).blocks == []


def test_prompt_for_several_blocks_of_one_socket(owner, pool):
    """Its own ones, and with its last descriptor."""
    a, c = owner.tcp(), owner.tcp()
    a.acquire(START, COUNT)
    a.acquire(START + 10, COUNT)
    c.acquire(START + 20, COUNT)
    b = a.dup()
    a.close()
    assert len(Books(pool).blocks) == 3
    b.close()
    assert Books(pool).blocks == [(0, START + 20, COUNT)]


@pytest.mark.parametrize("where", ["same", "vfork", "fork child first"])
def test_prompt_whatever_children_did(program, start, pool, where):
    """Nothing that a child closes makes its parent forget what it owns."""
    actor = start([program, "actor", where, "none", "close", START, COUNT])
    while (word := actor.line()) != "closed":
        assert Books(pool).blocks == [(0, START, COUNT)], word
        actor.tell("go")
    assert Books(pool).blocks == []
    actor.tell("go")
    assert actor.line() == "end"


def test_an_association_follows_dup_and_fork_and_ends_at_exec(owner):
    a = owner.tcp()
    a.set_inheritable(True)
    block = a.acquire(START, COUNT)
    # dup
    x = owner.tcp()
    x.associate(block)
    y = x.dup()
    x.close()
    assert y.bind(0) == START
    # fork: in the child, in the parent
    z = owner.tcp()
    z.associate(block)
    assert owner.in_child(z.bind, 0) == START + 1
    # exec
    last = owner.tcp()
    last.associate(block)
    last.set_inheritable(True)
    fd = last.fileno()
    owner.exec_again()
    assert owner.socket_at(fd).bind(0) not in block


def test_an_association_survives_a_release_elsewhere(owner):
    """The socket's own lease is gone then, but the socket is not."""
    a = owner.tcp()
    own, other = a.acquire(START, COUNT), owner.tcp().acquire(START + 10, COUNT)
    a.associate(other)
    owner.in_child(a.release, own)
    a.dup().close()
    assert a.bind(0) == START + 10
