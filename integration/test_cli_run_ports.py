# SPDX-License-Identifier: MIT
"""portres run: which ports, in which protocols, and who is told."""

import os
import re
import socket
import stat
import struct
import subprocess
import time
from errno import EADDRINUSE

import pytest

from kits.playing import refused


@pytest.fixture
def run(build, cli_env):
    """run(*arguments) -> what the command printed."""

    def run(*arguments):
        done = subprocess.run(
            [build / "portres", "run", *map(str, arguments)],
            env=cli_env, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_both(run):
    """A number counts once, and is nobody else's in either protocol."""
    said = run("--both", 2, "--tcp", 1, "sh", "-c",
               "echo {1} {2} {3} {4}; echo $PORTRES_PORTS; echo $PORTRES_RANGES; "
               "echo $PORTRES_TOKENS")
    arguments, ports, ranges, tokens = said.splitlines()
    first, second, third, left = arguments.split()
    assert int(second) == int(first) + 1 and left == "{4}"
    assert ports == f"{first} {second} {third}"
    assert ranges == f"tcp:{first}+2 udp:{first}+2 tcp:{third}+1"
    assert len(set(tokens.split())) == 3


@pytest.mark.parametrize("how", ["--tcp", "--udp", "--both"])
def test_any_ports_keep_off_certain_ones(run, cli_env, how):
    """Of the same line, in whatever order they are asked for."""
    cli_env["PORTRES_WILDCARD"] = "28000-28007"
    said = run(how, 2, how, "28000+1", how, 3, how, "28004+1", "sh", "-c", "echo $PORTRES_PORTS")
    assert said == "28001 28002 28000 28005 28006 28007 28004\n"


@pytest.mark.parametrize("blocks", [
    "--tcp 28000+5 --tcp 28004+1", "--both 28000+1 --udp 28000+1",
    "--udp 28002+1 --tcp 3 --both 28000+5"])
def test_a_port_is_asked_for_twice(cli, listed, blocks):
    """By this command: it has nobody to wait for, and is nobody to stop."""
    said = cli("run", "--wait", "50", *blocks.split(), "true", status=2)
    assert re.search(r"a port of (tcp|udp) 2800\d(-28004)? is asked for twice: once", said)
    assert listed() == []


def test_a_port_of_a_persistent_block_may_be(cli, run):
    cli("persistent", "add", "tcp", 28000, 5)
    assert run("--tcp", "28001+2", "--tcp", "28002+1", "echo", "{1} {2} {3}") == (
        "28001 28002 28002\n")
    cli("run", "--tcp", "28004+1", "--tcp", "28004+2", "true", status=75)


BIND = """
import socket, sys
for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
    s = socket.socket(type=kind)
    s.bind(("127.0.0.1", int(sys.argv[1])))
print("bound", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("block", ["1", "28000+1"])
def test_a_server_binds_both(start, build, cli_env, player, listed, block):
    cli_env["PORTRES_WILDCARD"] = "28000-28999"  # no TIME_WAIT of other tests is there
    program = start([build / "portres", "run", "--both", block, "/usr/bin/python3", "-c", BIND,
                     "{1}"], cli_env)
    assert program.line() == "bound"
    entries = listed()
    assert [e["protocol"] for e in entries] == ["tcp", "udp"]
    assert len({e["start"] for e in entries}) == 1
    one = player()
    for proto in "tcp", "udp":
        with refused(EADDRINUSE):
            one.sock(proto).bind(entries[0]["start"], "127.0.0.2")


def test_both_passes_by_what_either_has(cli, run, player, cli_env):
    cli_env["PORTRES_WILDCARD"] = "28000-28003"
    one = player()
    one.udp().acquire(28000, 1)
    one.tcp().bind(28001)
    assert run("--both", 2, "echo", "{1}") == "28002\n"
    assert "no 3 free tcp and udp ports" in cli("run", "--both", 3, "true", status=75)
    assert "udp ports 28000 overlap 28000" in cli("run", "--both", "28000+1", "true", status=75)
    assert "tcp port 28001 is in use" in cli("run", "--both", "28001+1", "true", status=75)


def test_both_in_persistent_blocks(cli, run, listed):
    for proto in "tcp", "udp":
        cli("persistent", "add", proto, 28000, 5)
    assert run("--both", "28001+2", "sh", "-c", "echo $PORTRES_PORTS") == "28001 28002\n"
    assert len(listed()) == 2


def test_both_waits(start, cli_env, build, player):
    """For any ports, while there is none."""
    env = dict(cli_env, PORTRES_WILDCARD="28000-28000")
    owning = player().udp()
    owning.acquire(28000, 1)
    waiter = start([build / "portres", "run", "--wait", "60", "--both", "1", "echo", "{1}"], env)
    end = time.monotonic() + 30
    asleep = False
    while not asleep and time.monotonic() < end:
        with open(f"/proc/{waiter.pid}/syscall") as file:
            asleep = file.read().split()[0] in ("35", "101")
    assert asleep
    owning.close()
    assert waiter.line() == "28000"


@pytest.mark.parametrize("how", ["--tcp", "--udp", "--both"])
def test_pairs(run, cli_env, how):
    cli_env["PORTRES_WILDCARD"] = "28001-28007"
    said = run("--align", 2, how, 2, how, 2, how, 2, "sh", "-c", "echo {1} {3} {5}")
    assert said == "28002 28004 28006\n"


def test_the_file_of_ports(run, tmp_path):
    """It is there, and whole, when the command begins; one port a line."""
    path = tmp_path / "ports"
    said = run("--tcp", 3, "--both", 1, "--ports-file", path, "cat", path)
    assert len(said.split()) == 4 and said == path.read_text()
    path.chmod(0o600)
    os.link(path, tmp_path / "reading")
    run("--tcp", "28000+1", "--ports-file", path, "true")  # replaced
    assert path.read_text() == "28000\n"
    os.umask(mask := os.umask(0))
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert (tmp_path / "reading").read_text() == said
    assert sorted(os.listdir(tmp_path)) == ["pool", "ports", "reading"]


def test_a_parent_reads_it(start, build, cli_env, tmp_path):
    """It never sees half a list."""
    path = tmp_path / "ports"
    program = start([build / "portres", "run", "--tcp", "0+4000", "--ports-file", path, "cat"],
                    cli_env)
    end = time.monotonic() + 30
    while not path.exists() and time.monotonic() < end:
        pass
    ports = list(map(int, path.read_text().split()))
    assert ports == list(range(ports[0], ports[0] + 4000))
    program.kill()


def test_no_file_is_left_of_what_did_not_start(cli, run, tmp_path, listed):
    path = tmp_path / "ports"
    cli("run", "--tcp", 1, "--ports-file", path, "nonono", status=127)
    assert not path.exists()
    assert "28000" in run("--print", "--tcp", "28000+1", "--ports-file", path, "true")
    assert not path.exists()


@pytest.mark.parametrize("kind", ["directory", "fifo", "link", "nowhere"])
def test_a_file_that_cannot_be(cli, tmp_path, kind):
    path = tmp_path / "it"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/dev/null")
    else:
        path = tmp_path / "no/it"
    before = os.listdir(tmp_path)
    said = cli("run", "--tcp", 1, "--ports-file", path, "true", status=1)
    assert str(path) in said and "another path" in said
    assert os.listdir(tmp_path) == before


def test_many_on_purpose(run):
    first, last = map(int, run("--tcp", "0+8080", "echo", "{1}", "{8080}").split())
    assert last == first + 8079
    assert run("--tcp", 1024, "echo", "{1025}") == "{1025}\n"


@pytest.mark.parametrize("line,names", [
    ("--tcp 8080 true", "8080 alone is a number of ports: say 8080+1 for that port, 0+8080 for"),
    ("--udp 1025 true", "1025+1"),
    ("--both 8443 true", "0+8443"),
    ("--both", "--both wants a value"),
    ("--both x true", "'x'"),
    ("--both 65535+2 true", "65535"),
    ("--tcp 0+0 true", "'0'"),
    ("--tcp 00+1 true", "'00'"),
    ("--tcp 0+65536 true", "65536"),
    ("--align 0 --tcp 2 true", "'0'"),
    ("--align x --tcp 2 true", "'x'"),
    ("--align 65536 --tcp 2 true", "'65536'"),
    ("--tcp 28001+2 --align 2 true", "28001 is no multiple of 2"),
    ("--ports-file f true", "--ports-file without ports"),
    ("--ports-file", "--ports-file wants a value"),
    (f"{'--tcp 1 ' * 63} --both 5000+1 true", "5000+1 is one block"),
])
def test_bad_usage(cli, line, names):
    assert names in cli("run", *line.split(), status=2)


def test_a_port_in_use_by_a_stranger(cli):
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 28000))
        assert "udp port 28000 is in use" in cli("run", "--both", "28000+1", "true", status=75)


def closed_by_its_server(port, unread):
    """A client whose connection the kernel goes on closing: no process has the other end."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        server.setblocking(False)
        while unread:
            try:
                server.send(bytes(100000))
            except BlockingIOError:
                break
        server.close()
    # When it ends, nothing is to stay.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return client


@pytest.mark.parametrize("unread", [False, True])
def test_a_port_in_use_by_nobody(cli, unread):
    """There is nothing to stop."""
    with closed_by_its_server(28490, unread):
        for command, status in (["run", "--tcp", "28490+2", "true"], 75), (
                ["persistent", "add", "tcp", "28490", "2"], 1):
            assert cli(*command, status=status) == (
                "portres: tcp port 28490 is in use by a connection that no process has any more: "
                "wait until it is closed, or take other ports\n")


def test_the_one_in_the_way_is_named(cli):
    """Not a connection in TIME_WAIT, which the kernel lists first."""
    with socket.create_server(("127.0.0.1", 28491)) as listener:
        client = socket.create_connection(listener.getsockname())
        listener.accept()[0].close()
        client.close()
    with socket.create_server(("::", 28491), family=socket.AF_INET6):
        assert "TIME_WAIT" in cli("who", "28491").splitlines()[0]
        said = cli("run", "--tcp", "28491+1", "true", status=75)
        assert f"in use by pid {os.getpid()} (" in said and "stop it" in said
