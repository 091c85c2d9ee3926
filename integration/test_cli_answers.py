# SPDX-License-Identifier: MIT
"""Answers for scripts: an exit status that answers, ranges, tokens that survive jq,
users, and the doctor's report as JSON."""

import json
import os
import pwd
import shutil
import socket
import subprocess

import pytest

from kits.cli import block


@pytest.fixture
def nobody(cli):
    """nobody(*arguments) -> what who says, with status 1."""
    return lambda *arguments: cli("who", *arguments, status=1, answer=True)


@pytest.mark.parametrize("spelled", ["28000-28019", "28000+20"])
def test_who_of_a_range(cli, player, spelled):
    one = player()
    block(one, "tcp", 28010, 3)
    block(one, "udp", 28019, 3)
    one.tcp().bind(28005)
    first, second, third = cli("who", spelled).splitlines()
    assert first.startswith(f"tcp 28010-28012 is reserved by pid {one.pid} (python3) since ")
    assert second.startswith(f"udp 28019-28021 is reserved by pid {one.pid}")
    assert third == f"tcp 28005 is in use: 127.0.0.1:28005, bound, by pid {one.pid} (python3)"
    seen = json.loads(cli("who", "--json", spelled))
    assert (seen["start"], seen["count"], "port" in seen) == (28000, 20, False)
    assert [r["start"] for r in seen["reservations"]] == [28010, 28019]
    assert [s["port"] for s in seen["sockets"]] == [28005]
    only = cli("who", "--udp", spelled)
    assert only.count("\n") == 1 and only.startswith("udp")


def test_nobody_is_status_1(cli, nobody, player, pool):
    block(player(), "tcp", 28010, 3)
    assert nobody("28000-28009") == (
        f"nobody has ports 28000-28009: no reservation in the pool {pool}, no socket\n")
    assert json.loads(nobody("--json", "28013+5"))["reservations"] == []
    assert nobody("28009").startswith("nobody has port 28009:")
    assert nobody("--udp", "28010").startswith("nobody")
    cli("who", "28000-28010"), cli("who", "28010"), cli("who", "28012-28012")


def test_a_socket_alone_is_somebody(cli):
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", 0))
        port = mine.getsockname()[1]
        assert "is in use" in cli("who", "--tcp", f"{port}+1")


@pytest.mark.parametrize("operand,names", [
    ("28000-27999", "28000-27999 ends before it begins"), ("28000-", "''"), ("28000+", "''"),
    ("28000+0", "'0'"), ("65535+2", "65535"), ("-28000", "-28000"), ("0-5", "'0'"),
    ("1-65536", "'65536'"), ("1-2-3", "'2-3'"), ("x", "'x'"),
])
def test_no_range(cli, operand, names):
    assert names in cli("who", "--", operand, status=2)


def test_all_ports(cli, player):
    block(player(), "tcp", 28010, 3)
    assert "tcp 28010-28012 is reserved" in cli("who", "1-65535")


def test_tokens_survive_javascript(listed, player, cli, has):
    """They have up to 63 bits; a number there has 53."""
    token = block(player(), "tcp", 28010, 3)
    assert [e["token"] for e in listed()] == [str(token)]
    if has("node"):
        said = subprocess.run(
            ["node", "-p", "JSON.parse(require('fs').readFileSync(0))[0].token"],
            input=cli("list", "--json"), capture_output=True, text=True, check=True).stdout
        assert said == f"{token}\n"


def test_the_user(cli, listed, player, shim_env, shared_pool):
    """Of the process: not of its files in /proc, which are root's where it has
    changed its user."""
    pool, as_nobody = shared_pool
    one = player(env=dict(shim_env, PORTRES_POOL=str(pool)))
    one.os.setgid(65534), one.os.setgroups([]), one.os.setuid(65534)
    block(one, "tcp", 28010, 3)
    (entry,) = listed(env=as_nobody["env"])
    assert entry["user"] == 65534
    row = cli("list", env=as_nobody["env"]).splitlines()[1].split()
    assert row[5:8] == [str(one.pid), pwd.getpwuid(65534).pw_name, "python3"]


def test_a_user_without_a_name(cli, player, need):
    need("become another user")
    one = player()
    block(one, "tcp", 28010, 3)
    one.os.setuid(123456)
    assert cli("list").splitlines()[1].split()[6] == "123456"


def test_the_doctor_as_json(cli, doctor, cli_env):
    report = json.loads(cli("doctor", "--json"))
    lines = [line.split(None, 2) for line in doctor().splitlines()]
    told = [[e["verdict"], e["subject"], e["message"]] for e in report]
    tried = "it acquired port"  # another one each time
    assert [t for t in told if tried not in t[2]] == [t for t in lines if tried not in t[2]]
    assert len(told) == len(lines) > 10
    assert {e["verdict"] for e in report} <= {"ok", "warning", "error"}
    shutil.rmtree(cli_env["PORTRES_POOL"])
    broken = json.loads(cli("doctor", "--json", status=1, answer=True))
    assert any(e["verdict"] == "error" and e["subject"] == "pool" for e in broken)
    assert os.path.basename(cli_env["PORTRES_POOL"]) in str(broken)
