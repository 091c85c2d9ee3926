# SPDX-License-Identifier: MIT
"""A death is seen by the first who asks, whatever other locks the machine has
and however busy it is."""

import os

import pytest

START = 25700

# F_OFD_SETLK of one byte: type, whence, start, length, pid.
LOCKS = """
import fcntl, os, struct, sys
count, files, where = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
fds = [os.open(f"{where}/{os.getpid()}-{i}", os.O_CREAT | os.O_RDWR) for i in range(files)]
def each(*kinds):
    for i in range(count):
        for kind in kinds:
            lock = struct.pack("hhqqi4x", kind, 0, i // files * 2, 1, 0)
            fcntl.fcntl(fds[i % files], 37, lock)
each(fcntl.F_RDLCK)
print("there", flush=True)
"""
QUIET = LOCKS + "input()\n"
ONE_BY_ONE = LOCKS + """
while True:
    each(fcntl.F_UNLCK, fcntl.F_RDLCK)
"""
ALL_AT_ONCE = LOCKS + """
while True:
    each(fcntl.F_UNLCK)
    each(fcntl.F_RDLCK)
"""


@pytest.fixture
def locks(start, tmp_path):
    """locks(text, count, files): a process with so many file locks."""
    def locks(text, count, files):
        holder = start(["/usr/bin/python3", "-c", text, count, files, tmp_path],
                       {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"})
        assert holder.line() == "there"

    return locks


def deaths_that_are_seen(player, times, at_once=1, limit=60):
    """`at_once` owners are killed together, and each one's block is asked for:
    in how many cases the answer is that it is free, within `limit` seconds."""
    blocks = [START + 3 * i for i in range(at_once)]
    other = player()
    other.ask("tcp('x')")
    seen = 0
    for _ in range(times // at_once):
        owners = [player() for _ in blocks]
        for owner, block in zip(owners, blocks):
            owner.ask("tcp('a')")
            assert owner.ask(f"acquire(S['a'], {block}, 3)")[0] == "("
        for owner in owners:
            owner.kill()
            owner.close()
        for block in blocks:
            answer = other.ask(f"acquire(S['x'], {block}, 3)", limit)
            seen += answer[0] == "("
            if answer[0] == "(":
                other.ask(f"release(S['x'], {eval(answer)[2]})")
    return seen


def test_beside_many_quiet_locks(player, locks):
    locks(QUIET, 20000, 200)
    assert deaths_that_are_seen(player, 5) == 5


def test_beside_locks_that_come_and_go(player, locks):
    locks(QUIET, 5000, 50)
    locks(ALL_AT_ONCE, 1000, 10)
    assert deaths_that_are_seen(player, 5) == 5


@pytest.mark.long
def test_a_hundred_deaths_on_a_machine_that_has_much_to_do(player, locks, start):
    for _ in range(4):
        locks(QUIET, 25000, 250)
    for _ in range(4):
        locks(ONE_BY_ONE, 1000, 10)
    for _ in range(os.cpu_count()):
        start(["/usr/bin/python3", "-c", "while True: pass"])
    assert deaths_that_are_seen(player, 100, at_once=5, limit=600) == 100


def masked(path):
    return ["unshare", "-m", "sh", "-c", f'mount --bind {path} /proc/locks && exec "$@"', "sh"]


@pytest.mark.parametrize("mask", ["/dev/null", "an empty file", "a list of another day"])
def test_a_masked_list_proves_nothing(player, mask, tmp_path, shim_env, need):
    """The owner is not where he was: only the list could tell that he lives."""
    need("mount")
    path = mask
    if mask != "/dev/null":
        path = tmp_path / "locks"
        old = "1: POSIX  ADVISORY  WRITE 3568 fe:01:2531452 0 EOF\n"
        path.write_text("" if "empty" in mask else old)
    env = {**shim_env, "PORTRES_DEBUG": "1"}
    said = tmp_path / "stderr"
    with said.open("wb") as stderr:
        owner, other = player(), player(env, prefix=masked(path), stderr=stderr)
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {START}, 3)")[0] == "("
    owner.ask("S.update(b=S['a'].dup()) or close('a')")
    other.ask("tcp('x')")
    assert other.ask(f"acquire(S['x'], {START}, 3)") == "EADDRINUSE"
    assert other.ask(f"bind('x', {START})") == "EADDRINUSE"
    assert "nobody can tell whether that lives: see portres doctor" in said.read_text()


def test_a_dead_process_with_thousands_of_blocks(player, locks):
    """Who meets one of them has them all swept, and its neighbours find no more."""
    locks(QUIET, 4000, 40)
    owner, other = player(), player()
    owner.ask("tcp('a')")
    block = f"acquire(S['a'], {START - 4000} + i, 1)"
    assert owner.ask(f"len([{block} for i in range(2000)])") == "2000"
    owner.kill()
    other.ask("tcp('x')")
    assert other.ask(f"acquire(S['x'], {START - 4000}, 2000)")[0] == "("
