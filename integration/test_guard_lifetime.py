# SPDX-License-Identifier: MIT
"""The guard: a block lives exactly as long as its owning socket, and races for it
have one winner."""

import os
import signal
import socket
import struct
import subprocess
import time
from errno import EADDRINUSE

import pytest

from kits.playing import held, refused


@pytest.fixture
def owner(guarded):
    return guarded.player()


@pytest.fixture
def other(guarded):
    return guarded.player()


def until_free(other):
    """Where the end is not known to the moment; each question makes a socket of
    AF_UNIX, which has the kernel look for garbage."""
    deadline = time.monotonic() + 20
    while held(other, 5000):
        assert time.monotonic() < deadline
        other.socket.socket(socket.AF_UNIX).close()


@pytest.fixture(autouse=True)
def nothing_left(guarded):
    yield
    for program in guarded.start.running:
        if program is not guarded.holder:
            program.close()
    assert guarded.status()["blocks"] == 0


def test_through_duplicates(owner, other):
    block = owner.tcp().guarded(5000, 3)
    copy = block.dup()
    block.close()
    assert held(other, 5000)
    copy.close()
    assert not held(other, 5000)


def test_with_a_child(owner, other):
    owner.tcp().guarded(5000, 3)
    owner.become_child()
    assert held(other, 5000)
    with pytest.raises(AssertionError, match="ended"):
        owner.os._exit(0)
    until_free(other)


def test_sigkill_ends_it_at_once(guarded, other):
    """When the kernel has reaped the process the ports are free, without a wait."""
    for _ in range(20):
        owner = guarded.player()
        owner.tcp().guarded(5000, 1000)
        assert held(other, 5000)
        owner.kill()
        assert not held(other, 5000)


def test_in_a_message(owner, other):
    pair = owner.socket.socketpair()
    block = owner.tcp().guarded(5000, 3)
    owner.socket.send_fds(pair[0], [b"x"], [block.fileno()])
    block.close()
    assert held(other, 5000)
    pair[1].close()
    assert not held(other, 5000)


def test_in_a_message_that_nobody_can_receive(owner, other):
    """A cycle of sockets in flight, which the kernel collects in its own time."""
    block = owner.tcp().guarded(5000, 3)
    pair = owner.socket.socketpair()
    owner.socket.send_fds(pair[0], [b"x"], [pair[1].fileno()])
    owner.socket.send_fds(pair[0], [b"x"], [block.fileno()])
    for sock in block, pair[0], pair[1]:
        sock.close()
    until_free(other)


def test_through_exec(owner, other):
    block = owner.tcp().guarded(5000, 3)
    block.set_inheritable(True)
    number = block.fileno()
    owner.exec_again()
    assert held(other, 5000)
    owner.os.close(number)
    assert not held(other, 5000)


def test_not_through_exec_where_it_is_closed(owner, other):
    owner.tcp().guarded(5000, 3)
    owner.exec_again()
    assert not held(other, 5000)


def test_heirs(guarded, owner, other):
    """A process whose descriptor it is, wherever it has it from; at another number it
    is none."""
    block = owner.tcp().guarded(5000, 3, heirs=True)
    block.set_inheritable(True)
    number = block.fileno()
    assert not held(owner, 5000)
    owner.exec_again()
    assert not held(owner, 5000) and held(other, 5000)
    owner.os.dup2(number, 100)
    owner.os.close(number)
    assert held(owner, 5000)
    sock = owner.tcp()
    sock.guard("associate", 7, 5000, 3, 100)
    assert sock.bind(5000) == 5000
    owner.os.dup2(100, number)
    assert not held(owner, 5001)


def test_another_socket_at_the_heirs_number(owner):
    block = owner.tcp().guarded(5000, 3, heirs=True)
    number = block.fileno()
    kept = block.dup()
    for other in owner.tcp(), owner.socket.socket(socket.AF_UNIX), owner.open("/dev/null"):
        owner.os.dup2(other.fileno(), number)
        with refused(EADDRINUSE):
            owner.tcp().bind(5001)
    kept.close()


@pytest.fixture
def racer(compiled):
    return compiled("guard/racer.c", ["-O1"])


def test_strangers_that_spin(guarded, racer):
    """Three that bind its ports all the time while a block comes and goes: none has
    one while it lives."""
    said = subprocess.run([*guarded.inside, racer, "spin", "5"], capture_output=True, text=True,
                          check=True, timeout=60).stdout
    got, violations = map(int, said.split())
    assert got > 100 and violations == 0, said


def test_acquires_that_overlap(guarded, racer):
    """Of eight processes that ask at the same time one gets it, two thousand
    times."""
    said = subprocess.run([*guarded.inside, racer, "overlap", "2000"], capture_output=True,
                          text=True, check=True, timeout=60).stdout
    rounds, winners, most = map(int, said.split())
    assert (rounds, winners, most) == (2000, 2000, 1), said


def test_two_that_end_the_same_block(guarded, compiled):
    """It ends once: the count of blocks, by which the guard knows that it has any,
    is right afterwards."""
    said = subprocess.run([*guarded.inside, compiled("guard/enders.c", ["-O1"]), "3"],
                          capture_output=True, text=True, check=True, timeout=60).stdout
    tried, let_in = map(int, said.split())
    assert tried > 100 and let_in == 0, said


@pytest.mark.parametrize("request_", ["associate", "join", "drop"])
def test_a_block_whose_place_is_taken_meanwhile(guarded, compiled, request_):
    """A request looks the block up, and before it is through the block has ended, and
    another is where it was: it is none about that."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two processors")
    program = compiled("guard/meanwhile.c", ["-O1"])
    said = subprocess.run([*guarded.inside, program, request_, "60000"], capture_output=True,
                          text=True, check=True, timeout=120).stdout
    met, wrong = map(int, said.split())
    assert met > 0 and wrong == 0, said


def test_an_acquire_after_a_kill(guarded, other):
    """Nobody waits, or tries again."""
    for _ in range(20):
        owner = guarded.player()
        owner.tcp().guarded(5000, 20)
        os.kill(owner.pid, signal.SIGKILL)
        owner.popen.wait()
        other.tcp().guarded(5000, 20).close()


def chosen(how):
    """Ports that the system chooses, forty times: numbers, or errors."""
    def one():
        if how == "bind":
            return tcp().bind(0)
        if how == "bind udp":
            return udp().bind(0)
        if how == "listen":
            sock = tcp()
            sock.listen(1)
            return sock.getsockname()[1]
        if how == "connect":
            server = tcp()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(7777)
            server.listen(64)
            sock = tcp()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.connect(7777)
            return sock.getsockname()[1]
        sock = udp()
        sock.sendto(b"x", ("127.0.0.1", 9))
        return sock.getsockname()[1]

    found = set()
    for _ in range(40):
        try:
            found.add(one())
        except OSError as error:
            found.add(errno.errorcode[error.errno])
    return found


def sysctl(guarded, name, value=None):
    command = ["sh", "-c", 'cat /proc/sys/net/ipv4/"$1"; test -z "$2" || echo "$2" '
               '>/proc/sys/net/ipv4/"$1"', "sh", name, value or ""]
    return subprocess.run([*guarded.outside, *command], capture_output=True, text=True,
                          check=True).stdout.strip()


WAYS = ["bind", "bind udp", "listen", "connect", "sendto"]


@pytest.mark.parametrize("area", [False, True])
def test_ports_that_the_system_chooses(guarded, owner, other, area):
    """A block in its range: with --area it never chooses one of its ports; without,
    a bind to port 0 may be refused, as docs/limits.md says."""
    sysctl(guarded, "ip_local_port_range", "40000 40003")
    if area:
        guarded.on("--area", "40000-40002")
        assert guarded.status()["area"] == 3
    block = owner.tcp().guarded(40000, 3)
    owner.udp().guarded(40000, 3)
    for way in WAYS:
        found = other.run(chosen, way)
        if area:
            assert found == {40003}, way
        elif way.startswith("bind"):
            assert found <= {40003, "EADDRINUSE"}, way
    sock = owner.tcp()
    sock.guard("associate", 7, 40000, 3, block.fileno())
    assert sock.bind(40001) == 40001


@pytest.mark.parametrize("area", [False, True])
def test_a_range_of_ones_own(guarded, owner, other, area):
    """By IP_LOCAL_PORT_RANGE a program has the system choose a port of a block,
    which listen() does not refuse; with --area there is none to choose."""
    if area:
        guarded.on("--area", "40000-40002")
    owner.tcp().guarded(40000, 3)
    sock = other.tcp()
    try:
        sock.setsockopt(socket.IPPROTO_IP, 51, struct.pack("=I", 40002 << 16 | 40002))
    except OSError as error:
        pytest.skip(f"no IP_LOCAL_PORT_RANGE: {error}")
    if area:
        with refused(EADDRINUSE):
            sock.listen(1)
    else:
        sock.listen(1)
        assert sock.getsockname()[1] == 40002


def test_the_area_is_given_back(guarded):
    """All of it but what was there before."""
    sysctl(guarded, "ip_local_reserved_ports", "41000-41009,45000")
    guarded.on("--area", "41005-41019")
    assert sysctl(guarded, "ip_local_reserved_ports") == "41000-41019,45000"
    guarded.off()
    assert sysctl(guarded, "ip_local_reserved_ports") == "41000-41009,45000"
    guarded.on()

