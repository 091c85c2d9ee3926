# SPDX-License-Identifier: MIT
"""portres who: a reservation, a socket, both, nobody."""

import json
import os
import re
import socket

import pytest

from kits.cli import block


def test_who_has_it_reserved(cli, player, pool):
    one = player()
    block(one, "udp", 28100, 20)
    said = cli("who", 28119)
    assert re.fullmatch(
        rf"udp 28119 is reserved \(28100-28119\) by pid {one.pid} \(python3\)"
        r" since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n",
        said,
    )
    assert cli("who", "--tcp", 28119, status=1, answer=True) == (
        f"nobody has port 28119: no reservation in the pool {pool}, no socket\n")


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_who_has_it_bound(cli, kind):
    port = 28110
    with socket.socket(socket.AF_INET6, kind) as mine:
        mine.bind(("::1", port))
        if kind == socket.SOCK_STREAM:
            mine.listen()
        proto = "tcp" if kind == socket.SOCK_STREAM else "udp"
        said = cli("who", port)
        state = "listening" if proto == "tcp" else "bound"
        assert said.startswith(f"{proto} {port} is in use: [::1]:{port}, {state}, by pid ")
        assert f" pid {os.getpid()} (" in said and said.count("\n") == 1


def test_who_has_it_reserved_and_bound(cli, player):
    one = player()
    token = block(one, "tcp", 28100, 2)
    b = one.tcp()
    b.associate(token)
    assert b.bind(28101) == 28101
    reserved, bound = cli("who", 28101).splitlines()
    assert reserved.startswith("tcp 28101 is reserved (28100-28101)")
    assert bound == f"tcp 28101 is in use: 127.0.0.1:28101, bound, by pid {one.pid} (python3)"
    seen = json.loads(cli("who", 28101, "--json"))
    assert seen["port"] == 28101
    assert [r["token"] for r in seen["reservations"]] == [str(token)]
    assert seen["sockets"] == [
        {
            "protocol": "tcp",
            "port": 28101,
            "address": "127.0.0.1:28101",
            "state": "bound",
            "user": os.getuid(),
            "processes": [{"pid": one.pid, "command": "python3"}],
        }
    ]


def test_nobody_has_it(cli, cli_env, tmp_path):
    """In this pool; and its name cannot play tricks on a terminal."""
    env = dict(cli_env, PORTRES_POOL=str(tmp_path / "other\x1bpool"))
    (tmp_path / "other\x1bpool").mkdir(mode=0o700)
    assert cli("who", 28100, env=env, status=1, answer=True) == (
        f"nobody has port 28100: no reservation in the pool {tmp_path}/other\\x1bpool,"
        " no socket\n")
    assert json.loads(cli("who", 28100, "--json", status=1, answer=True)) == {
        "port": 28100,
        "start": 28100,
        "count": 1,
        "reservations": [],
        "sockets": [],
    }


def test_a_stranger_is_told_that_he_may_not_look(cli, shared_pool):
    _, as_nobody = shared_pool
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", 28110))
        mine.listen()
        said = cli("who", 28110, **as_nobody)
    assert said.endswith("listening, by a process of user 0 that is not to be seen here\n")
