# SPDX-License-Identifier: MIT
"""A process is stopped inside the pool's lock. Only what asks the pool for
something waits for it, and nobody gets a port that is not theirs."""

import os
import re
import signal
import struct
from errno import EADDRINUSE, EADDRNOTAVAIL, ENETDOWN

import pytest

from kits.choosers import CHOOSERS, unbound
from kits.playing import refused

START, COUNT = 25300, 4
LOW = 40000
HOLDER = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, 2); print(1, flush=True); input()"
WAITS = "flock,nanosleep,futex_waitv,timerfd_create"


@pytest.fixture
def where(namespace):
    return namespace


@pytest.fixture
def a(owner):
    """The owning socket of the block."""
    return owner.tcp()


@pytest.fixture
def block(a):
    return a.acquire(START, COUNT)


@pytest.fixture
def stop(start, pool):
    """stop() -> another process has the pool's lock, and is stopped."""
    def stop():
        (file,) = pool.glob("pool-*")
        holder = start(["/usr/bin/python3", "-c", HOLDER, file])
        assert holder.line() == "1"
        os.kill(holder.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, holder.pid, os.WSTOPPED)
        return holder

    return stop


@pytest.fixture
def fresh(player, namespace, tmp_path, shim_env, bare_env, has):
    """fresh() -> a player that has not bound yet, under strace."""
    if not has("strace"):
        pytest.skip("needs strace")
    traced = ["strace", "-f", "-o", tmp_path / "trace", "-e", f"trace={WAITS}",
              f"-ELD_PRELOAD={shim_env['LD_PRELOAD']}"]
    return lambda: player(bare_env, prefix=[*namespace, *traced])


def calls_of(trace):
    return re.findall(rf"\b({WAITS.replace(',', '|')})\(", trace.read_text())


@pytest.fixture
def waits(tmp_path):
    """waits(one): ends such a player, and says what it waited for."""
    def waits(one):
        one.end()
        return calls_of(tmp_path / "trace")

    return waits


def test_a_first_bind(block, fresh, stop, waits):
    stop()
    one = fresh()
    x = one.tcp()
    with refused(EADDRINUSE):
        x.bind(START + 1)
    assert x.bind(START + COUNT) == START + COUNT
    # The other protocol's ports are not reserved.
    assert one.udp().bind(START + 1) == START + 1
    assert waits(one) == []


@pytest.mark.parametrize("how", ["bind", "listen", "udp-sendto", "udp-connect"])
def test_a_port_that_the_system_chooses(owner, fresh, stop, waits, how):
    blocks = owner.tcp().acquire(LOW, 20000), owner.udp().acquire(LOW, 20000)
    stop()
    one = fresh()
    x = unbound(one, how)
    CHOOSERS[how](x, None, 0)
    assert x.port > 0 and all(x.port not in block for block in blocks)
    assert waits(one) == []


def test_a_dead_owners_port(owner, block, fresh, stop, waits):
    stop()
    owner.kill()
    one = fresh()
    assert one.tcp().bind(START) == START
    assert waits(one) == []


@pytest.mark.parametrize("how", ["bind", "listen"])
def test_an_associated_socket_never_leaves_its_block(owner, block, stop, how):
    x = owner.tcp()
    x.associate(block)
    holder = stop()
    with refused(ENETDOWN):
        CHOOSERS[how](x, None, 0)
    assert x.port == 0
    with refused(EADDRNOTAVAIL):
        x.bind(START + 90)
    holder.kill()
    # It is associated all the same.
    CHOOSERS[how](x, None, 0)
    assert x.port == START


@pytest.mark.parametrize("how", ["udp-sendto", "udp-connect"])
def test_nor_does_one_of_udp(owner, stop, how):
    x = owner.udp()
    x.associate(owner.udp().acquire(START, COUNT))
    stop()
    with refused(ENETDOWN):
        CHOOSERS[how](x, None, 0)
    assert x.port == 0


def test_an_associated_socket_binds_to_one_of_its_ports(owner, block, stop):
    x = owner.tcp()
    x.associate(block)
    stop()
    assert x.bind(START + 2) == START + 2


def test_what_asks_for_the_pool_hears_of_it(owner, a, block, stop):
    x = owner.tcp()
    stop()
    with refused(ENETDOWN):
        x.acquire(START + 50, 1)
    with refused(ENETDOWN):
        x.associate(block)
    with refused(ENETDOWN):
        a.release(block)


def test_programs_start_under_portres_run(
    build, start, block, stop, bare_env, tmp_path, namespace
):
    """Each finds its inherited block at its start, and waits for nobody."""
    out = tmp_path / "trace"
    text = f"echo $PORTRES_PORT; read x; strace -f -o {out} -e trace={WAITS} /bin/true; echo $?"
    shell = start([*namespace, build / "portres", "run", "--tcp", "1", "sh", "-c", text],
                  bare_env)
    assert shell.line().isdigit()
    stop()
    assert shell.ask("go on") == "0"
    assert calls_of(out) == []


def mark_of(pool, port):
    """The place of a TCP port's mark in the pool's file: (path, offset)."""
    (file,) = pool.glob("pool-*")
    header = file.read_bytes()[:24]
    slot_size, segment_size = struct.unpack("<II", header[16:24])
    return file, 4096 + 8192 * slot_size + port // 512 * segment_size + port % 512 * 2


def write_mark(pool, port, mark):
    file, at = mark_of(pool, port)
    with file.open("r+b") as f:
        f.seek(at)
        f.write(struct.pack("<H", mark))


def test_a_port_that_is_being_reserved_is_refused(block, stop, pool, other):
    """By the stopped process, perhaps: it is marked, and no slot has it yet."""
    write_mark(pool, START + 60, 77)
    holder = stop()
    x = other.tcp()
    with refused(EADDRINUSE):
        x.bind(START + 60)
    holder.kill()
    assert x.bind(START + 60) == START + 60


def test_a_pool_named_by_a_relative_path(shim_env, pool, player):
    """It is where it was when the program began."""
    player().tcp().acquire(START, COUNT)
    one = player({**shim_env, "PORTRES_POOL": pool.name}, cwd=pool.parent)
    one.os.chdir("/")
    with refused(EADDRINUSE):
        one.tcp().bind(START)
