# SPDX-License-Identifier: MIT
"""Nobody else gets a reserved port, and associated sockets always do."""

import re
import socket
import subprocess
from errno import EACCES, EADDRINUSE, EINVAL, ENOBUFS

import pytest

from kits.choosers import CHOOSERS, unspec
from kits.playing import attempt, refused

FIRST, COUNT = 26000, 3


@pytest.fixture
def where(namespace):
    return namespace


@pytest.fixture
def block(owner):
    """Of TCP, and the same numbers of UDP beside it: udp_block."""
    return owner.tcp().acquire(FIRST, COUNT)


@pytest.fixture
def udp_block(owner):
    return owner.udp().acquire(FIRST, COUNT)


def test_connect_takes_a_port_of_the_block(owner, block, server):
    for port in FIRST, FIRST + 1:
        x = owner.tcp()
        x.associate(block)
        x.connect(server.port)
        assert x.port == port


def test_udp_connect_and_sendto_and_sendmsg(owner, udp_block):
    x, y, z = owner.udp(), owner.udp(), owner.udp()
    for sock in x, y, z:
        sock.associate(udp_block)
    x.connect(9)
    y.sendto(b"", ("127.0.0.1", 9))
    z.sendmsg([b""], [], 0, ("127.0.0.1", 9))
    assert (x.port, y.port, z.port) == (FIRST, FIRST + 1, FIRST + 2)


def test_sendmmsg_takes_a_port_of_the_block(owner, udp_block):
    x = owner.udp()
    x.associate(udp_block)
    x.sendmmsg(("127.0.0.1", 9))
    assert x.port == FIRST


def test_listen_takes_a_port_of_the_block(owner, block):
    x = owner.tcp(socket.AF_INET6)
    x.associate(block)
    x.listen()
    assert x.port == FIRST


def test_connect_with_the_block_exhausted(owner, block, server):
    x, y, z, fourth = (owner.tcp() for _ in range(4))
    for sock in x, y, z, fourth:
        sock.associate(block)
    for sock in x, y, z:
        sock.bind(0)
    with refused(EADDRINUSE):
        fourth.connect(server.port)
    z.close()
    fourth.connect(server.port)


def test_a_client_that_reserves_one_port_at_a_time(owner, server):
    """Source-port rules: 600, 601, … on the connecting socket itself."""
    for port in range(600, 610):
        client = owner.tcp()
        try:
            block = client.acquire(port, 1)
        except OSError as error:
            assert error.errno == EADDRINUSE
            continue
        client.associate(block)
        try:
            client.connect(server.port)
        except OSError as error:
            assert error.errno == EACCES
            pytest.skip("needs the right to bind below 1024")
        assert server.accept().getpeername() == ("127.0.0.1", port)


def test_association_follows_fork_and_dup(owner, block):
    x = owner.tcp()
    x.associate(block)
    d = x.dup()
    assert owner.in_child(d.bind, 0) == FIRST
    assert x.port == FIRST


def test_association_ends_with_the_socket_not_with_its_number(owner, block):
    x = owner.tcp()
    x.associate(block)
    fd = x.fileno()
    x.close()
    y = owner.tcp()
    assert y.fileno() == fd
    assert y.bind(0) not in block


def test_association_ends_at_exec(owner, block):
    x = owner.tcp()
    x.associate(block)
    x.set_inheritable(True)
    fd = x.fileno()
    owner.exec_again()
    assert owner.socket_at(fd).bind(0) not in block


def test_association_comes_back_with_the_socket(owner, block):
    """No descriptor of it is left for a while: it is in a message."""
    x = owner.tcp()
    x.associate(block)
    here, there = owner.socket.socketpair()
    owner.socket.send_fds(here, [b"x"], [x.fileno()])
    x.close()
    _, (fd,), _, _ = owner.socket.recv_fds(there, 1, 1)
    assert owner.socket_at(fd).bind(0) == FIRST


def by_dup(owner, sock, pair):
    return sock.dup()


def by_message(owner, sock, pair):
    here, there = pair
    owner.socket.send_fds(here, [b"x"], [sock.fileno()])
    _, (fd,), _, _ = owner.socket.recv_fds(there, 1, 1)
    return owner.socket_at(fd)


@pytest.mark.parametrize("how", ["udp-sendto", "udp-sendmsg", "udp-sendmmsg"])
@pytest.mark.parametrize("again", [by_dup, by_message])
def test_a_number_that_another_socket_has_sent_by(owner, udp_block, how, again):
    """Another number of an associated socket may be one that the library knows."""
    pair = owner.socket.socketpair()
    former, x = owner.udp(), owner.udp()
    x.associate(udp_block)
    CHOOSERS[how](former, None, 0)
    number = former.fileno()
    former.close()
    second = again(owner, x, pair)
    assert second.fileno() == number
    CHOOSERS[how](second, None, 0)
    assert x.port == FIRST


def test_reuseport_group_on_one_reserved_port(owner, other, udp_block):
    """As QUIC servers do it: a listener for each core, all on one port."""
    for _ in range(3):
        x = owner.udp(socket.AF_INET6)
        x.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        x.associate(udp_block)
        assert x.bind(FIRST + 1) == FIRST + 1
    stranger = other.udp()
    stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    with refused(EADDRINUSE):
        stranger.bind(FIRST + 1)


def test_mptcp_obeys_the_tcp_pool(other, block):
    x = other.mptcp_or_skip()
    with refused(EADDRINUSE):
        x.bind(FIRST + 1)


def test_bind_without_a_family_is_a_bind(other, block):
    """The kernel takes AF_UNSPEC for AF_INET where the address is any."""
    x = other.tcp()
    with refused(EADDRINUSE):
        x.by_libc("bind", unspec(FIRST + 1))
    x.by_libc("bind", unspec(FIRST + 3))
    assert x.port == FIRST + 3


def test_addresses_that_the_socket_cannot_take(
    player, namespace, bare_env, shim_env, owner, block, under_a_guard
):
    """The kernel's own answers, for a reserved port, with and without us."""
    port = (FIRST + 1).to_bytes(2, "big")
    v4, v6 = b"\2\0" + port, b"\n\0" + port
    addresses = [
        v4 + bytes(12),
        v4 + bytes(24),
        v6 + bytes(24),
        bytes(2) + port + b"\x7f\0\0\1" + bytes(8),
        unspec(FIRST + 1) + bytes(12),
    ]

    def answers(binder):
        for family in socket.AF_INET, socket.AF_INET6:
            for address in addresses:
                with binder.tcp(family) as x:
                    yield attempt(x.by_libc, "bind", address)

    bare = list(answers(player(bare_env, prefix=namespace)))
    ours = list(answers(player(shim_env, prefix=namespace)))
    assert None in bare or under_a_guard
    assert ours == ["EADDRINUSE" if answer is None else answer for answer in bare]
    # Nor is an associated socket told that a port is not of its block.
    y = owner.tcp(socket.AF_INET6)
    y.associate(block)
    outside = b"\2\0" + (FIRST + 9).to_bytes(2, "big") + bytes(12)
    with refused(EINVAL):
        y.by_libc("bind", outside)


def test_the_refusal_tells(player, namespace, shim_env, block, owner, tmp_path):
    error = tmp_path / "stderr"
    with open(error, "wb") as stderr:
        env = {**shim_env, "PORTRES_DEBUG": "1"}
        other = player(env, prefix=namespace, stderr=stderr)
        with refused(EADDRINUSE):
            other.tcp().bind(FIRST + 1)
    assert re.fullmatch(
        rf"portres: tcp port 26001 is reserved \(26000-26002\) by pid {owner.pid}"
        r" \(python3\): .*take another port\n",
        error.read_text(),
    )


def test_bindresvport_keeps_out_of_reserved_ports(owner, other):
    a = owner.tcp()
    # All of its ports but three.
    a.acquire(512, 300)
    a.acquire(815, 209)
    x, y, z, fourth = (other.tcp() for _ in range(4))
    try:
        for sock in x, y, z:
            sock.bindresvport()
    except PermissionError:
        pytest.skip("needs the right to bind below 1024")
    assert {x.port, y.port, z.port} == {812, 813, 814}
    with refused(EADDRINUSE):
        fourth.bindresvport()


def test_wildcards_keep_out_of_what_the_administrator_reserved(
    player, namespace, shim_env
):
    write = "echo 26103-26105,26107 >/proc/sys/net/ipv4/ip_local_reserved_ports"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    env = {**shim_env, "PORTRES_WILDCARD": "26100-26109"}
    a = player(env, prefix=namespace).tcp()
    assert {a.acquire(0, 2).start, a.acquire(0, 2).start} == {26100, 26108}
    with refused(ENOBUFS):
        a.acquire(0, 2)
    # A request that names a port means it.
    a.acquire(26103, 3)


def test_namespaces_have_ports_of_their_own(player, namespace, pool):
    """One directory, two namespaces: the same ports are others."""
    here, there = player(), player(prefix=namespace)
    a, b = here.tcp(), there.tcp()
    a.acquire(FIRST, COUNT)
    b.acquire(FIRST, COUNT)
    assert len(list(pool.glob("pool-*"))) == 2
    a.close()
    assert here.tcp().bind(FIRST + 1) == FIRST + 1
    with refused(EADDRINUSE):
        there.tcp().bind(FIRST + 1)
