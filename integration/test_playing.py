# SPDX-License-Identifier: MIT
"""Proxies of players: what they show is what is there, and nothing is hidden."""

import os
import socket
from errno import EADDRINUSE, EBADF, EINVAL

import pytest

from kits.playing import attempt, refused, value
from portio import Block, spell

START = 22100


@pytest.mark.parametrize("thing", [
    None, True, -1, 2 ** 64, 1.5, "a'\n\"\u00e9", b"\0\xff", (), (1,), [[], ()], {1, 2}, set(),
    {"a": [None], 2: b""}, Block(1, 2, 3), [Block(1, 2, 3)],
])
def test_what_is_said_is_what_is_heard(player, thing):
    one = player()
    said = spell(thing, repr)
    assert eval(said, {"Block": Block}) == thing
    assert one.copy.copy(thing) == thing
    assert type(one.copy.copy(thing)) is type(thing)


def test_objects_stay_and_have_proxies(owner):
    x = owner.tcp()
    number = x.fileno()
    assert owner.os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    assert x.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
    assert value(x.type) == socket.SOCK_STREAM
    here, there = owner.socket.socketpair()
    here.send(b"hello")
    assert there.recv(5) == b"hello"
    assert owner.os.environ["PORTRES_POOL"] == value(owner.os.environ)["PORTRES_POOL"]
    with owner.udp() as y:
        y.bind(START)
    with refused(EBADF):
        y.getsockname()


def test_another_players_objects_are_not_its(owner, other):
    with pytest.raises(AssertionError, match="another player's"):
        other.os.dup2(0, owner.tcp())


def test_errors_are_raised_here(owner):
    with pytest.raises(RuntimeError, match="NameError: name 'no_such_thing'"):
        owner.no_such_thing()
    with pytest.raises(RuntimeError, match="AttributeError"):
        owner.tcp().no_such_method()
    with pytest.raises(FileNotFoundError):
        owner.os.stat("/no such file")
    assert attempt(owner.tcp().release, 0) == "EINVAL"
    assert owner.os.getpid() == owner.pid  # it goes on


def test_refused_is_strict(owner):
    with pytest.raises(pytest.fail.Exception, match="not refused with EINVAL"):
        with refused(EINVAL):
            owner.tcp()
    with pytest.raises(AssertionError, match="refused with EINVAL, not EADDRINUSE or EBADF"):
        with refused(EADDRINUSE, EBADF):
            owner.tcp().release(0)


def test_children(owner):
    def close_all(sock):
        os.closerange(0, 100)
        return os.getpid()

    x = owner.tcp()
    child = owner.in_child(close_all, x)
    assert child != owner.pid and not os.path.exists(f"/proc/{child}")
    with refused(EINVAL):
        owner.in_child(x.release, 0)
    assert x.fileno() > 2
    owner.become_child()
    assert owner.os.getpid() != owner.pid and owner.popen.poll() == 0
    assert x.fileno() > 2


def test_two_answers_are_not_mixed_up(owner):
    first = owner.begin(owner.os.getppid)
    second = owner.begin(owner.os.getpid)
    assert (first(), second()) == (os.getpid(), owner.pid)


def test_a_new_image_has_what_is_inherited(owner):
    x, y = owner.tcp(), owner.tcp()
    x.set_inheritable(True)
    kept, gone = x.fileno(), y.fileno()
    owner.exec_again()
    assert owner.socket_at(kept).port == 0
    with refused(EBADF):
        owner.os.fstat(gone)
