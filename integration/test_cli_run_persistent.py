# SPDX-License-Identifier: MIT
"""portres run inside a persistent block: the way in for programs that know
nothing of tokens."""

import json
import shutil
import subprocess
from errno import EADDRINUSE

import pytest

from kits.playing import refused

BIND = """
import os, socket, sys
if sys.argv[2:]:
    os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
s = socket.socket()
try:
    s.bind(("127.0.0.1", int(sys.argv[1])))
    print("bound", flush=True)
except OSError as error:
    print(error.strerror, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server(start, build, cli_env):
    """server(block, port, *user) -> a program of `portres run`, and what its
    bind said."""

    def server(block, port, *user, proto="tcp"):
        program = start(
            [build / "portres", "run", f"--{proto}", block, "/usr/bin/python3", "-c", BIND,
             port, *user], cli_env)
        return program, program.line()

    return server


def test_an_unmodified_server_has_its_port(cli, server, player, listed):
    cli("persistent", "add", "tcp", 28000, 5)
    stranger = player().tcp()
    with refused(EADDRINUSE):
        stranger.bind(28002)
    program, said = server("28002+1", "{1}")
    assert said == "bound"
    program.kill()
    assert server("28002+1", "{1}")[1] == "bound"  # restarted
    with refused(EADDRINUSE):
        stranger.bind(28003)
    assert [(e["start"], e["count"], e["kind"]) for e in listed()] == [(28000, 5, "persistent")]


def test_several_at_once(cli, server, listed):
    cli("persistent", "add", "tcp", 28000, 5)
    programs = [server("28000+2", "28000"), server("28001+4", "28004")]
    assert [said for _, said in programs] == ["bound", "bound"]
    # The kernel's own word between the two.
    assert server("28000+1", "{1}")[1] == "Address already in use"
    (entry,) = listed()
    assert {(u["pid"], u["command"]) for u in entry["users"]} >= {
        (program.pid, "python3") for program, _ in programs}


def test_its_users_are_named(cli, server, doctor, listed):
    cli("persistent", "add", "tcp", 28000, 5)
    assert listed()[0]["users"] == [] and listed()[0]["pid"] is None
    one, _ = server("28000+1", "{1}")
    named = f"by the persistent store, used by pid {one.pid} (python3)"
    assert named in cli("who", 28003)
    assert f"tcp 28000-28004 is reserved {named}" in doctor()
    row = cli("list").splitlines()[1].split()
    assert str(one.pid) in row and "python3" in row
    two, _ = server("28001+1", "{1}")
    assert "used by pid" in cli("who", 28003) and "and 1 more" in cli("who", 28003)
    one.kill(), two.kill()
    assert listed()[0]["users"] == []
    assert "used by" not in cli("who", 28003)


def test_the_token_is_handed_on(start, cli, cli_env, build, root):
    """For programs that do know."""
    token = cli("persistent", "add", "tcp", 28000, 5).split()[-1]
    said = subprocess.run(
        [build / "portres", "run", "--tcp", "28003+2", "--udp", "1", "sh", "-c",
         "echo $PORTRES_TOKENS; echo $PORTRES_PORTS; echo $PORTRES_RANGES"],
        env=cli_env, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].split()[0] == token
    assert said[1].split()[:2] == ["28003", "28004"]
    assert said[2].split()[0] == "tcp:28003+2"


def test_the_right_is_asked_for_once(cli, shared_pool, server, cli_env, build):
    """A server that starts as root and gives that up has its port later."""
    pool, as_nobody = shared_pool
    shutil.copy(build / "libportres.so", pool.parent)
    cli_env["PORTRES_POOL"] = str(pool)
    cli("persistent", "add", "tcp", 28000, 5)
    pool.chmod(0o2750)
    assert server("28000+1", "{1}", "65534")[1] == "bound"
    said = cli("run", "--tcp", "28001+1", "true", status=75, **as_nobody)
    assert said == (f"portres: tcp 28001 is in a persistent block, and you may not write the"
                    f" store {pool}: do it as its owner, or as root\n")


ASSOCIATE = """
import os, socket
from portio import associate
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s = socket.socket()
associate(s, int(os.environ["PORTRES_TOKENS"]))
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])
"""


def test_the_token_associates_later(cli, shared_pool, start, cli_env, build):
    pool, _ = shared_pool
    cli_env["PORTRES_POOL"] = str(pool)
    cli("persistent", "add", "tcp", 28000, 5)
    pool.chmod(0o2750)
    program = start([build / "portres", "run", "--tcp", "28001+1", "/usr/bin/python3", "-c",
                     ASSOCIATE], cli_env)
    assert program.line() == "28000"


@pytest.mark.parametrize("block", ["27999+2", "28004+2", "27999+7"])
def test_partly_inside(cli, block):
    cli("persistent", "add", "tcp", 28000, 5)
    said = cli("run", "--tcp", block, "true", status=75)
    assert "overlap 28000-28004, held by the persistent store: ask for ports inside it" in said


def test_beside_it(cli, server):
    """The other protocol, and the next port, are nobody's."""
    cli("persistent", "add", "tcp", 28000, 5)
    assert server("28005+1", "{1}")[1] == "bound"
    assert server("28000+1", "28001", proto="udp")[1] == "Address already in use"


def test_deleted_meanwhile(cli, given):
    """Then it is a block no longer, and the next one of these numbers is another."""
    cli("persistent", "add", "tcp", 28000, 5)
    one = given("--tcp", "28000+1")
    a = one.tcp()
    assert a.bind(28001) == 28001
    cli("persistent", "delete", "tcp", 28000, 5)
    b = one.tcp()
    a.close()
    assert cli("persistent", "add", "tcp", 28000, 5)
    with refused(EADDRINUSE):
        b.bind(28001)
    assert "used by" not in cli("who", 28001)
    assert given("--tcp", "28000+1").tcp().bind(28001) == 28001


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_add_chooses(cli, pool, proto):
    said = cli("persistent", "add", proto, 0, 20)
    name, ports, *rest = said.split()
    first, last = map(int, ports.split("-"))
    assert (name, last - first) == (proto, 19) and int(rest[-1])
    assert (pool / "persistent").read_text() == f"{proto} {first} 20\n"
    again = cli("persistent", "add", proto, 0, 20).split()[1]
    assert int(again.split("-")[0]) > last
    cli("persistent", "delete", proto, first, 20)


def test_add_has_no_room(cli, cli_env):
    cli_env["PORTRES_WILDCARD"] = "28000-28010"
    assert cli("persistent", "add", "tcp", 0, 11).split()[1] == "28000-28010"
    assert "no 2 free tcp ports in a row" in cli("persistent", "add", "tcp", 0, 2, status=1)


@pytest.mark.parametrize("line,names", [
    ("add tcp 0 0", "'0'"), ("add tcp 0 65536", "65536"), ("delete tcp 0 5", "'0'"),
    ("add tcp 00 5", "'00'"),
])
def test_bad_usage(cli, line, names):
    assert names in cli("persistent", *line.split(), status=2)


def test_json_of_nothing_in_use(cli):
    cli("persistent", "add", "udp", 28000, 5)
    (entry,) = json.loads(cli("who", "--json", 28001))["reservations"]
    assert (entry["users"], entry["pid"]) == ([], None)


def test_a_refused_program_is_told_of_run(cli, start, shim_env, root):
    """By PORTRES_DEBUG: the block is open to whom `run` starts."""
    cli("persistent", "add", "tcp", 28000, 5)
    run = subprocess.run(["/usr/bin/python3", "-c", BIND, "28001"],
                         env={**shim_env, "PORTRES_DEBUG": "1"}, input="", capture_output=True,
                         text=True, check=True)
    assert run.stderr == ("portres: tcp port 28001 is reserved (28000-28004, persistent): start"
                          " it by portres run, or take another port\n")
