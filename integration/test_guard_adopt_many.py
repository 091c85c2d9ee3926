# SPDX-License-Identifier: MIT
"""`guard on` over a pool of many blocks: nobody waits for its lock for long, and
nothing is asked twice."""

import re

import pytest

import portio
from kits.playing import attempt

COUNT = 200


@pytest.fixture
def owner(arena, shim_env):
    """Under the library, with as many blocks, each of a socket of its own."""

    def fill(count):
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        for i in range(count):
            kept.append(tcp())
            kept[-1].acquire(26000 + i, 1)

    owner = arena.player(env={**shim_env, "PYTHONPATH": str(arena.scripts)})
    owner.run(fill, COUNT)
    return owner


@pytest.fixture
def traced(arena, has, tmp_path):
    """traced(calls, *options) -> (what `on` says, its calls of these, one a line)."""
    if not has("strace"):
        pytest.skip("no strace")
    log = tmp_path / "log"

    def traced(calls, *options):
        said = arena.on(prefix=["strace", "-f", "-e", f"trace={calls}", *options, "-o", log])
        return said, log.read_text().splitlines()

    return traced


def test_the_lock_is_let_go(owner, traced):
    """After so many sockets that are taken, while all are taken under it."""
    said, calls = traced("flock,pidfd_getfd")
    assert f"it has {COUNT} blocks" in said
    locked, turns = False, [0]
    for call in calls:
        if "LOCK_UN" in call:
            locked = False
            turns.append(0)
        elif "LOCK_EX" in call and call.endswith(" = 0"):
            locked = True
        elif "pidfd_getfd" in call:
            assert locked
            turns[-1] += 1
    assert not locked and sum(turns) == COUNT and max(turns) <= 64, turns


def test_who_takes_the_lock_between(arena, owner, traced, pool):
    """Is waited for, and it goes on where it was."""
    (path,) = pool.glob("pool-*")
    said, calls = traced("flock", "-P", path, "-e", "inject=flock:error=EAGAIN:when=3..30")
    assert sum("INJECTED" in call for call in calls) == 28
    assert f"it has {COUNT} blocks" in said
    for i in 0, COUNT - 1:
        assert attempt(arena.player().tcp().bind, 26000 + i) == "EADDRINUSE"


def questions(calls):
    """How often each was asked."""
    asked = [portio.GUARD_OPS[int(op)] for call in calls
             for op in re.findall(r"setsockopt\(\d+, 0x5052[^,]*, (\d+),", call)]
    return {op: asked.count(op) for op in sorted(set(asked))}


def test_what_is_asked(owner, traced):
    """The guard's number once, and not for each block."""
    said, calls = traced("setsockopt")
    assert f"it has {COUNT} blocks" in said
    assert questions(calls) == {"query": COUNT, "number": 3, "commit": 1, "adopt": COUNT}
