# SPDX-License-Identifier: MIT
"""Ports that the system chooses, where something is in the way: the choice is
put off, descriptors or ports run out, a connect was refused before."""

import fcntl
import select
import socket
import subprocess
from errno import (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, ECONNREFUSED,
                   EFAULT, EINVAL, EMFILE, ENOPROTOOPT)

import pytest

from kits.choosers import (BLOCK, CHOOSERS, HIGH, IP_LOCAL_PORT_RANGE, LOW, SINK,
                           connects, kind_of, stays, unbound)
from kits.playing import attempt, refused

IP_BIND_ADDRESS_NO_PORT = 24


@pytest.fixture
def where(namespace):
    return namespace


@pytest.mark.parametrize("how", ["listen", "connect", "fastopen", "udp-connect", "udp-sendto"])
def test_a_bind_that_puts_the_choice_off(owner, server, how):
    block = owner.sock(kind_of(how)).acquire(*BLOCK)
    for i in range(60):
        x = unbound(owner, how)
        x.setsockopt(0, IP_BIND_ADDRESS_NO_PORT, 1)
        assert x.bind(0) == 0
        CHOOSERS[how](x, server.port, i)
        if connects(how):
            server.accept().close()
        assert x.port not in block
        assert x.getsockopt(0, IP_BIND_ADDRESS_NO_PORT) == 1


@pytest.fixture
def two_left(owner, other, namespace):
    """An ephemeral range of ten ports; eight are reserved, of TCP and of UDP."""
    write = "echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    owner.tcp().acquire(40001, 8)
    owner.udp().acquire(40001, 8)
    other.tcp().bind(28000)  # opens the pool
    return {40000, 40009}


CHOICES = {
    "bind": EADDRINUSE,
    "listen": EADDRINUSE,
    "connect": EADDRNOTAVAIL,
    "udp-bind": EADDRINUSE,
    "udp-connect": EADDRNOTAVAIL,
    "udp-sendto": EAGAIN,
}


@pytest.mark.parametrize("how", CHOICES)
def test_no_descriptor_left(other, server, two_left, how):
    x, y, third = (unbound(other, how) for _ in range(3))
    port = server.port
    free = other.os.dup(0)
    other.os.close(free)
    other.resource.setrlimit(other.resource.RLIMIT_NOFILE, (free, 4096))
    with refused(EMFILE):
        other.os.dup(0)
    for sock in x, y:
        CHOOSERS[how](sock, port, 1)
    assert {x.port, y.port} == two_left
    with refused(CHOICES[how]):
        CHOOSERS[how](third, port, 1)


@pytest.mark.parametrize("how", CHOICES)
def test_a_dead_block_over_the_whole_range(owner, other, server, how):
    owner.sock(kind_of(how)).acquire(LOW, HIGH - LOW + 1)
    x = unbound(other, how)
    with refused(CHOICES[how]):
        CHOOSERS[how](x, server.port, 1)
    owner.kill()
    CHOOSERS[how](x, server.port, 1)
    assert LOW <= x.port <= HIGH


@pytest.mark.parametrize("why", ["no address", "no port"])
def test_a_connect_that_fails_waits_for_nobody(owner, other, namespace, pool, why):
    """Its error says one thing of both, and neither is a reason to wait for the
    pool, as a call that frees what the dead have reserved must."""
    write = {
        "no address": "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6",
        "no port": "echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range",
    }[why]
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    first, count = (40000, 10) if why == "no port" else (LOW + 100, 1)
    owner.tcp().acquire(first, count)
    attempt(other.tcp(socket.AF_INET6).bind, 28000, "::")
    x = other.tcp(socket.AF_INET6)
    (file,) = pool.glob("pool-*")
    with file.open("r+") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        answer = other.begin(x.connect, 28000)
        assert select.select([other.popen.stdout], [], [], 3)[0], "it waits"
        with refused(EADDRNOTAVAIL):
            answer()


def refuse_a_connect(sock, address=None):
    with refused(ECONNREFUSED):
        sock.connect(9, address)


@pytest.mark.parametrize("how", ["connect", "connect6", "listen", "fastopen"])
def test_after_a_connect_that_was_refused(owner, server, how):
    """The socket has given its port back, which the kernel goes on showing."""
    block = owner.tcp().acquire(*BLOCK)
    for i in range(60):
        x = unbound(owner, how)
        refuse_a_connect(x, "::ffff:127.0.0.1" if how.endswith("6") else None)
        CHOOSERS[how](x, server.port, 1)
        assert x.port not in block
        if connects(how):
            server.accept().close()
    # Unbound, it can be associated; bound, it cannot.
    y, z = owner.tcp(), owner.tcp()
    z.bind(28010)
    refuse_a_connect(y)
    refuse_a_connect(z)
    for sock in [z, y] if stays(y) else [z]:
        with refused(EINVAL):
            sock.associate(block)
    if not stays(y):
        y.associate(block)
        assert y.bind(0) == block.start


@pytest.mark.parametrize("how", ["connect", "listen"])
def test_one_with_an_address_of_its_own(owner, server, how):
    """Bound, or bound once: the kernel shows the same of both."""
    block = owner.tcp().acquire(*BLOCK)
    for i in range(60):
        x, y = owner.tcp(), owner.tcp()
        x.bind(0)
        refuse_a_connect(x)
        CHOOSERS[how](x, server.port, 1)
        assert x.port not in block
        y.bind(26100 + i)
        refuse_a_connect(y)
        CHOOSERS[how](y, server.port, 1)
        assert y.port == 26100 + i
        try:
            assert y.getsockopt(0, IP_LOCAL_PORT_RANGE) == 0
        except OSError as error:
            assert error.errno == ENOPROTOOPT


def test_a_bind_after_a_connect_that_was_refused(owner):
    """Of a socket that has an address of its own."""
    block = owner.tcp().acquire(*BLOCK)
    for _ in range(60):
        with owner.tcp() as x:
            x.bind(0)
            refuse_a_connect(x)
            if stays(x):
                with refused(EINVAL):
                    x.bind(0)
            else:
                assert x.bind(0) not in block
            assert x.port not in block


def test_a_send_of_no_messages_takes_no_port(owner, other):
    socks = [other.udp() for _ in range(40)]
    for x in socks:
        assert other.libc.sendmmsg(x.fileno(), None, 0, 0) == 0
    block = owner.udp().acquire(*BLOCK)
    for x in socks:
        x.sendto(b"", SINK)
        assert x.port not in block


WITH_NO_PORT = {
    "sendto": (lambda tcp, udp: udp.sendto(b"", SINK), EAGAIN),
    "bind": (lambda tcp, udp: tcp.bind(0), EADDRINUSE),
}


@pytest.mark.parametrize("preloaded", [True, False])
@pytest.mark.parametrize("what", WITH_NO_PORT)
def test_what_is_said_where_no_port_is_left(
    player, shim_env, bare_env, namespace, what, preloaded
):
    """Whether the range's ports are reserved or, without us, all in use."""
    write = "echo 40000 40003 >/proc/sys/net/ipv4/ip_local_port_range"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    one = player(shim_env if preloaded else bare_env, prefix=namespace)
    for kind in "tcp", "udp":
        for port in range(40000, 40004):
            if preloaded:
                one.sock(kind).acquire(port, 1)
            else:
                one.sock(kind).bind(port, "0.0.0.0")
    call, error = WITH_NO_PORT[what]
    with refused(error):
        call(one.tcp(), one.udp())
