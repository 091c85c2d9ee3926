# SPDX-License-Identifier: MIT
"""What closes that nobody sees leave behind in the books and in the process."""

import pytest

from kits.books import Books

START, COUNT = 24700, 4
RAW_CLOSE = "C.syscall(3, {})"


@pytest.fixture
def owner(player):
    owner = player()
    owner.ask("__import__('builtins').__dict__.update(C=__import__('ctypes').CDLL(None))")
    return owner


def take(owner, name, start):
    answer = owner.ask(f"acquire(S['{name}'], {start}, {COUNT})")
    assert answer[0] == "("
    return eval(answer)[2]


# Associates sockets and closes them unseen, until there is no room for one.
FILL = """
def fill(token):
    full = 0
    while full < 100:
        s = socket.socket()
        try:
            associate(s, token)
        except OSError as error:
            assert error.errno == errno.ENOBUFS
            full += 1
        C.syscall(3, s.detach())
"""


@pytest.fixture
def full(owner):
    """An owner of a, whose block is nobody's any more, and of b, with a table
    that is full of associations with a's. The token of b's block."""
    owner.ask("tcp('a') and tcp('b')")
    dead, token = take(owner, "a", START), take(owner, "b", START + 10)
    assert owner.ask(f"exec({FILL!r}, globals()) or fill({dead})") == "None"
    assert owner.ask(f"release(S['a'], {dead})") == "None"
    return token


def test_associations_with_the_dead_make_room_for_one(owner, full):
    owner.ask("tcp('x')")
    assert owner.ask(f"associate(S['x'], {full})") == "None"
    assert owner.ask("bind('x', 0)") == str(START + 10)


def test_associations_with_the_dead_make_room_for_an_owner(owner, full, pool):
    """Who is known as one when he closes, not only when somebody asks."""
    owner.ask("tcp('c')")
    take(owner, "c", START + 20)
    owner.ask("close('c')")
    assert Books(pool).blocks == [(0, START + 10, COUNT)]


def test_a_pool_that_is_removed_again_and_again(owner, player, pool):
    """Each time there is a new one, and of the old ones nothing is kept."""
    other = player()
    other.ask("tcp('y')")
    deleted = "open('/proc/self/maps').read().count('(deleted)')"
    before = int(owner.ask(deleted))
    for i in range(40):
        owner.ask(f"tcp('a{i}')")
        take(owner, f"a{i}", START + 10)
        assert other.ask(f"bind('y', {START + 10})") == "EADDRINUSE"
        (file,) = pool.iterdir()
        file.unlink()
        other.ask("tcp('z')")
        assert other.ask(f"acquire(S['z'], {START + 20}, 1)")[0] == "("
    owner.ask("tcp('last')")
    take(owner, "last", START + 10)
    assert int(owner.ask(deleted)) == before


def test_an_association_with_a_dead_block_forbids_no_other_port(owner):
    owner.ask("tcp('a')")
    token = take(owner, "a", START)
    for name in "xy":
        owner.ask(f"tcp('{name}') and associate(S['{name}'], {token})")
    assert owner.ask(f"bind('x', {START + 50})") == "EADDRNOTAVAIL"
    assert owner.ask(RAW_CLOSE.format("S['a'].detach()")) == "0"
    assert owner.ask(f"bind('x', {START + 50})") == str(START + 50)
    assert owner.ask(f"bind('y', {START + 1})") == str(START + 1)
