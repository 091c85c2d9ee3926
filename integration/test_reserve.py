# SPDX-License-Identifier: MIT
"""Acquire, associate, release and bind, as programs see them."""

import fcntl
import os
import select
import socket
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOBUFS

import pytest

from kits.choosers import unspec
from kits.playing import attempt, port_in_time_wait, refused

FAMILIES = [socket.AF_INET, socket.AF_INET6]
KINDS = ["tcp", "udp"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_reserved_port_is_refused_to_others(owner, other, kind, family):
    block = owner.sock(kind, family).acquire(21000, 20)
    assert (block.start, block.count) == (21000, 20) and block.token != 0
    for port in (21000, 21013, 21019):
        for program in (other, owner):
            with refused(EADDRINUSE):
                program.sock(kind, family).bind(port)
    for port in (20999, 21020):
        assert other.sock(kind, family).bind(port) == port


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_family_is_refused_and_the_other_protocol_is_not(
    owner, other, kind
):
    owner.sock(kind, socket.AF_INET).acquire(21000, 2)
    with refused(EADDRINUSE):
        other.sock(kind, socket.AF_INET6).bind(21000)
    twin = "udp" if kind == "tcp" else "tcp"
    assert other.sock(twin).bind(21000) == 21000
    other.sock(twin).acquire(21001, 1)


@pytest.mark.parametrize("option", ["SO_REUSEADDR", "SO_REUSEPORT"])
def test_reuse_options_do_not_help(owner, other, option):
    owner.tcp().acquire(21000, 1)
    x = other.tcp()
    x.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
    with refused(EADDRINUSE):
        x.bind(21000)


def test_an_address_of_no_family_is_ipv4(owner, other):
    """bind() takes AF_UNSPEC and the wildcard for AF_INET."""
    owner.tcp().acquire(21000, 1)
    x = other.tcp()
    with refused(EADDRINUSE):
        x.by_libc("bind", unspec(21000))
    x.by_libc("bind", unspec(21001))


def test_overlap_is_refused_at_each_edge(owner, other):
    owner.tcp().acquire(21010, 10)
    x = other.tcp()
    for start, count in ((21005, 6), (21019, 5), (21000, 40), (21012, 1)):
        with refused(EADDRINUSE):
            x.acquire(start, count)
    x.acquire(21000, 10)
    x.acquire(21020, 10)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "127.9.8.7"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_port_in_use_cannot_be_reserved(owner, other, kind, address):
    x = other.sock(kind)
    x.bind(21003, address)
    a = owner.sock(kind)
    with refused(EADDRINUSE):
        a.acquire(21000, 5)
    x.close()
    a.acquire(21000, 5)


def test_a_port_in_use_by_a_program_without_us(player, bare_env, owner):
    stranger = player(bare_env)
    x = stranger.tcp(socket.AF_INET6)
    x.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    x.bind(21003)
    with refused(EADDRINUSE):
        owner.tcp().acquire(21000, 5)


def test_ones_own_bound_port_is_in_use(owner):
    a = owner.tcp()
    a.bind(21000)
    with refused(EADDRINUSE):
        a.acquire(21000, 1)
    a.acquire(21001, 1)


def test_time_wait_is_not_in_use(owner, other, socket_list):
    # Not one of other tests': it is unusable for a minute afterwards.
    port = port_in_time_wait(other, range(23000, 24000))
    with refused(EADDRINUSE):
        other.tcp().bind(port)  # it is there
    owner.tcp().acquire(port, 1)


def test_wildcard_blocks_are_disjoint_and_clear_of_the_ephemeral_range(owner):
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        low, high = map(int, f.read().split())
    a = owner.udp()
    seen = set()
    for _ in range(10):
        block = a.acquire(0, 64)
        ports = set(range(block.start, block.start + block.count))
        assert len(ports) == 64 and not ports & seen
        assert min(ports) > high or max(ports) < low
        seen |= ports


def test_wildcard_steps_over_ports_in_use(player, shim_env):
    owner, other = player({**shim_env, "PORTRES_WILDCARD": "21000-21009"}), player()
    other.tcp().bind(21004)
    a = owner.tcp()
    assert a.acquire(0, 5).start == 21005
    with refused(ENOBUFS):
        a.acquire(0, 5)
    assert a.acquire(0, 4).start == 21000


def test_associated_sockets_bind_inside(owner):
    block = owner.tcp().acquire(21000, 3)
    x, y, z, fourth = (owner.tcp() for _ in range(4))
    for sock in (x, y, z, fourth):
        sock.associate(block)
    assert {x.bind(0), y.bind(0), z.bind(0)} == {21000, 21001, 21002}
    with refused(EADDRINUSE):
        fourth.bind(0)
    port = y.port
    y.close()
    assert fourth.bind(0) == port


def test_associated_explicit_ports(owner):
    a = owner.tcp()
    block = a.acquire(21000, 3)
    a.associate(block)  # the acquiring socket itself
    with refused(EADDRNOTAVAIL):
        a.bind(21003)
    with refused(EADDRNOTAVAIL):
        a.bind(20999)
    assert a.bind(21002) == 21002
    with refused(EINVAL):
        a.associate(block)  # bound


def test_udp_with_reuseaddr_gets_a_port_of_its_own(owner):
    block = owner.udp().acquire(21000, 2)
    x, y = owner.udp(), owner.udp()
    for sock in (x, y):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.associate(block)
    assert {x.bind(0), y.bind(0)} == {21000, 21001}


def test_tokens_that_are_refused(owner, other):
    a = owner.tcp()
    block = a.acquire(21000, 3)
    u = owner.udp()
    x = other.tcp()
    for sock, token in ((a, 0), (a, block.token + 8192), (u, block)):
        with refused(EINVAL):
            sock.associate(token)
        with refused(EINVAL):
            sock.release(token)
    with refused(EACCES):
        x.associate(block)
    with refused(EINVAL):
        x.release(block)
    a.release(block)
    with refused(EINVAL):
        a.release(block)
    with refused(EINVAL):
        a.associate(block)


def test_release_frees_all_but_what_is_bound(owner, other):
    block = owner.tcp().acquire(21000, 3)
    x = owner.tcp()
    x.associate(block)
    assert x.bind(21001) == 21001
    owner.tcp().release(block)
    b = other.tcp()
    with refused(EADDRINUSE):
        b.acquire(21000, 3)
    b.acquire(21002, 1)
    b.acquire(21000, 1)


def test_an_association_ends_with_its_reservation(owner):
    a = owner.tcp()
    block = a.acquire(21000, 3)
    x = owner.tcp()
    x.associate(block)
    a.release(block)
    assert x.bind(21005) == 21005


def test_several_acquires_on_one_socket_die_with_it(owner, other):
    a = owner.tcp()
    for start in (21000, 21010, 21020):
        a.acquire(start, 5)
    x = other.tcp()
    with refused(EADDRINUSE):
        x.bind(21012)
    a.close()
    assert x.bind(21012) == 21012
    other.tcp().acquire(21013, 12)


def test_ports_below_1024_need_no_privilege_to_reserve(
    player, pool, let_in, need, socket_list
):
    need("become another user")
    let_in(pool)
    os.chmod(pool, 0o700)
    os.chown(pool, 65534, 65534)
    nobody = player(user=65534)
    nobody.tcp().acquire(600, 3)
    with refused(EACCES):
        nobody.tcp().bind(603)  # as the kernel says


@pytest.mark.parametrize("first,count", [(5000, 0), (65535, 2), (0, 0), (2, 65535)])
def test_ranges_that_do_not_exist(owner, first, count):
    with refused(EINVAL):
        owner.tcp().acquire(first, count)


def test_the_last_port_is_a_port(owner):
    block = owner.tcp().acquire(65535, 1)
    assert (block.start, block.count) == (65535, 1)


def test_an_acquire_waits_for_the_pool_also_when_non_blocking(owner, pool):
    a = owner.tcp()
    a.acquire(21000, 1)
    a.setblocking(False)
    (file,) = pool.iterdir()
    with open(file, "rb+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        answer = owner.begin(a.acquire, 21001, 1)
        assert not select.select([owner.popen.stdout], [], [], 0.3)[0]
    answer()


def test_a_refused_bind_does_not_wait_for_a_stopped_acquirer(owner, other, pool):
    owner.tcp().acquire(21000, 1)
    other.tcp().bind(21005)
    y = other.tcp()
    (file,) = pool.iterdir()
    with open(file, "rb+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)  # never given back while it asks
        with refused(EADDRINUSE):
            y.bind(21000)
        assert y.bind(21001) == 21001
