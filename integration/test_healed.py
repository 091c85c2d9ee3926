# SPDX-License-Identifier: MIT
"""Traces of closes that nobody sees, in the books and in the process."""

import errno
from errno import EADDRINUSE, EADDRNOTAVAIL

import pytest

from kits.books import Books
from kits.playing import held, refused

START, COUNT = 24700, 4


@pytest.fixture
def full(owner):
    """The block of an owner whose table is full of associations with another
    one, which is nobody's any more."""
    def fill(tcp, block):
        """Associates sockets and closes them unseen, until there is no room."""
        refusals = 0
        while refusals < 100:
            sock = tcp()
            try:
                sock.associate(block)
            except OSError as error:
                assert error.errno == errno.ENOBUFS
                refusals += 1
            sock.close_unseen()

    a = owner.tcp()
    dead, block = a.acquire(START, COUNT), owner.tcp().acquire(START + 10, COUNT)
    owner.run(fill, owner.tcp, dead)
    a.release(dead)
    return block


def test_associations_with_the_dead_make_room_for_one(owner, full):
    x = owner.tcp()
    x.associate(full)
    assert x.bind(0) == START + 10


def test_owners_of_several_blocks_make_room_for_one(owner):
    """They gave them back, and were closed unseen."""
    def fill(tcp, start):
        for _ in range(17000):
            sock = tcp()
            blocks = [sock.acquire(start + 2 * i, 1) for i in range(2)]
            for block in blocks:
                sock.release(block)
            sock.close_unseen()

    block = owner.tcp().acquire(START + 10, COUNT)
    owner.run(fill, owner.tcp, START)
    for _ in range(100):
        x = owner.tcp()
        x.associate(block)
        assert x.bind(0) == START + 10
        x.close()


def test_associations_with_the_dead_make_room_for_an_owner(owner, full, pool):
    """It is known as one when it closes, not only when somebody asks."""
    c = owner.tcp()
    c.acquire(START + 20, COUNT)
    c.close()
    assert Books(pool).blocks == [(0, START + 10, COUNT)]


def test_a_pool_that_is_removed_again_and_again(owner, other, pool):
    """Each time there is a new one, and of the old ones nothing is kept."""
    def deleted_mappings():
        with open("/proc/self/maps") as file:
            return file.read().count("(deleted)")

    x = other.tcp()
    before = owner.run(deleted_mappings)
    for _ in range(40):
        one = owner.tcp()
        one.acquire(START + 10, COUNT)
        with refused(EADDRINUSE):
            x.bind(START + 10)
        one.close_unseen()  # a guard would not forget it with the pool
        (file,) = pool.iterdir()
        file.unlink()
        with other.tcp() as y:
            y.acquire(START + 20, 1)
    owner.tcp().acquire(START + 10, COUNT)
    assert owner.run(deleted_mappings) == before


def test_a_bind_does_not_change_over_to_a_new_pool(owner, other, pool):
    """The next request does, which asks for the pool."""
    x, y = owner.tcp(), owner.tcp()
    block = owner.tcp().acquire(START, COUNT)
    x.associate(block)
    y.associate(block)
    assert held(other, START)
    (file,) = pool.iterdir()
    file.unlink()
    assert x.bind(0) == START
    y.listen()
    assert y.port == START + 1
    assert held(other, START + 2)
    assert list(pool.iterdir()) == []
    owner.tcp().acquire(START + 20, 1)
    assert Books(pool).blocks == [(0, START + 20, 1)]


def test_an_association_with_a_dead_block_forbids_no_other_port(owner):
    a, x, y = owner.tcp(), owner.tcp(), owner.tcp()
    block = a.acquire(START, COUNT)
    x.associate(block)
    y.associate(block)
    with refused(EADDRNOTAVAIL):
        x.bind(START + 50)
    a.close_unseen()
    assert x.bind(START + 50) == START + 50
    assert y.bind(START + 1) == START + 1
