# SPDX-License-Identifier: MIT
"""portres list, who, and what all subcommands share."""

import calendar
import os
import pty
import re
import signal
import subprocess
import time

import pytest

from kits.cli import block
from kits.playing import value

HEADING = ["PROTO", "START", "END", "COUNT", "KIND", "PID", "USER", "COMMAND", "AGE"]


def rows(text):
    heading, *rest = [line.split() for line in text.splitlines()]
    assert heading in (HEADING, [*HEADING, "GUARD"])
    return rest


def test_nothing_is_reserved(cli, listed):
    assert rows(cli("list")) == []
    assert listed() == []


def test_list_is_sorted_by_protocol_and_port(cli, player):
    one, two = player(), player()
    block(one, "udp", 28000, 3)
    block(one, "tcp", 28900, 1)
    block(two, "tcp", 28100, 20)
    text = cli("list")
    assert [row[:6] + row[7:8] for row in rows(text)] == [
        ["tcp", "28100", "28119", "20", "runtime", str(two.pid), "python3"],
        ["tcp", "28900", "28900", "1", "runtime", str(one.pid), "python3"],
        ["udp", "28000", "28002", "3", "runtime", str(one.pid), "python3"],
    ]
    assert all(re.fullmatch(r"\d+[sm]", row[8]) for row in rows(text))
    # Aligned, and nothing at the ends of lines.
    starts = {line.index("runtime") for line in text.splitlines()[1:]}
    assert len(starts) == 1
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_list_as_json(listed, player):
    before = int(time.time())
    one = player()
    token = block(one, "tcp", 28100, 20)
    (entry,) = listed()
    assert entry.pop("guarded") in (True, False)
    since = time.strptime(entry.pop("since"), "%Y-%m-%dT%H:%M:%SZ")
    assert before <= calendar.timegm(since) <= time.time()
    assert entry == {
        "protocol": "tcp",
        "start": 28100,
        "count": 20,
        "kind": "runtime",
        "pid": one.pid,
        "user": os.geteuid(),
        "command": "python3",
        "token": str(token),
    }


def test_one_protocol_only(listed, player):
    one = player()
    block(one, "udp", 28000, 3)
    block(one, "tcp", 28100, 20)
    assert [e["protocol"] for e in listed("--tcp")] == ["tcp"]
    assert [e["protocol"] for e in listed("--udp")] == ["udp"]
    assert [e["protocol"] for e in listed("--udp", "--tcp")] == ["tcp", "udp"]


def test_the_dead_are_not_listed(listed, player):
    one, two = player(), player()
    block(one, "tcp", 28100, 20)
    block(two, "tcp", 28200, 20)
    one.kill()
    # Beside a storm of locks the kernel's list is not always readable.
    end = time.monotonic() + 10
    while len(seen := listed()) > 1 and time.monotonic() < end:
        pass
    assert [e["start"] for e in seen] == [28200]


def test_a_child_that_survives_is_named(listed, player):
    """The pool knows who acquired; people want to know who has it now."""
    one = player()
    a = one.tcp()
    a.acquire(28100, 20)
    a.set_inheritable(True)
    sleep = one.subprocess.Popen(["sleep", "600"], close_fds=False, stdout=2,
                                 stdin=subprocess.DEVNULL)
    child = value(sleep.pid)
    try:
        one.kill()
        (entry,) = listed()
        assert (entry["pid"], entry["command"]) == (child, "sleep")
    finally:
        os.kill(child, signal.SIGKILL)


def test_the_command_is_what_it_has_become(cli, listed, start, cli_env, build):
    """One that a start script executes, and one that calls itself something else."""
    program = start([build / "portres", "run", "--tcp", "28000+1", "sh", "-c",
                     "echo begun; read line; exec cat"], cli_env)
    assert program.line() == "begun"
    assert [(e["pid"], e["command"]) for e in listed()] == [(program.pid, "sh")]
    assert program.ask("\nnow") == "now"
    assert [(e["pid"], e["command"]) for e in listed()] == [(program.pid, "cat")]
    assert f"by pid {program.pid} (cat) since" in cli("who", 28000)
    said = cli("run", "--tcp", "28000+1", "true", status=75)
    assert f"held by pid {program.pid} (cat):" in said


def test_names_cannot_play_tricks(cli, listed, player):
    one = player()

    def call_itself(name):
        one.pathlib.Path("/proc/self/comm").write_bytes(name)

    name = '\x1b[2J"\\\n\u00e9'
    call_itself(name.encode())
    block(one, "tcp", 28100, 1)
    assert listed()[0]["command"] == name
    text = cli("list")
    assert text.isascii() and text.count("\n") == 2 and "\x1b" not in text
    call_itself(b"a\xff\xc3")
    block(one, "tcp", 28110, 1)
    assert listed()[1]["command"] == "a\ufffd\ufffd"


def test_others_do_not_learn_tokens(listed, player, shim_env, shared_pool):
    pool, as_nobody = shared_pool
    one = player(env=dict(shim_env, PORTRES_POOL=str(pool)))
    token = block(one, "tcp", 28100, 20)
    (own,) = listed(env=as_nobody["env"])
    assert own["token"] == str(token)
    (foreign,) = listed(**as_nobody)
    assert "token" not in foreign
    assert (foreign["pid"], foreign["command"]) == (one.pid, "python3")


USAGE = [
    ("", "say what to do"),
    ("fly", "'fly'"),
    ("--fly", "--fly"),
    ("list --fly", "--fly"),
    ("list -x", "option -x;"),
    ("who 5000 -x", "option -x;"),
    ("who 5000 -xq", "option -xq;"),
    ("who --json 5000 -tq", "option -tq;"),
    ("who 5000 -tq --json", "option -tq;"),
    ("who 5000 --json=1", "option --json=1;"),
    ("who 5000 --help=1", "option --help=1;"),
    ("who 5000 --js --fly", "option --fly;"),
    ("who -1", "no number '-1': a number has no sign;"),
    ("who -15 --json", "no number '-15': a number has no sign;"),
    ("list -1", "list does not know the option -1;"),
    ("doctor -12", "doctor does not know the option -12;"),
    ("list 5000", "5000"),
    ("who", "port"),
    ("who 0", "'0'"),
    ("who 65536", "'65536'"),
    ("who 99999999999999999999", "'99999999999999999999'"),
    ("who -- -1", "'-1'"),
    ("who 5000 5001", "5001"),
    ("who http", "'http'"),
    ("who 0x50", "'0x50'"),
    ("doctor --tcp", "--tcp"),
    ("doctor now", "now"),
    ("persistent", "add, delete"),
    ("persistent fly", "'fly'"),
    ("persistent add", "add takes"),
    ("persistent add tcp 5000", "add takes"),
    ("persistent add tcp 5000 20 1", "1"),
    ("persistent delete tcp 0 20", "'0'"),
    ("persistent add tcp 5000 0", "'0'"),
    ("persistent add tcp 65535 2", "65535"),
    ("persistent add tcp 5000 4294967297", "'4294967297'"),
    ("persistent add sctp 5000 20", "'sctp'"),
    ("persistent add TCP 5000 20", "'TCP'"),
    ("persistent delete udp five 20", "'five'"),
    ("persistent delete udp 5000 twenty", "'twenty'"),
    ("persistent add tcp 5000 -1", "no number '-1': a number has no sign;"),
    ("persistent add tcp -5000 20", "no number '-5000': a number has no sign;"),
    ("persistent add tcp five 20", "'five': say a number from 1 to 65535, or 0 for any;"),
    ("persistent add tcp 65536 20", "'65536': say a number from 1 to 65535, or 0 for any;"),
    ("persistent delete tcp five 20", "no port 'five': say a number from 1 to 65535;"),
    ("guard -1", "option -1;"),
    ("persistent add --udp 5000 20", "option --udp;"),
    ("persistent add tcp 5000 20 x y", "too many for add: x;"),
    ("persistent fly 1 2 3 4 5", "'fly'"),
    ("persistent list --tcp", "option --tcp;"),
    ("persistent reload --tcp=5", "option --tcp=5;"),
    ("persistent list 5000", "too many for list: 5000;"),
    ("persistent list 5000 2 3 4 5", "too many for list: 5000;"),
    ("persistent reload --json", "--json"),
    ("persistent add --json tcp 5000 20", "--json"),
]


@pytest.mark.parametrize("line,names", USAGE, ids=[u[0] or "nothing" for u in USAGE])
def test_bad_usage(cli, pool, line, names):
    said = cli(*line.split(), status=2)
    assert names in said and "--help" in said
    assert list(pool.iterdir()) == []  # nothing was touched


def test_a_missing_pool_is_refused(cli, cli_env, tmp_path):
    env = dict(cli_env, PORTRES_POOL=str(tmp_path / "none"))
    for command in (["list"], ["who", "5000"], ["persistent", "add", "tcp", "28000", "2"]):
        said = cli(*command, status=1, env=env)
        assert f"there is no pool directory {tmp_path}/none: mkdir" in said


def test_a_full_disk_is_no_empty_list(build, cli_env):
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [build / "portres", "list", "--json"],
            env=cli_env, stdout=full, stderr=subprocess.PIPE, check=False,
        )
    assert run.returncode == 1
    assert run.stderr == b"portres: cannot write the output: No space left on device\n"


def on_a_terminal(program, env):
    master, slave = pty.openpty()
    run = subprocess.run(program, env=env, stdout=slave, stdin=slave, check=False)
    os.close(slave)
    text = b""
    try:
        while more := os.read(master, 65536):
            text += more
    except OSError:  # the other end is closed
        pass
    os.close(master)
    return run.returncode, text


@pytest.mark.parametrize("command", ["list", "doctor"])
def test_colour_is_for_terminals(build, cli, cli_env, command):
    program, env = [build / "portres", command], dict(cli_env, TERM="xterm")
    status, text = on_a_terminal(program, env)
    assert status == 0 and b"\x1b[" in text
    assert b"\x1b" not in on_a_terminal(program, dict(env, NO_COLOR="1"))[1]
    assert b"\x1b" in on_a_terminal(program, dict(env, NO_COLOR=""))[1]
    assert b"\x1b" not in on_a_terminal(program, dict(env, TERM="dumb"))[1]
    assert "\x1b" not in cli(command, env=env)


@pytest.mark.parametrize("command", ["list", "who", "persistent", "doctor"])
def test_help(cli, pool, command):
    assert f"  {command} " in cli("--help")
    assert cli(command, "--help").startswith(f"usage: portres {command}")
    assert cli(command, "-h") == cli(command, "--help")
    assert list(pool.iterdir()) == []


def test_version(cli, root):
    assert cli("--version") == f"portres {(root / 'VERSION').read_text()}"
