# SPDX-License-Identifier: MIT
"""Which binds are made under the pool's lock, and which must not be."""

import pytest

START, COUNT = 21500, 3


@pytest.fixture
def neighbour(player):
    """Somebody else, who has made the pool."""
    other = player()
    other.ask("tcp('a')")
    assert other.ask(f"acquire(S['a'], {START + 10}, {COUNT})")[0] == "("
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
    binder.ask("tcp('x')")
    assert binder.ask(f"bind('x', {START})") == str(START)
    assert said() == {START: "open"}


WAYS = {
    "bind": "bind('x', 0)",
    "connect": "S['x'].connect(('127.0.0.1', 9))",
    "sendto": "S['x'].sendto(b'', ('127.0.0.1', 9))",
}


@pytest.mark.parametrize("how", WAYS)
def test_an_associated_socket_is_bound_under_the_lock(binder, said, how):
    """Or two of them with SO_REUSEADDR could both find a port free."""
    binder.ask("udp('a')")
    token = eval(binder.ask(f"acquire(S['a'], {START}, {COUNT})"))[2]
    binder.ask("udp('x')")
    assert binder.ask(f"associate(S['x'], {token})") == "None"
    binder.ask(WAYS[how])
    assert binder.ask("S['x'].getsockname()[1]") == str(START)
    assert said() == {START: "locked"}


def test_an_associated_socket_is_bound_to_one_port_without_the_lock(binder, said):
    binder.ask("udp('a')")
    token = eval(binder.ask(f"acquire(S['a'], {START}, {COUNT})"))[2]
    binder.ask("udp('x')")
    assert binder.ask(f"associate(S['x'], {token})") == "None"
    assert binder.ask(f"bind('x', {START})") == str(START)
    assert said() == {START: "open"}


def test_a_dead_ones_port_is_bound_without_the_lock(neighbour, binder, said):
    """It is announced, so the next acquirer waits for the bind."""
    port = START + 11
    binder.ask("tcp('x')")
    assert binder.ask(f"bind('x', {port})") == "EADDRINUSE"
    assert said() == {}
    neighbour.kill()
    assert binder.ask(f"bind('x', {port})") == str(port)
    assert said() == {port: "open"}


def test_the_other_protocols_port_is_bound_without_the_lock(binder, said):
    port = START + 12
    binder.ask("udp('x')")
    assert binder.ask(f"bind('x', {port})") == str(port)
    assert said() == {port: "open"}
