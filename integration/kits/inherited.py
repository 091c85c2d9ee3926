# SPDX-License-Identifier: MIT
"""Programs that `portres run` started, and strangers who want their ports."""

import pytest


FIRST, COUNT = 28200, 3
PYTHON = "/usr/bin/python3"


@pytest.fixture
def given(start, build, cli_env, root):
    """given() -> a player that `portres run` gave the block."""

    def given(*options, command=None, env=None, **kw):
        options = options or ("--tcp", f"{FIRST}+{COUNT}")
        program = start(
            [build / "portres", "run", *options, "--"]
            + (command or [PYTHON, root / "integration/player.py", "up"]),
            env or cli_env,
            **kw,
        )
        assert program.line() == "up"
        program.ask("__import__('builtins').__dict__.update(C=__import__('ctypes').CDLL(None))")
        program.ask("__import__('builtins').__dict__.update(F=__import__('fcntl'))")
        return program

    return given


@pytest.fixture
def stranger(player):
    """stranger(port) -> what a preloaded program that has no part in it gets."""
    other = player()

    def stranger(port=FIRST, proto="tcp"):
        other.ask(f"{proto}('s')")
        answer = other.ask(f"bind('s', {port})")
        other.ask("close('s')")
        return answer

    return stranger


def bind(program, port, proto="tcp", **kw):
    options = "".join(f", {k}={v}" for k, v in kw.items())
    program.ask(f"{proto}('b'{options})")
    answer = program.ask(f"bind('b', {port})")
    program.ask("close('b')")
    return answer


def assert_its_own(program, stranger):
    assert stranger(FIRST + 1) == "EADDRINUSE"
    assert bind(program, FIRST + 1) == str(FIRST + 1)


def guarded(program):
    """The numbers of the descriptors that the program does not know of."""
    sockets = "[int(n) for n in os.listdir('/proc/self/fd') if int(n) > 20]"
    return eval(program.ask(sockets))
