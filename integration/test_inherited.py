# SPDX-License-Identifier: MIT
"""Blocks that a program was started with: it binds in them, wherever it goes."""

import os
import select
import signal
import socket
from errno import EADDRINUSE

import pytest

from kits.books import fill_words
from kits.inherited import COUNT, FIRST, answer_to, assert_its_own, guarded
from kits.playing import PYTHON, SCRIPT, attempt, refused, value


def test_an_explicit_bind_counts_as_associated(given, stranger):
    program = given("--tcp", f"{FIRST}+{COUNT}", "--udp", f"{FIRST + 10}+{COUNT}")
    assert_its_own(program, stranger)
    assert answer_to(program, FIRST + 2, family=socket.AF_INET6) == FIRST + 2
    assert stranger(FIRST + 10, "udp") == "EADDRINUSE"
    assert answer_to(program, FIRST + 10, "udp") == FIRST + 10
    # In its own block the kernel's refusal stands.
    assert program.tcp().bind(FIRST) == FIRST
    assert answer_to(program, FIRST) == "EADDRINUSE"


def test_under_the_lock_as_well(given, stranger, pool):
    """There a bind goes where 255 others are under way beside it."""
    program = given()
    fill_words(pool, FIRST)
    assert_its_own(program, stranger)


def test_mptcp_has_no_part_in_it(given):
    program = given()
    x = program.mptcp_or_skip()
    with refused(EADDRINUSE):
        x.bind(FIRST)


def test_only_in_blocks_that_it_was_started_with(given, other):
    program = given()
    other.udp().acquire(FIRST, COUNT)
    assert answer_to(program, FIRST, "udp") == "EADDRINUSE"
    program.tcp().acquire(FIRST + 20, 1)
    assert answer_to(program, FIRST + 20) == "EADDRINUSE"


def test_it_may_release_what_it_has(given, stranger):
    program = given()
    program.tcp().release(int(program.os.environ["PORTRES_TOKENS"]))
    assert stranger() == FIRST


def end_orphan(pid):
    """Nobody waits for it, and the next test wants its ports."""
    end = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([end], [], [], 60)[0]
    os.close(end)


def test_children_have_it_too(given, stranger):
    """A worker binds after fork; subprocess closes everything in vfork's child."""
    program = given()
    with program.tcp() as x:
        assert program.in_child(x.bind, FIRST) == FIRST
    serve = (
        f"import signal,socket;s=socket.create_server(('',{FIRST}));"
        "print('has it',flush=True);signal.pause()"
    )
    child = program.subprocess.Popen([PYTHON, "-c", serve], stdout=program.subprocess.PIPE)
    pid = value(child.pid)
    try:
        assert child.stdout.readline() == b"has it\n"
        program.kill()
        assert stranger(FIRST + 1) == "EADDRINUSE"
    finally:
        end_orphan(pid)


DAEMON = """
import os, socket, sys
print("up", flush=True)
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.closerange(3, 65536)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(os.getpid(), flush=True)
sys.stdin.read()
"""


def test_a_daemon(start, build, cli_env, stranger, listed):
    program = start(
        [build / "portres", "run", "--tcp", f"{FIRST}+{COUNT}", PYTHON, "-c", DAEMON, "{1}"],
        cli_env,
    )
    assert program.line() == "up"
    daemon = int(program.line())
    try:
        assert program.popen.wait() == 0
        assert stranger(FIRST + 1) == "EADDRINUSE"
        assert [e["pid"] for e in listed()] == [daemon]
    finally:
        end_orphan(daemon)


@pytest.mark.parametrize("strict", ["0", "1"])
@pytest.mark.parametrize("change", ["user", "root"])
def test_after_a_change_of_user_or_root(given, cli_env, stranger, strict, change, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    program = given(env={**cli_env, "PORTRES_STRICT": strict})
    if change == "user":
        program.os.setuid(65534)
    else:
        program.os.chroot(str(tmp_path))
    assert_its_own(program, stranger)
    assert stranger() == "EADDRINUSE"


def test_where_there_is_no_proc(given, need, stranger):
    """It executes itself anew in a chroot that has the pool and no /proc."""
    need("mount")
    hide = "mount -t tmpfs none /proc && exec \"$@\""
    program = given("--tcp", f"{FIRST}+{COUNT}", "--udp", f"{FIRST + 10}+1",
                    command=["unshare", "-m", "sh", "-c", hide, "sh", PYTHON, SCRIPT, "up"])
    program.exec_again()
    assert attempt(program.os.listdir, "/proc/self") == "ENOENT"
    before = guarded(program)
    assert len(before) == 2
    program.os.closerange(3, 65536)
    assert guarded(program) == before
    assert_its_own(program, stranger)
    assert answer_to(program, FIRST + 10, "udp") == FIRST + 10


def test_without_the_environment_the_block_stays_reserved(start, build, cli_env, stranger):
    """The program is not held to others' reservations then."""
    program = start(
        [build / "portres", "run", "--tcp", f"{FIRST}+{COUNT}", "env", "-i", "sh", "-c",
         "echo up; read x"],
        cli_env,
    )
    assert program.line() == "up"
    assert stranger() == "EADDRINUSE"
    program.end()
    assert stranger() == FIRST


def test_one_run_inside_another(given, build, stranger):
    program = given(
        command=[build / "portres", "run", "--tcp", f"{FIRST + 10}+1", PYTHON, SCRIPT, "up"]
    )
    assert program.os.environ["PORTRES_PORTS"] == str(FIRST + 10)
    assert len(program.os.environ["PORTRES_TOKENS"].split()) == 2
    program.os.closerange(3, 65536)
    assert answer_to(program, FIRST + 10) == FIRST + 10
    assert_its_own(program, stranger)


def test_more_blocks_than_one_run_takes(given, build, stranger):
    """Those of the run around it have the lower numbers, and come first."""
    outer = [word for _ in range(64) for word in ("--udp", "1")]
    inner = [build / "portres", "run", "--tcp", f"{FIRST}+{COUNT}", "--udp", "1"]
    program = given(*outer, command=[*inner, "--", PYTHON, SCRIPT, "up"])
    assert len(program.os.environ["PORTRES_TOKENS"].split()) == 66
    before = guarded(program)
    assert len(before) == 66
    program.os.closerange(3, 65536)
    assert guarded(program) == before
    assert_its_own(program, stranger)


@pytest.mark.parametrize("tokens", ["", " ", "0", "x", "1 2 3", "99999999999999999999 -1"])
def test_words_that_are_no_tokens(player, shim_env, tokens):
    other = player({**shim_env, "PORTRES_TOKENS": tokens})
    other.tcp().acquire(FIRST, COUNT)
    with refused(EADDRINUSE):
        other.tcp().bind(FIRST)
    other.os.closerange(3, 100)
    assert other.tcp().bind(FIRST) == FIRST


def test_a_token_without_its_socket_is_nothing(owner, player, shim_env):
    block = owner.tcp().acquire(FIRST, COUNT)
    other = player({**shim_env, "PORTRES_TOKENS": str(block.token)})
    with refused(EADDRINUSE):
        other.tcp().bind(FIRST)


def test_in_another_network_namespace(given, namespace, player):
    """As `ip netns exec` starts it: ports of that one are the business of its pool."""
    there = player(prefix=namespace)
    there.tcp().acquire(FIRST + 10, 2)
    program = given(command=[*namespace, PYTHON, SCRIPT, "up"])
    assert answer_to(program, FIRST + 10) == "EADDRINUSE"
    assert answer_to(program, FIRST + 12) == FIRST + 12
