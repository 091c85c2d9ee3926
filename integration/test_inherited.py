# SPDX-License-Identifier: MIT
"""Blocks that a program was started with: it binds in them, wherever it goes."""

import os
import select
import signal
import struct

import pytest

from kits.inherited import COUNT, FIRST, PYTHON, assert_its_own, bind


def test_an_explicit_bind_counts_as_associated(given, stranger):
    program = given("--tcp", f"{FIRST}+{COUNT}", "--udp", f"{FIRST + 10}+{COUNT}")
    assert_its_own(program, stranger)
    assert bind(program, FIRST + 2, family="socket.AF_INET6") == str(FIRST + 2)
    assert stranger(FIRST + 10, "udp") == "EADDRINUSE"
    assert bind(program, FIRST + 10, "udp") == str(FIRST + 10)
    # In its own block the kernel's refusal stands.
    program.ask("tcp('x')")
    assert program.ask(f"bind('x', {FIRST})") == str(FIRST)
    assert bind(program, FIRST) == "EADDRINUSE"


def test_mptcp_has_no_part_in_it(given):
    program = given()
    made = program.ask("S.update(m=socket.socket(socket.AF_INET, 1, 262))")
    if made != "None":
        pytest.skip(f"no MPTCP here: {made}")
    assert program.ask(f"bind('m', {FIRST})") == "EADDRINUSE"


def test_only_in_blocks_that_it_was_started_with(given, player):
    program, other = given(), player()
    other.ask("udp('a')")
    assert other.ask(f"acquire(S['a'], {FIRST}, {COUNT})")[0] == "("
    assert bind(program, FIRST, "udp") == "EADDRINUSE"
    program.ask("tcp('own')")
    assert program.ask(f"acquire(S['own'], {FIRST + 20}, 1)")[0] == "("
    assert bind(program, FIRST + 20) == "EADDRINUSE"


def test_it_may_release_what_it_has(given, stranger):
    program = given()
    program.ask("tcp('a')")
    release = "release(S['a'], int(os.environ['PORTRES_TOKENS']))"
    assert program.ask(release) == "None"
    assert stranger() == str(FIRST)


def test_children_have_it_too(given, stranger):
    """A worker binds after fork; subprocess closes everything in vfork's child."""
    program = given()
    child = f"(lambda p: p or os._exit(bind('w', {FIRST}) != {FIRST}))(os.fork())"
    program.ask("tcp('w')")
    assert program.ask(f"os.waitpid({child}, 0)[1]") == "0"
    program.ask("close('w')")
    program.ask("__import__('builtins').__dict__.update(sp=__import__('subprocess'))")
    serve = (
        f"import signal,socket;s=socket.create_server(('',{FIRST}));"
        "print('has it',flush=True);signal.pause()"
    )
    program.ask(f"S.update(p=sp.Popen(['{PYTHON}', '-c', {serve!r}], stdout=sp.PIPE))")
    child = int(program.ask("S['p'].pid"))
    try:
        assert program.ask("S['p'].stdout.readline()") == repr(b"has it\n")
        program.kill()
        assert stranger(FIRST + 1) == "EADDRINUSE"
    finally:
        os.kill(child, signal.SIGKILL)


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
        end = os.pidfd_open(daemon)
        os.kill(daemon, signal.SIGKILL)
        # Nobody's child: the next test wants its ports.
        assert select.select([end], [], [], 60)[0]
        os.close(end)


@pytest.mark.parametrize("strict", ["0", "1"])
@pytest.mark.parametrize("act", ["os.setuid(65534)", "os.chroot('/var/empty')"])
def test_after_a_change_of_user_or_root(given, cli_env, stranger, strict, act, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    act = act.replace("/var/empty", str(tmp_path))
    program = given(env={**cli_env, "PORTRES_STRICT": strict})
    assert program.ask(act) == "None"
    assert_its_own(program, stranger)
    assert stranger() == "EADDRINUSE"


def test_without_the_environment_the_block_stays_reserved(start, build, cli_env, stranger):
    """What is lost: the program is not held to others' reservations."""
    program = start(
        [build / "portres", "run", "--tcp", f"{FIRST}+{COUNT}", "env", "-i", "sh", "-c",
         "echo up; read x"],
        cli_env,
    )
    assert program.line() == "up"
    assert stranger() == "EADDRINUSE"
    program.end()
    assert stranger() == str(FIRST)


def test_one_run_inside_another(given, build, root, stranger):
    program = given(
        command=[build / "portres", "run", "--tcp", f"{FIRST + 10}+1", PYTHON,
                 root / "integration/player.py", "up"]
    )
    assert program.ask("os.environ['PORTRES_PORTS']") == repr(str(FIRST + 10))
    assert program.ask("len(os.environ['PORTRES_TOKENS'].split())") == "2"
    program.ask("os.closerange(3, 65536)")
    assert bind(program, FIRST + 10) == str(FIRST + 10)
    assert_its_own(program, stranger)


@pytest.mark.parametrize("tokens", ["", " ", "0", "x", "1 2 3", "99999999999999999999 -1"])
def test_words_that_are_no_tokens(player, shim_env, tokens):
    other = player({**shim_env, "PORTRES_TOKENS": tokens})
    other.ask("tcp('a')")
    assert other.ask(f"acquire(S['a'], {FIRST}, {COUNT})")[0] == "("
    assert other.ask(f"tcp('b') and bind('b', {FIRST})") == "EADDRINUSE"
    assert other.ask("os.closerange(3, 100)") == "None"
    assert other.ask(f"tcp('b') and bind('b', {FIRST})") == str(FIRST)


def test_a_token_without_its_socket_is_nothing(player, shim_env):
    owner = player()
    owner.ask("tcp('a')")
    token = eval(owner.ask(f"acquire(S['a'], {FIRST}, {COUNT})"))[2]
    other = player({**shim_env, "PORTRES_TOKENS": str(token)})
    other.ask("tcp('b')")
    assert other.ask(f"bind('b', {FIRST})") == "EADDRINUSE"
