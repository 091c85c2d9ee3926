# SPDX-License-Identifier: MIT
"""`guard on` as root, where others have prepared for it: pool files, directories and
processes of theirs."""

import os
import shutil
import subprocess
import time

import pytest

from kits.forging import forge, lease, numbers, slot
from kits.playing import held

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture
def under_it(arena, shim_env):
    """under_it() -> a player under the library."""

    def under_it(**kw):
        return arena.player(env={**shim_env, "PYTHONPATH": str(arena.scripts)}, **kw)

    return under_it


@pytest.fixture
def stranger(arena):
    return arena.player()


@pytest.fixture
def place(reachable):
    """A directory of that other user's."""
    path = reachable / "forged"
    path.mkdir()
    os.chown(path, 65534, 65534)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def other(arena, place):
    """A process of his, which names it."""
    return arena.user(*NOBODY, env={**arena.env, "PORTRES_POOL": str(place)})


def forge_as(user, place, netns, slots):
    path = forge(place, netns, slots)
    os.chown(path, user, user)
    return path


def test_a_slot_that_names_anothers_socket(arena, stranger, other, place):
    """Which it may see by its numbers, as all do, but never had."""
    victim = arena.player()
    server = victim.tcp()
    server.bind(8022)
    inode, cookie, netns = victim.run(numbers, server)
    forge_as(65534, place, netns, [slot(1, 65535, inode, cookie, 2),
                                   slot(1, 65535, inode, cookie, 4, 1)])
    arena.on()
    assert arena.status()["blocks"] == 0
    assert not held(stranger, 22) and not held(stranger, 8080, "udp")


def test_a_slot_that_names_anothers_lease(arena, under_it, stranger, other, place):
    """Its owner's block is the guard's, with his ports and no more."""
    owner = under_it()
    sock = owner.tcp()
    token = sock.acquire(26000, 3).token
    inode, cookie, netns = owner.run(numbers, sock)
    forge_as(65534, place, netns, [slot(30000, 9000, inode, cookie, token)])
    assert "it has 1 blocks" in arena.on(cautions=True)
    assert held(stranger, 26001) and not held(stranger, 30001)
    assert arena.status()["ports"] == 3


@pytest.mark.parametrize("first,adopted", [(1, False), (5000, True)])
def test_a_slot_of_his_own(arena, stranger, other, place, first, adopted):
    """He has what he could have acquired: nothing below the first port that all may
    bind."""
    sock = other.tcp()
    other.run(lease, sock, 2)
    inode, cookie, netns = other.run(numbers, sock)
    forge_as(65534, place, netns, [slot(first, 900, inode, cookie, 2)])
    said = arena.on(cautions=True)
    assert ("it has 1 blocks" in said) == adopted
    assert ("1 blocks are not the guard's" in said) != adopted
    assert held(stranger, first + 400) == adopted


def test_roots_come_first(arena, under_it, other, place):
    """Of two pools that have the same ports."""
    theirs = other.tcp()
    other.run(lease, theirs, 2)
    inode, cookie, netns = other.run(numbers, theirs)
    owner = under_it()
    block = owner.tcp().acquire(26000, 3)
    forge_as(65534, place, netns, [slot(26000, 3, inode, cookie, 2)])
    said = arena.on(cautions=True)
    assert "it has 1 blocks" in said and "1 blocks are not" in said
    for port in 0, 26002:
        with owner.tcp() as x:
            x.associate(block)
            assert x.bind(port) in block


def opened(arena, tmp_path, name):
    """Does `on` open such a path, other than to look what it is?"""
    log = tmp_path / "log"
    arena.on(prefix=["strace", "-f", "-e", "trace=openat,openat2,open", "-o", log])
    return [line for line in log.read_text().splitlines()
            if name in line and "ENOENT" not in line and "O_PATH" not in line]


def test_what_is_no_file(arena, place, other, has, tmp_path):
    """A device is not opened: some do something then."""
    if not has("strace"):
        pytest.skip("no strace")
    for name, kind in ("pool-9001", "c"), ("pool-9002", "p"):
        subprocess.run(["mknod", place / name, kind, *(["1", "3"] if kind == "c" else [])],
                       check=True)
    (place / "pool-9003").symlink_to("/etc/passwd")
    assert opened(arena, tmp_path, "pool-900") == []


@pytest.mark.parametrize("inside", [True, False])
def test_links_of_a_container(arena, stranger, tmp_path, inside):
    """They lead to nothing but what is in it."""
    (tmp_path / "container/run").mkdir(parents=True)
    # The same path on either side.
    here = tmp_path / "elsewhere"
    there = tmp_path / "container" / str(here)[1:]
    here.mkdir()
    there.mkdir(parents=True)
    (tmp_path / "container/run/portres").symlink_to(here)
    owner = arena.player(prefix=[*arena.inside, "unshare", "-m"])
    sock = owner.tcp()
    owner.run(lease, sock, 2)
    inode, cookie, netns = owner.run(numbers, sock)
    forge(there if inside else here, netns, [slot(5000, 3, inode, cookie, 2)])
    owner.os.chroot(str(tmp_path / "container"))
    arena.on()
    assert held(stranger, 5001) == inside


def test_pools_that_are_kept_locked(arena, under_it, stranger, other, place):
    """Are waited for a moment, all at once, and named; the rest is done first."""
    sock = other.tcp()
    inode, cookie, netns = other.run(numbers, sock)
    slots = []
    for i in range(12):
        other.run(lease, sock, 2 + 2 * i)
        slots.append(slot(5000 + i, 1, inode, cookie, 2 + 2 * i))
    files = [str(forge_as(65534, place, netns, slots)),
             str(forge_as(65534, place, f"0{netns}", slots))]

    def lock(paths):
        fcntl = importlib.import_module("fcntl")
        for path in paths:
            kept.append(open(path, "r+b"))
            fcntl.flock(kept[-1], fcntl.LOCK_EX)

    began = time.monotonic()
    arena.on(cautions=True)
    arena.off("--force")
    alone = time.monotonic() - began  # an emulated processor needs 20 seconds
    other.run(lock, files)
    under_it().tcp().acquire(26000, 3)
    began = time.monotonic()
    said = arena.on(cautions=True)
    assert time.monotonic() - began < 8 + 2 * alone
    assert "it has 1 blocks" in said and "24 blocks are not the guard's: their pools were locked" in said
    assert held(stranger, 26001)


def test_more_files_than_descriptors(arena, under_it, stranger, other, place):
    """Each is read and closed."""
    for i in range(100):
        forge_as(65534, place, i, [])
    under_it().tcp().acquire(26000, 3)
    said = arena.on(prefix=["prlimit", "--nofile=60"])
    assert "it has 1 blocks" in said
    assert held(stranger, 26001)
