# SPDX-License-Identifier: MIT
"""Programs that `portres run` started, and strangers who want their ports."""

import os

import pytest

from kits.playing import PYTHON, SCRIPT, Player, attempt

FIRST, COUNT = 28200, 3


@pytest.fixture
def given(start, build, cli_env):
    """given(*options) -> a player that `portres run` gave the block."""

    def given(*options, command=None, env=None, **kw):
        options = options or ("--tcp", f"{FIRST}+{COUNT}")
        program = start([build / "portres", "run", *options, "--",
                         *(command or [PYTHON, SCRIPT, "up"])],
                        env or cli_env, kind=Player, **kw)
        assert program.line() == "up"
        return program

    return given


def answer_to(program, port, kind="tcp", **kw):
    """The port, or the name of the error that the program's bind gets."""
    with program.sock(kind, **kw) as sock:
        return attempt(sock.bind, port)


@pytest.fixture
def stranger(player):
    """stranger(port) -> what a preloaded program that has no part in it gets."""
    other = player()
    return lambda port=FIRST, kind="tcp": answer_to(other, port, kind)


def assert_its_own(program, stranger):
    assert stranger(FIRST + 1) == "EADDRINUSE"
    assert answer_to(program, FIRST + 1) == FIRST + 1


def guarded(program):
    """The numbers of the descriptors that the program does not know of."""
    return sorted(n for n in map(int, os.listdir(f"/proc/{program.pid}/fd")) if n > 20)
