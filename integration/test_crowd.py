# SPDX-License-Identifier: MIT
"""A death is seen by the first call that asks, whatever other locks the machine has
and however busy it is."""

import os
from errno import EADDRINUSE

import pytest

from kits.playing import refused

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
def locks(start, bare_env, tmp_path):
    """locks(text, count, files): a process with so many file locks."""
    def locks(text, count, files):
        holder = start(["/usr/bin/python3", "-c", text, count, files, tmp_path],
                       bare_env)
        assert holder.line() == "there"

    return locks


def deaths_that_are_seen(player, times, at_once=1, limit=60):
    """`at_once` owners are killed together, and each one's block is asked for:
    in how many cases the answer is that it is free, within `limit` seconds."""
    blocks = [START + 3 * i for i in range(at_once)]
    other = player()
    x = other.tcp()
    seen = 0
    for _ in range(times // at_once):
        owners = [player() for _ in blocks]
        for owner, block in zip(owners, blocks):
            owner.tcp().acquire(block, 3)
        for owner in owners:
            owner.kill()
            owner.close()
        for block in blocks:
            try:
                x.release(other.begin(x.acquire, block, 3)(limit))
                seen += 1
            except OSError as error:
                assert error.errno == EADDRINUSE
    return seen


def test_beside_many_quiet_locks(player, locks):
    locks(QUIET, 20000, 200)
    assert deaths_that_are_seen(player, 5) == 5


def test_beside_locks_that_come_and_go(player, locks):
    locks(QUIET, 5000, 50)
    locks(ALL_AT_ONCE, 1000, 10)
    assert deaths_that_are_seen(player, 5) == 5


@pytest.mark.long
@pytest.mark.parametrize("part", [5, 1])
def test_a_hundred_deaths_on_a_machine_that_has_much_to_do(player, locks, start, part):
    """Beside 100,000 quiet locks and 4,000 that come and go, and a fifth of them: the
    kernel walks half of its list for each of thousands of reads."""
    for _ in range(4):
        locks(QUIET, 25000 // part, 250 // part)
    for _ in range(4):
        locks(ONE_BY_ONE, 1000 // part, 10 // part)
    for _ in range(os.cpu_count()):
        start(["/usr/bin/python3", "-c", "while True: pass"])
    assert deaths_that_are_seen(player, 100, at_once=5, limit=600) == 100


def masked(path):
    return ["unshare", "-m", "sh", "-c", f'mount --bind {path} /proc/locks && exec "$@"', "sh"]


@pytest.mark.parametrize("mask", ["/dev/null", "an empty file", "a list of another day"])
def test_a_masked_list_proves_nothing(
    player, mask, tmp_path, shim_env, need, under_a_guard
):
    """The lease is not where it was: only the list could tell that it lives."""
    need("mount")
    if under_a_guard:
        pytest.skip("a guard can tell, too")
    path = mask
    if mask != "/dev/null":
        path = tmp_path / "locks"
        old = "1: POSIX  ADVISORY  WRITE 3568 fe:01:2531452 0 EOF\n"
        path.write_text("" if "empty" in mask else old)
    env = {**shim_env, "PORTRES_DEBUG": "1"}
    said = tmp_path / "stderr"
    with said.open("wb") as stderr:
        owner, other = player(), player(env, prefix=masked(path), stderr=stderr)
    a = owner.tcp()
    a.acquire(START, 3)
    a.dup()
    a.close()
    x = other.tcp()
    with refused(EADDRINUSE):
        x.acquire(START, 3)
    with refused(EADDRINUSE):
        x.bind(START)
    assert "nobody can tell whether that lives: see portres doctor" in said.read_text()


def test_a_dead_process_with_thousands_of_blocks(player, locks):
    """The first call that meets one of them has all swept."""
    locks(QUIET, 4000, 40)
    owner, other = player(), player()

    def acquire_each(sock, first):
        for port in range(first, first + 2000):
            sock.acquire(port, 1)

    owner.run(acquire_each, owner.tcp(), START - 4000)
    owner.kill()
    other.tcp().acquire(START - 4000, 2000)
