# SPDX-License-Identifier: MIT
"""Calls beside a block over the whole ephemeral range, where no port is left:
a call that needs none goes to the kernel, and so does one that it refuses."""

import socket
import subprocess
from errno import (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, ECONNREFUSED, EFAULT, EINVAL,
                   ENETDOWN)

import pytest

from kits.playing import refused
from kits.real import until

LOW, COUNT = 40000, 10
SINK = ("127.0.0.1", 9)
UNSPEC = bytes(16)
V6 = (10).to_bytes(2, "little") + bytes(26)


@pytest.fixture
def where(namespace):
    write = f"echo {LOW} {LOW + COUNT - 1} >/proc/sys/net/ipv4/ip_local_port_range"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    return namespace


@pytest.fixture
def reserver(player, where):
    """Has the whole range, of both protocols."""
    one = player(prefix=where)
    one.tcp().acquire(LOW, COUNT)
    one.udp().acquire(LOW, COUNT)
    return one


def listens(one, peer):
    server = one.tcp()
    server.bind(6000)
    server.listen(1)
    server.listen(5)  # and again, for another backlog


def connects(one, peer):
    client = one.tcp()
    client.bind(6001)
    client.connect(peer)


def connects_udp(one, peer):
    client = one.udp()
    client.bind(6002)
    client.connect(9)
    client.connect(10)


def sends(one, peer):
    client = one.udp()
    client.bind(6003)
    client.sendto(b"", SINK)
    client.sendmsg([b""], [], 0, SINK)


NEED_NONE = pytest.mark.parametrize("use", [listens, connects, connects_udp, sends])


@pytest.fixture
def peer(other):
    server = other.tcp()
    server.bind(6100)
    server.listen()
    return 6100


@NEED_NONE
@pytest.mark.parametrize("owner_lives", [True, False], ids=["alive", "killed"])
def test_a_socket_that_has_its_port(reserver, other, peer, use, owner_lives):
    if not owner_lives:
        reserver.kill()
    use(other, peer)


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_call_that_chooses_nothing(reserver, other, kind):
    x = other.sock(kind)
    x.by_libc("connect", UNSPEC)
    for address, error in ((b"", EINVAL), (V6, EAFNOSUPPORT)):
        if kind == "tcp" or not address:
            with refused(error):
                x.by_libc("connect", address)
    # It has not been bound on the way.
    assert x.bind(6200) == 6200


def test_a_wild_address_is_the_kernels_to_refuse(reserver, other):
    with refused(EFAULT):
        other.udp().sendto_wild()


def test_a_connect_after_a_refused_one(player, where, other):
    """The socket shows a port that it has given up; the block's owner is dead."""
    x = other.tcp()
    with refused(ECONNREFUSED):
        x.connect(6300)
    assert x.port
    owner = player(prefix=where)
    owner.tcp().acquire(LOW, COUNT)
    with refused(EADDRNOTAVAIL):
        x.connect(6300)
    owner.kill()
    with refused(ECONNREFUSED):
        x.connect(6300)


def test_fast_open_keeps_nobody_waiting(player, where, other):
    """It waits for a peer whose queue is full; what it announced would be a port."""
    owner = player(prefix=where)
    owner.tcp().acquire(LOW, 2)
    server = owner.tcp()
    server.bind(6400)
    server.listen(0)
    crowd = [other.tcp() for _ in range(3)]
    for x in crowd:
        x.setblocking(False)
        x.connect_ex(("127.0.0.1", 6400))
    x = other.tcp()
    waiting = other.begin(x.sendto, b"x", socket.MSG_FASTOPEN, ("127.0.0.1", 6400))
    until(lambda: owner.run(connections, 6400) == len(crowd) + 1, "it does not send")
    y = owner.tcp()
    free = [port for port in range(LOW + 2, LOW + COUNT) if owner.run(is_free, port)]
    assert y.acquire(free[-1], 1)
    other.kill()
    del waiting


def connections(port):
    """Those to the port, which have their own by then. For a player."""
    with open("/proc/self/net/tcp") as file:
        return sum(line.split()[2].endswith(f":{port:04X}") for line in file)


def is_free(port):
    try:
        with socket.socket() as x:
            x.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("how", ["unspec", "short", "foreign", "bind foreign", "needs one"])
def test_strict_leaves_the_kernels_answers(player, shim_env, tmp_path, how):
    """There is no pool to be had."""
    env = {**shim_env, "PORTRES_STRICT": "1", "PORTRES_POOL": str(tmp_path / "none")}
    x = player(env).tcp()
    if how == "unspec":
        x.by_libc("connect", UNSPEC)
        return
    error, call, address = {
        "short": (EINVAL, "connect", b""),
        "foreign": (EAFNOSUPPORT, "connect", V6),
        "bind foreign": (EAFNOSUPPORT, "bind", V6),
        "needs one": (ENETDOWN, "bind", socket.AF_INET.to_bytes(2, "little") + bytes(14)),
    }[how]
    with refused(error):
        x.by_libc(call, address)


def test_a_duplicate_over_a_number_that_has_sent(owner):
    """It is another socket's then, and that one is associated."""
    block = owner.udp().acquire(26000, 2)
    x, y = owner.udp(), owner.udp()
    x.sendto(b"", SINK)
    y.associate(block)
    owner.os.dup2(y.fileno(), x.fileno())
    x.sendto(b"", SINK)
    assert x.port in block


def test_no_port_left_is_no_earlier_refusal(reserver, player, where, shim_env):
    """portres_refusal() tells of the last call, or of none."""
    def refusal():
        import ctypes
        found = (ctypes.c_uint32 * 14)()
        ctypes.set_errno(98)
        library = ctypes.CDLL(None, use_errno=True)
        ctypes.set_errno(98)
        assert library.portres_refusal(found) == 0
        return found[1]

    one = player(prefix=where)
    reserver.tcp().acquire(26010, 1)
    with refused(EADDRINUSE):
        one.tcp().bind(26010)
    assert one.run(refusal) == 1
    with refused(EADDRINUSE):
        one.tcp().bind(0)
    assert one.run(refusal) == 0
