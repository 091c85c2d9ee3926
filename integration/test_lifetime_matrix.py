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
# What the program says besides "owned", first, and "closed", last.
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
CLOSE_RAW = "__import__('ctypes').CDLL(None).syscall(3, S['b{}'].detach())"


@pytest.fixture
def scattered(start, player, tmp_path):
    """scattered(waiters, churn) -> an owner whose duplicates b0, b1, ... alone
    keep their blocks; taken(i), a judge; and a program that adds one more lock
    to the machine's list, in front of the leases, with each line that it reads.

    The kernel shows a lock and all its waiters in one piece, and ends a page
    of /proc/locks early when the piece does not fit.
    """

    def scattered(waiters, churn):
        owner, other, cpu = player(), player(), max(os.sched_getaffinity(0))
        os.sched_setaffinity(owner.pid, {cpu})
        for i in range(LEASES):
            owner.ask("tcp('a')")
            assert owner.ask(f"acquire(S['a'], {START + 10 * i}, {COUNT})")[0] == "("
            # Not where the acquirer had it: only the whole list can tell.
            owner.ask(f"S.update(b{i}=S['a'].dup())")
            owner.ask("close('a')")
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
            other.ask("tcp('j')")
            answer = other.ask(f"acquire(S['j'], {START + 10 * i}, {COUNT})")
            assert answer == "EADDRINUSE" or answer[0] == "("
            other.ask("close('j')")
            return answer == "EADDRINUSE"

        return owner, taken, noise

    return scattered


@pytest.mark.parametrize(
    "waiters,closing", [(3, False), (18, True), (45, False), (100, True)]
)
def test_leases_behind_locks_that_others_wait_for(scattered, waiters, closing):
    owner, taken, noise = scattered(waiters, churn=False)
    for lines in range(80):  # in all more than a page of them
        live = 1 + lines // 10
        if closing:
            owner.ask("S.update(c=S['b7'].dup()) or close('c')")
        assert taken(LEASES - 1)
        if lines % 10 == 9 and live < LEASES:
            # Nobody sees this close, so the list must tell again.
            assert taken(live - 1)
            assert owner.ask(CLOSE_RAW.format(live - 1)) == "0"
            assert not taken(live - 1), f"after {lines} lines"
        noise.ask("one more")


@pytest.mark.parametrize("waiters,asks", [(0, 1), (18, 1), (45, 50)])
def test_leases_among_locks_that_come_and_go(scattered, waiters, asks):
    """A piece of 45 waiters behind a list that never holds still can hide a
    death from who asks once: docs/limits.md. It never makes one up."""
    owner, taken, noise = scattered(waiters, churn=True)
    for i in range(LEASES):
        for _ in range(10):
            assert taken(LEASES - 1)
        assert owner.ask(CLOSE_RAW.format(i)) == "0"
        assert not all(taken(i) for _ in range(asks)), i
        noise.ask("one more")


def test_a_thousand_children_leave_the_table_as_it_was(player, judge_here, pool):
    owner = player()
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {START}, {COUNT})")[0] == "("
    owner.ask("__import__('builtins').__dict__.update(sp=__import__('subprocess'))")
    before = Books(pool).bytes
    codes = "{sp.run(['/bin/true']).returncode for _ in range(1000)}"
    assert owner.ask(codes) == "{0}"
    assert Books(pool).bytes == before
    assert judge_here() == "taken"
    owner.ask("close('a')")
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


def test_prompt_and_healed(player, pool):
    """What close() sees is free at once, in the books; what it cannot see is
    when socket() gives the number out again."""
    owner = player()
    raw = "__import__('ctypes').CDLL(None).syscall(3, {}.detach())"
    owner.ask("tcp('a') and S.update(n=S['a'].fileno())")
    assert owner.ask(f"acquire(S['a'], {START}, {COUNT})")[0] == "("
    owner.ask("S.update(b=S['a'].dup())")
    owner.ask("close('a')")
    assert Books(pool).blocks == [(0, START, COUNT)]
    owner.ask("close('b')")
    assert Books(pool).blocks == []
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {START}, {COUNT})")[0] == "("
    assert owner.ask(f"acquire(S['a'], {START + 10}, {COUNT})")[0] == "("
    assert owner.ask(raw.format("S['a']")) == "0"
    assert len(Books(pool).blocks) == 2
    assert owner.ask("tcp('a') and S['a'].fileno() == S['n']") == "True"
    assert Books(pool).blocks == []


def test_prompt_for_several_blocks_of_one_socket(player, pool):
    """Its own ones, and with its last descriptor."""
    owner = player()
    owner.ask("tcp('a') and tcp('c')")
    for sock, start in (("a", START), ("a", START + 10), ("c", START + 20)):
        assert owner.ask(f"acquire(S['{sock}'], {start}, {COUNT})")[0] == "("
    owner.ask("S.update(b=S['a'].dup())")
    owner.ask("close('a')")
    assert len(Books(pool).blocks) == 3
    owner.ask("close('b')")
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


def test_an_association_follows_dup_and_fork_and_ends_at_exec(player, root):
    owner = player()
    owner.ask("tcp('a')")
    token = eval(owner.ask(f"acquire(S['a'], {START}, {COUNT})"))[2]
    owner.ask(f"S['a'].set_inheritable(True) or tcp('x') and associate(S['x'], {token})")
    # dup
    owner.ask("S.update(y=S['x'].dup()) or close('x')")
    assert owner.ask("bind('y', 0)") == str(START)
    # fork: in the child, in the parent
    owner.ask(f"tcp('f') and associate(S['f'], {token})")
    child = "(lambda p: p or os._exit(bind('f', 0) - 24000))(os.fork())"
    assert owner.ask(f"os.waitstatus_to_exitcode(os.waitpid({child}, 0)[1])") == str(
        START + 1 - 24000
    )
    # exec
    owner.ask(f"tcp('e') and associate(S['e'], {token})")
    fd = owner.ask("S['e'].set_inheritable(True) or S['e'].fileno()")
    script = root / "integration" / "player.py"
    hello = f"os.execv('/usr/bin/python3', ['python3', '{script}', 'hello'])"
    assert owner.ask(hello) == "hello"
    owner.ask(f"S.update(e=socket.socket(fileno={fd}))")
    assert not START <= int(owner.ask("bind('e', 0)")) < START + COUNT


def test_an_association_survives_a_release_elsewhere(player):
    """The socket's own lease is gone then, but the socket is not."""
    owner = player()
    owner.ask("tcp('a') and tcp('b')")
    first = eval(owner.ask(f"acquire(S['a'], {START}, {COUNT})"))[2]
    other = eval(owner.ask(f"acquire(S['b'], {START + 10}, {COUNT})"))[2]
    assert owner.ask(f"associate(S['a'], {other})") == "None"
    child = f"(lambda p: p or (release(S['a'], {first}), os._exit(0)))(os.fork())"
    assert owner.ask(f"os.waitpid({child}, 0)[1]") == "0"
    owner.ask("S.update(c=S['a'].dup()) or close('c')")
    assert owner.ask("bind('a', 0)") == str(START + 10)
