# SPDX-License-Identifier: MIT
"""A program gives up its user, or its root directory, and cannot open the pool's
file from then on. It keeps to what it knew before."""

import socket
from errno import EADDRINUSE, EADDRNOTAVAIL, ENETDOWN

import pytest

from kits.choosers import CHOOSERS, connects, kind_of, unbound
from kits.playing import become_nobody, held, leave_time_wait, refused

START, COUNT = 26400, 3
CHOICES = ["bind", "bind6", "listen", "connect", "udp-sendto", "udp-sendmsg",
           "udp-sendmmsg", "udp-connect"]


@pytest.fixture
def where(namespace):
    return namespace


@pytest.fixture(params=["user", "root"])
def give_up(request, need, tmp_path):
    """give_up(program): it is another user, or has an empty root directory."""
    need({"user": "become another user", "root": "change the root directory"}[request.param])
    jail = tmp_path / "jail"
    jail.mkdir()

    def give_up(program):
        if request.param == "user":
            become_nobody(program)
        else:
            program.os.chroot(str(jail))
            program.os.chdir("/")

    return give_up


@pytest.fixture(params=["0", "1"], ids=["", "strict"])
def owner(request, player, namespace, shim_env):
    return player({**shim_env, "PORTRES_STRICT": request.param}, prefix=namespace)


def associated(owner, how, block):
    x = unbound(owner, how)
    x.associate(block)
    return x


@pytest.mark.parametrize("how", CHOICES)
def test_an_associated_socket_never_leaves_its_block(owner, server, give_up, how):
    block = owner.sock(kind_of(how)).acquire(START, COUNT)
    sockets = [associated(owner, how, block) for _ in range(COUNT + 1)]
    give_up(owner)
    for i, x in enumerate(sockets[:COUNT]):
        CHOOSERS[how](x, server.port, i + 1)
        assert x.port == START + i
    with refused(EADDRINUSE):
        CHOOSERS[how](sockets[COUNT], server.port, 9)
    assert sockets[COUNT].port == 0
    # As ever, a port that is free again is the next one's. (A connection leaves it
    # in TIME_WAIT.)
    if not connects(how):
        sockets[0].close()
        CHOOSERS[how](sockets[COUNT], server.port, 9)
        assert sockets[COUNT].port == START


@pytest.mark.parametrize("option", [socket.SO_REUSEADDR, socket.SO_REUSEPORT])
@pytest.mark.parametrize("how", ["bind", "udp-sendto"])
def test_nor_does_one_that_shares_ports(owner, give_up, how, option):
    """The lock alone keeps two of them from one port."""
    block = owner.sock(kind_of(how)).acquire(START, COUNT)
    x = associated(owner, how, block)
    x.setsockopt(socket.SOL_SOCKET, option, 1)
    give_up(owner)
    with refused(ENETDOWN):
        CHOOSERS[how](x, None, 0)
    assert x.port == 0
    assert x.bind(START + 1) == START + 1


def test_nor_after_a_request_that_failed(owner, give_up):
    a = owner.tcp()
    block = a.acquire(START, COUNT)
    x, y, z = (associated(owner, "bind", block) for _ in range(3))
    give_up(owner)
    for request in (lambda: owner.tcp().acquire(START + 20, 1),
                    lambda: owner.tcp().associate(block), lambda: a.release(block)):
        with refused(ENETDOWN):
            request()
    assert x.bind(0) == START
    assert y.bind(START + 2) == START + 2
    with refused(EADDRNOTAVAIL):
        z.bind(START + COUNT)


def test_it_is_like_others_once_its_block_has_ended(owner, give_up):
    a = owner.tcp()
    x = associated(owner, "bind", a.acquire(START, COUNT))
    give_up(owner)
    a.close()
    assert x.bind(0) not in range(START, START + COUNT)


def test_others_ports_are_refused_after_a_request_that_failed(owner, other, give_up):
    other.tcp().acquire(START + 10, 1)
    assert held(owner, START + 10)
    give_up(owner)
    for _ in range(2):
        assert held(owner, START + 10)
        with refused(ENETDOWN):
            owner.tcp().acquire(START + 20, 1)
    # What others reserve from now on, too.
    other.tcp().acquire(START + 11, 1)
    assert held(owner, START + 11)


def test_so_they_are_after_a_bind_over_time_wait(given, player, give_up):
    program = given("--tcp", f"{START + 30}+1")
    listener = program.tcp()
    listener.bind(START + 30)
    listener.listen()
    leave_time_wait(listener, START + 30, program)
    player().tcp().acquire(START + 10, 1)
    give_up(program)
    # The lock alone lets a server pass it.
    assert held(program, START + 30)
    assert held(program, START + 10)
