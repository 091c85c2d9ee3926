# SPDX-License-Identifier: MIT
"""With PORTRES_DEBUG each refusal of the library's is one line on stderr, which says
the way out."""

import fcntl
import os
import socket
from errno import EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EMFILE, ENETDOWN

import pytest

from kits.choosers import CHOOSERS, HIGH, LOW, kind_of, unbound
from kits.playing import become_nobody, refused

START, COUNT = 26500, 2


@pytest.fixture
def where(namespace):
    return namespace


@pytest.fixture(params=["1", ""], ids=["debug", "silent"])
def debug(request):
    return request.param


@pytest.fixture
def env(shim_env, debug):
    return {**shim_env, "PORTRES_DEBUG": debug}


@pytest.fixture
def told(player, namespace, tmp_path, debug):
    """told(env) -> a player; the lines that it has said since are its said()."""
    def told(env):
        path = tmp_path / "stderr"
        with path.open("wb") as file:
            one = player(env, prefix=namespace, stderr=file)
        read = 0

        def said():
            nonlocal read
            text = path.read_text()[read:]
            read += len(text)
            assert not text or text.endswith("\n")
            return text.splitlines()

        return one, said

    return told


@pytest.fixture
def assert_told(debug):
    def assert_told(lines, *words):
        if not debug:
            assert lines == []
            return
        (line,) = lines
        assert line.startswith("portres: ")
        for word in words:
            assert word in line, line

    return assert_told


@pytest.mark.parametrize("how", ["bind", "listen", "connect", "udp-sendto"])
def test_an_exhausted_block(told, env, assert_told, server, how):
    one, said = told(env)
    block = one.sock(kind_of(how)).acquire(START, COUNT)
    sockets = [unbound(one, how) for _ in range(COUNT + 1)]
    for x in sockets:
        x.associate(block)
    for x in sockets[:COUNT]:
        x.bind(0)
    assert said() == []
    with refused(EADDRINUSE):
        CHOOSERS[how](sockets[COUNT], server.port, 1)
    assert_told(said(), f"{kind_of(how)} {START}-{START + COUNT - 1}", "reserve more")


def test_a_port_outside_of_the_block(told, env, assert_told):
    one, said = told(env)
    x = one.tcp()
    x.associate(one.tcp().acquire(START, 1))
    with refused(EADDRNOTAVAIL):
        x.bind(START + 5)
    assert_told(said(), f"tcp {START}, and port {START + 5} is outside", "bind it to 0")
    x.bind(START)
    assert said() == []


@pytest.mark.parametrize("how", ["bind", "listen", "connect", "udp-sendto"])
def test_strictly(told, env, assert_told, pool, server, how):
    pool.chmod(0o777)
    one, said = told({**env, "PORTRES_STRICT": "1"})
    with refused(ENETDOWN):
        one.tcp().bind(START)
    assert_told(said(), "PORTRES_STRICT", "portres doctor")
    with refused(ENETDOWN):
        CHOOSERS[how](unbound(one, how), server.port, 1)
    assert_told(said(), "PORTRES_STRICT", "portres doctor")


@pytest.mark.parametrize("port", [0, START])
def test_strictly_in_a_block(told, env, assert_told, pool, port):
    one, said = told({**env, "PORTRES_STRICT": "1"})
    x = one.tcp()
    x.associate(one.tcp().acquire(START, COUNT))
    (file,) = pool.iterdir()
    os.truncate(file, 4096)
    with refused(ENETDOWN):
        x.bind(port)
    assert_told(said(), "PORTRES_STRICT", "portres doctor")


def test_a_pool_that_is_busy(told, env, assert_told, pool):
    one, said = told(env)
    x = one.tcp()
    x.associate(one.tcp().acquire(START, COUNT))
    (file,) = pool.iterdir()
    with file.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with refused(ENETDOWN):
            x.bind(0)
    assert_told(said(), "portres doctor", "certain port")


def test_no_descriptor_left(told, env, assert_told):
    one, said = told(env)
    x = one.tcp()
    x.associate(one.tcp().acquire(START, COUNT))
    one.resource.setrlimit(7, (x.fileno(), x.fileno()))  # RLIMIT_NOFILE
    with refused(EMFILE):
        x.bind(0)
    assert_told(said(), "ulimit -n")


def test_a_pool_out_of_reach(told, env, assert_told, need):
    need("become another user")
    one, said = told(env)
    x = one.tcp()
    x.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    x.associate(one.tcp().acquire(START, COUNT))
    become_nobody(one)
    with refused(ENETDOWN):
        x.bind(0)
    assert_told(said(), "SO_REUSEADDR", "certain port")


@pytest.mark.parametrize("how", ["bind", "listen", "connect", "udp-sendto"])
def test_no_port_is_left_to_the_system(told, env, assert_told, owner, server, how):
    owner.sock(kind_of(how)).acquire(LOW, HIGH - LOW + 1)
    one, said = told(env)
    with refused(EADDRINUSE, EADDRNOTAVAIL, EAGAIN):
        CHOOSERS[how](unbound(one, how), server.port, 1)
    assert_told(said(), "portres list", "ip_local_port_range")
