# SPDX-License-Identifier: MIT
"""Eight members at one window of ports, and a checker that asks the kernel.

PORTRES_STORM_SECONDS says how long (8). The members' own checks are in
programs/storm/acts.c; here is what the pool file and /proc/net say at the same
time, looked at under the pool's own lock, so that the books stand still.
"""

import array
import fcntl
import os
import re
import struct
import subprocess
import time

import pytest

pytestmark = pytest.mark.long


SECONDS = float(os.environ.get("PORTRES_STORM_SECONDS", "8"))
# The window, and as much again: the kernel is to choose ports of both.
FIRST, WINDOW, EPHEMERAL = 20000, 64, 128

# core/pool/layout.h
SLOT_COUNT, SLOT_SIZE, SEGMENT_COUNT, SEGMENT_SIZE = 8192, 72, 128, 4096
SLOTS, SEGMENTS = 4096, 4096 + SLOT_COUNT * SLOT_SIZE
PORTS_OF_SEGMENT, ENDED = 512, 1 << 63
SLOT = struct.Struct("=IBBHHBBIiIQQ32x")
TIME_WAIT = "06"


class Block:
    """A live slot."""

    def __init__(self, number, fields):
        (_, self.protocol, _, start, count, self.ephemeral, _, self.pid) = fields[:8]
        self.number = number
        self.ports = range(start, start + count)
        self.token = fields[10]
        self.ended = bool(self.token & ENDED)

    def __repr__(self):
        return f"slot {self.number}: {self.protocol} {self.ports} of {self.pid}"


class Books:
    def __init__(self, data):
        assert struct.unpack_from("=II", data, 16) == (SLOT_SIZE, SEGMENT_SIZE)
        self.dirty, self.data = struct.unpack_from("=I", data, 24)[0], data
        self.ephemeral = struct.unpack_from("=II", data, 48)
        states = array.array("I", data[SLOTS:SEGMENTS])[:: SLOT_SIZE // 4]
        self.blocks = [
            Block(i, SLOT.unpack_from(data, SLOTS + SLOT_SIZE * i))
            for i, state in enumerate(states)
            if state
        ]

    def marks(self, protocol):
        """Of all ports."""
        size = 2 * PORTS_OF_SEGMENT
        at = range(SEGMENTS + size * protocol, len(self.data), SEGMENT_SIZE)
        return b"".join(self.data[i : i + size] for i in at)


def check_books(books):
    """Slots agree with each other, and marks with slots."""
    taken = {}
    for block in books.blocks:
        for port in () if block.ended else block.ports:
            other = taken.setdefault((block.protocol, port), block)
            assert other is block, f"{other} and {block} overlap"
    if books.dirty:
        return  # somebody was killed while he wrote
    for protocol in range(2):
        marks, reaching = array.array("H", bytes(2 * 65536)), 0
        for block in books.blocks:
            if block.protocol == protocol:
                reaching += block.ephemeral
                for port in block.ports:
                    marks[port] = block.number + 1
        assert books.marks(protocol) == marks.tobytes()
        assert books.ephemeral[protocol] == reaching


def sockets(pid):
    """(protocol, port, inode) of the sockets in pid's network namespace that
    /proc/net shows: all of UDP, and those of TCP that listen or connect."""
    found = []
    for name in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/{pid}/net/{name}") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        found += [
            (int(name[0] == "u"), int(row[1].rpartition(":")[2], 16), row[9])
            for row in rows
            if row[3] != TIME_WAIT and row[9] != "0"
        ]
    return found


def descendants(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            children = f.read().split()
    except OSError:
        return []
    return children + [p for child in children for p in descendants(child)]


def holders(root):
    """{inode: members that hold the socket}; a child counts as its member."""
    found = {}
    for pid in descendants(root):
        try:
            with open(f"/proc/{pid}/stat") as f:
                member = int(f.read().rpartition(")")[2].split()[2])
            links = [os.readlink(f) for f in os.scandir(f"/proc/{pid}/fd")]
        except OSError:
            continue  # it has just been killed
        for link in links:
            if link.startswith("socket:["):
                found.setdefault(link[8:-1], set()).add(member)
    return found


def check_kernel(books, after, bound, held):
    """A bind marks a dead owner's block without the lock, and then has its port:
    so what counts is a block that was there before the look and is after it."""
    still = {(block.number, block.token) for block in after.blocks}
    owner = {
        (block.protocol, port): block
        for block in books.blocks
        if not block.ended and (block.number, block.token) in still
        for port in block.ports
    }
    judged = 0
    for protocol, port, inode in bound:
        block, by = owner.get((protocol, port)), held.get(inode)
        if block and by:
            assert block.pid in by, f"{block}: port {port} is bound by {by}"
            judged += 1
    return judged


class Checker:
    def __init__(self, pool, storm, space):
        self.pool, self.storm, self.space = pool, storm, space
        self.looks = self.judged = 0

    def look(self):
        paths = list(self.pool.glob("pool-*"))
        if not paths or paths[0].stat().st_size == 0:
            return
        with open(paths[0], "rb") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            began = time.monotonic()
            data = f.read()
            bound = sockets(self.space)
            held = holders(self.storm.pid)
            f.seek(0)
            after = Books(f.read())
        held_up = time.monotonic() - began
        books = Books(data)
        check_books(books)
        self.judged += check_kernel(books, after, bound, held)
        self.looks += 1
        # /proc/net/tcp is a matter of milliseconds; the storm is to go on.
        time.sleep(2 * held_up)


@pytest.fixture
def storm(race_program, slow_env, namespace):
    program = race_program("storm/storm.c", "storm/crew.c", "storm/acts.c", "race/kit.c")
    sysctl = "/proc/sys/net/ipv4/ip_local_port_range"
    last = FIRST + EPHEMERAL - 1
    write = f"echo {FIRST} {last} >{sysctl}"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    env = {**slow_env, "PORTRES_WILDCARD": f"{FIRST}-{FIRST + WINDOW - 1}"}
    running = []

    def storm(how):
        args = [*namespace, program, how, str(FIRST), str(SECONDS)]
        running.append(subprocess.Popen(args, env=env, stdout=subprocess.PIPE))
        return running[-1]

    yield storm
    for popen in running:
        popen.kill()
        popen.communicate()


def ended(storm, seconds=60):
    """Its deeds, by name. Its members end with it, or the pipe stays open."""
    said = storm.communicate(timeout=seconds)[0].decode()
    assert storm.returncode == 0, said
    done = {k: int(v) for k, v in (line.split() for line in said.splitlines())}
    print(done)
    assert min(done.values()) > 0, done
    assert done["inside"] > 2 * SECONDS, done
    return done


def test_processes_under_a_checker(storm, pool, namespace):
    space = re.search(r"/proc/(\d+)/", namespace[-1]).group(1)
    checker = Checker(pool, storm("processes"), space)
    end = time.monotonic() + SECONDS + 60
    while checker.storm.poll() is None and time.monotonic() < end:
        checker.look()
    done = ended(checker.storm)
    print(checker.looks, "looks,", checker.judged, "sockets of blocks")
    assert done["kills"] > 5 * SECONDS
    assert checker.looks > 4 * SECONDS and checker.judged > 2 * SECONDS
    checker.look()


def test_threads(storm):
    ended(storm("threads"), SECONDS + 60)
