# SPDX-License-Identifier: MIT
"""A server that is started again: the connections of the one before stay on its
port for a minute, in TIME_WAIT, and are not in the way of an associated socket."""

from errno import EADDRINUSE
from socket import SO_REUSEADDR, SOL_SOCKET

import pytest

from kits.choosers import unspec
from kits.playing import close_first, leave_time_wait, port_in_time_wait, refused

START = 28300


def associated(owner, block):
    x = owner.tcp()
    x.associate(block)
    return x


def serving(owner, block):
    """A server on the one port of that block."""
    x = associated(owner, block)
    x.bind(block.start)
    x.listen()
    return x


@pytest.mark.parametrize("choice", ["explicit", "any", "by listen"])
def test_it_has_its_port_at_once(owner, other, choice):
    block = owner.tcp().acquire(START, 1)
    for _ in range(3):
        x = associated(owner, block)
        if choice != "by listen":
            assert x.bind(START if choice == "explicit" else 0) == START
        x.listen()
        assert x.getsockname()[1] == START
        leave_time_wait(x, START, other)


def test_so_has_the_server_of_an_inherited_block(given):
    program = given("--tcp", f"{START + 170}+1")
    for _ in range(3):
        x = program.tcp()
        assert x.bind(START + 170) == START + 170
        x.listen()
        leave_time_wait(x, START + 170, program)


def test_a_client_leaves_the_port_to_the_next(owner, other):
    """The side that connected, and closes first."""
    block = owner.tcp().acquire(START + 10, 1)
    server = other.tcp()
    port = server.bind(0)
    server.listen()
    for _ in range(2):
        x = associated(owner, block)
        assert x.bind(START + 10) == START + 10
        x.connect(port)
        close_first(x, server.accept())


def test_what_is_not_in_the_block_stays_as_it_is(given, other):
    program = given("--tcp", f"{START + 180}+1")
    server = other.tcp()
    port = server.bind(0)
    server.listen()
    program.tcp().bind(START + 180)
    x, y = program.tcp(), program.tcp()
    x.bind(0)
    x.listen()
    y.connect(port)
    for sock in x, y:
        assert sock.getsockopt(SOL_SOCKET, SO_REUSEADDR) == 0


@pytest.mark.parametrize("choice", ["explicit", "any"])
def test_two_are_never_on_one_port(owner, other, choice):
    block = owner.tcp().acquire(START + 20, 1)
    leave_time_wait(serving(owner, block), START + 20, other)
    second = associated(owner, block)
    second.bind(START + 20)
    # The kernel shares a port between sockets that have it, until one listens.
    assert second.getsockopt(SOL_SOCKET, SO_REUSEADDR) == 0
    third = associated(owner, block)
    port = START + 20 if choice == "explicit" else 0
    for then in second.listen, second.close:
        with refused(EADDRINUSE):
            third.bind(port)
        then()
    third.bind(port)
    third.listen()


@pytest.mark.parametrize("choice", ["explicit", "any"])
def test_a_living_connection_is_in_the_way(owner, other, choice):
    block = owner.tcp().acquire(START + 30, 1)
    x = serving(owner, block)
    client = other.tcp()
    client.connect(START + 30)
    peer = x.accept()
    x.close()
    with refused(EADDRINUSE):
        associated(owner, block).bind(START + 30 if choice == "explicit" else 0)
    close_first(peer, client)


def test_a_strangers_time_wait_is_in_the_way(owner, other):
    """As the kernel has it: the stranger did not reuse."""
    port = port_in_time_wait(other, range(START + 40, START + 140))
    block = owner.tcp().acquire(port, 1)
    for choice in port, 0:
        with refused(EADDRINUSE):
            associated(owner, block).bind(choice)


def test_the_option_is_as_it_was_where_a_bind_fails(owner):
    block = owner.tcp().acquire(START + 150, 1)
    holder = associated(owner, block)
    holder.bind(START + 150)
    x = associated(owner, block)
    for port in START + 150, 0:
        with refused(EADDRINUSE):
            x.bind(port)
    assert x.getsockopt(SOL_SOCKET, SO_REUSEADDR) == 0


def leave_no_peer(x):
    x.by_libc("connect", unspec(0))


def test_none_that_reuses_is_bound_beside_it(owner):
    block = owner.tcp().acquire(START + 160, 1)
    x = associated(owner, block)
    x.bind(START + 160)
    y = associated(owner, block)
    y.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    for then in leave_no_peer, lambda x: x.listen(), lambda x: x.close():
        with refused(EADDRINUSE):
            y.bind(START + 160)
        then(x)
    assert y.bind(START + 160) == START + 160
