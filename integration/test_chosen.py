# SPDX-License-Identifier: MIT
"""Ports that the system chooses: never reserved ones."""

import subprocess
from errno import (EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EINVAL, ENOPROTOOPT,
                   EOPNOTSUPP)

import pytest

from kits.choosers import (BLOCK, CHOOSERS, HIGH, IP_LOCAL_PORT_RANGE, LOW, SINK,
                           connects, kind_of, stays, unbound, unspec)
from kits.playing import refused


@pytest.fixture
def where(namespace):
    return namespace


@pytest.fixture
def block(owner):
    """Most of the ephemeral range, of TCP; udp_block the same of UDP."""
    return owner.tcp().acquire(*BLOCK)


@pytest.fixture
def udp_block(owner):
    return owner.udp().acquire(*BLOCK)


@pytest.mark.parametrize("how", [how for how in CHOOSERS if how != "udp-bind"])
def test_the_system_never_chooses_a_reserved_port(owner, server, how):
    block = owner.sock(kind_of(how)).acquire(*BLOCK)
    port = server.port
    socks = [unbound(owner, how) for _ in range(300)]
    for i, x in enumerate(socks):
        CHOOSERS[how](x, port, i % 256)
        if connects(how):
            server.accept().close()
        assert x.port not in block
        assert LOW <= x.port <= HIGH
    # The kernel's own choice was not narrowed for good. MPTCP says of an option
    # that it does not know ENOTSUP.
    try:
        assert socks[0].getsockopt(0, IP_LOCAL_PORT_RANGE) == 0
    except OSError as error:
        assert error.errno in (ENOPROTOOPT, EOPNOTSUPP)


def test_a_number_that_comes_back_is_another_socket(owner, udp_block):
    """A socket that has sent once sends on without our look, its successor not."""
    seen = set()
    for _ in range(100):
        with owner.udp() as x:
            x.sendto(b"", SINK)
            seen.add(x.fileno())
            assert x.port not in udp_block
    assert len(seen) == 1


@pytest.mark.parametrize("through", ["itself", "duplicate"])
def test_a_port_that_was_given_up(udp_block, other, through):
    """A UDP socket that leaves its peer has no port again, and sends once more."""
    x = other.udp()
    leaving = x if through == "itself" else x.dup()
    for _ in range(50):
        x.sendto(b"", SINK)
        assert x.port not in udp_block
        x.connect(9)
        leaving.by_libc("connect", unspec(0))
        assert (x.port == 0) != stays(x)


@pytest.mark.parametrize("size", [2, 4, 15])
def test_a_short_address_gets_einval_and_no_reserved_port(
    owner, other, block, udp_block, size
):
    """UDP chooses the port first, and complains then; TCP complains at once."""
    short = ((2).to_bytes(2, "little") + bytes(14))[:size]
    for _ in range(50):
        x = other.udp()
        with refused(EINVAL):
            x.by_libc("connect", short)
        assert x.port not in udp_block
    y = owner.tcp()
    y.associate(block)
    with refused(EINVAL):
        y.by_libc("connect", short)
    assert y.port == 0


def test_connect_without_a_family_takes_no_port(owner, udp_block):
    """It takes a connection apart, if there is one."""
    x, y = owner.udp(), owner.udp()
    x.associate(owner.udp().acquire(26000, 3))
    for sock in x, y:
        sock.by_libc("connect", unspec(9))
        assert sock.port == 0
    assert x.bind(0) == 26000


@pytest.mark.parametrize("how,full", [("bind", EADDRINUSE), ("connect", EADDRNOTAVAIL)])
def test_the_choice_goes_from_one_free_part_to_the_next(
    owner, server, namespace, how, full
):
    """And leaves none out. The parts have three ports and six: before Linux 6.8
    the kernel does not find the last one of three by itself."""
    write = "echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    owner.tcp().acquire(40003, 1)
    chosen = set()
    for _ in range(9):
        x = owner.tcp()
        CHOOSERS[how](x, server.port, 1)
        chosen.add(x.port)
    assert chosen == {*range(40000, 40010)} - {40003}
    with refused(full):
        CHOOSERS[how](owner.tcp(), server.port, 1)


def test_the_whole_ephemeral_range_reserved(owner, server):
    owner.tcp().acquire(LOW, HIGH - LOW + 1)
    x, y = owner.tcp(), owner.tcp()
    with refused(EADDRINUSE):
        x.bind(0)
    with refused(EADDRNOTAVAIL):
        x.connect(server.port)
    with refused(EADDRINUSE):
        y.listen()
    with refused(EADDRNOTAVAIL):
        CHOOSERS["fastopen"](y, server.port, 1)
    owner.udp().acquire(LOW, HIGH - LOW + 1)
    u = owner.udp()
    with refused(EADDRNOTAVAIL):
        u.connect(9)
    with refused(EAGAIN):
        u.sendto(b"", SINK)


def test_a_program_keeps_its_own_port_range(block, other):
    first = block.start + block.count - 5
    option = first | (first + 9) << 16
    x = other.tcp()
    try:
        x.setsockopt(0, IP_LOCAL_PORT_RANGE, option.to_bytes(4, "little"))
    except OSError as error:
        assert error.errno == ENOPROTOOPT
        pytest.skip("before Linux 6.3")
    assert x.bind(0) in range(first + 5, first + 10)
    assert x.getsockopt(0, IP_LOCAL_PORT_RANGE, 4) == option.to_bytes(4, "little")
