# SPDX-License-Identifier: MIT
"""A program gives up its user, or its root directory, and cannot open the pool's
file from then on. It keeps to what it knew before."""

from errno import ENETDOWN

import pytest

from kits.playing import held, leave_time_wait, refused

START = 26400


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
            program.os.setgroups([])
            program.os.setresgid(65534, 65534, 65534)
            program.os.setresuid(65534, 65534, 65534)
        else:
            program.os.chroot(str(jail))
            program.os.chdir("/")

    return give_up


@pytest.fixture(params=["0", "1"], ids=["", "strict"])
def owner(request, player, namespace, shim_env):
    return player({**shim_env, "PORTRES_STRICT": request.param}, prefix=namespace)


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
