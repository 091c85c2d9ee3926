# SPDX-License-Identifier: MIT
"""Which binds are made under the pool's lock, and which must not be."""

from errno import EADDRINUSE

import pytest

from kits.choosers import CHOOSERS
from kits.playing import refused

START, COUNT = 21500, 3


@pytest.fixture
def neighbour(player):
    """Somebody else, who has made the pool."""
    other = player()
    other.tcp().acquire(START + 10, COUNT)
    return other


@pytest.fixture
def said(tmp_path):
    """said() -> {port: "locked" or "open"} of the last binds."""
    path = tmp_path / "said"
    path.touch()

    def said():
        lines = [line.split() for line in path.read_text().splitlines()]
        path.write_text("")
        return {int(port): how for port, how in lines}

    return said


@pytest.fixture
def binder(neighbour, said, player, pool, behind, tmp_path):
    (file,) = pool.glob("pool-*")
    return player({**behind("locked/locked.c"), "RACE_POOL": str(file),
                   "RACE_SAYS": str(tmp_path / "said")})


def test_a_port_of_nobody_is_bound_without_the_lock(binder, said):
    x = binder.tcp()
    assert x.bind(START) == START
    assert said() == {START: "open"}


@pytest.mark.parametrize("how", ["udp-bind", "udp-connect", "udp-sendto"])
def test_an_associated_socket_is_bound_under_the_lock(binder, said, how):
    """Or two of them with SO_REUSEADDR could both find a port free."""
    block = binder.udp().acquire(START, COUNT)
    x = binder.udp()
    x.associate(block)
    CHOOSERS[how](x, None, 0)
    assert x.port == START
    assert said() == {START: "locked"}


def test_an_associated_socket_is_bound_to_one_port_without_the_lock(binder, said):
    block = binder.udp().acquire(START, COUNT)
    x = binder.udp()
    x.associate(block)
    assert x.bind(START) == START
    assert said() == {START: "open"}


def test_a_dead_ones_port_is_bound_without_the_lock(neighbour, binder, said):
    """It is announced, so the next acquirer waits for the bind."""
    port = START + 11
    x = binder.tcp()
    with refused(EADDRINUSE):
        x.bind(port)
    assert said() == {}
    neighbour.kill()
    assert x.bind(port) == port
    assert said() == {port: "open"}


def test_the_other_protocols_port_is_bound_without_the_lock(binder, said):
    port = START + 12
    assert binder.udp().bind(port) == port
    assert said() == {port: "open"}
