# SPDX-License-Identifier: MIT
"""Programs that carry a block: r.popen(), and what else passes it on."""

import os
import select
import signal
import subprocess
import sys
import time

import pytest

from plugin_inner import stranger

# Real connections leave their ports in TIME_WAIT: ports of no other test.
SERVE = "S['r'].popen(['{0}', '-u', '-m', 'http.server', '--bind', '127.0.0.1', " \
    "str(S['r'].ports[{1}])], stdout=-1, stderr=-3)"
ANSWERS = "__import__('urllib.request').request.urlopen(" \
    "'http://127.0.0.1:%d' % S['r'].ports[{0}]).status"

HOW = pytest.mark.parametrize("how", ["plugin_env", "preloaded_env"])


@pytest.fixture
def reserver(player, request):
    """reserver(how, arguments) -> a player with that block as S['r']."""

    def reserver(how, arguments):
        one = player(request.getfixturevalue(how))
        one.ask("S.update(portres=__import__('portres'))")
        assert one.ask(f"S.update(r=S['portres'].reserve({arguments}))") == "None"
        return one

    return reserver


def emptied(listed):
    """Is the last block gone? On a busy machine the kernel's list of locks
    may hide for a moment that it is: docs/limits.md."""
    end = time.monotonic() + 30
    while listed() and time.monotonic() < end:
        pass
    return listed() == []


def serve(one, name, index):
    """Starts python's own server as S[name], on one port of the block."""
    one.ask(f"S.update({name}={SERVE.format(sys.executable, index)})")
    said = one.ask(f"S['{name}'].stdout.readline()")
    assert said.startswith("b'Serving HTTP"), said
    return int(one.ask(f"S['{name}'].pid"))


@HOW
def test_a_real_server(reserver, listed, plugin_env, how):
    """Two on one block; it ends with the last who carries it."""
    one = reserver(how, "3, 'tcp', 29000")
    first, second = serve(one, "a", 0), serve(one, "b", 1)
    assert one.ask(ANSWERS.format(0)) == one.ask(ANSWERS.format(1)) == "200"
    assert stranger(29002, env=plugin_env) == "EADDRINUSE"
    assert one.ask("S['r'].close()") == "None"
    (entry,) = listed()
    assert (entry["start"], entry["count"]) == (29000, 3)
    assert entry["pid"] in (first, second)
    one.ask("S['a'].kill()"), one.ask("S['a'].wait()")
    assert [entry["pid"] for entry in listed()] == [second]
    assert stranger(29000, env=plugin_env) == "EADDRINUSE"
    one.ask("S['b'].kill()"), one.ask("S['b'].wait()")
    assert emptied(listed)
    assert stranger(29000, env=plugin_env) == "bound"


@HOW
def test_the_parent_is_killed(reserver, listed, plugin_env, how):
    one = reserver(how, "2, 'tcp', 29000")
    server = serve(one, "a", 0)
    one.kill()
    assert [entry["pid"] for entry in listed()] == [server]
    assert stranger(29001, env=plugin_env) == "EADDRINUSE"
    # No child of ours: its descriptor tells when it has ended.
    end = os.pidfd_open(server)
    os.kill(server, signal.SIGKILL)
    assert select.select([end], [], [], 30)[0]
    os.close(end)
    assert emptied(listed)


def test_release_ends_it_for_all(reserver, listed, plugin_env):
    """The server goes on with what it has bound."""
    one = reserver("plugin_env", "2, 'tcp', 29000")
    serve(one, "a", 0)
    assert one.ask("S['r'].release()") == "None"
    assert listed() == []
    assert stranger(29001, env=plugin_env) == "bound"
    assert stranger(29000, env=plugin_env) == "EADDRINUSE"  # the kernel's
    one.ask("S['r'].kill()")
    assert one.ask("S['a'].returncode") == "-9"
    assert stranger(29000, env=plugin_env) == "bound"


BINDS = """
import os, socket
tcp, udp = map(int, os.environ["PORTS"].split())
with socket.socket() as a, socket.socket(type=socket.SOCK_DGRAM) as b:
    a.bind(("127.0.0.1", tcp)), b.bind(("127.0.0.1", udp))
print("both")
"""


def test_two_blocks_in_one_program(plugin_env):
    """What is passed by hand: env() of both, and both sockets."""
    script = f"""
import os, portres, subprocess, sys
a, b = portres.reserve(), portres.reserve(1, "udp")
env = a.env(dict(os.environ, PORTS=f"{{a.port}} {{b.port}}"))
child = b.popen([sys.executable, "-c", {BINDS!r}], env=env, pass_fds=[a.fd])
assert child.wait() == 0
run = subprocess.run([sys.executable, "-c", {BINDS!r}], env=b.env(env), pass_fds=[a.fd, b.fd])
assert run.returncode == 0
"""
    said = subprocess.run([sys.executable, "-c", script], env=plugin_env, text=True,
                          check=True, stdout=subprocess.PIPE, timeout=60).stdout
    assert said == "both\nboth\n"


def test_an_ordinary_child_has_nothing(reserver, listed):
    """Not what subprocess starts by itself, nor os.fork() and exec."""
    one = reserver("plugin_env", "2, 'tcp', 29000")
    one.ask("S.update(a=__import__('subprocess').Popen(['sleep', '600'], close_fds=False))")
    child, owner = one.ask("S['a'].pid"), one.ask("S['r'].fd")
    end = time.monotonic() + 30
    # exec closes its descriptors after it has let the parent go on.
    while owner in os.listdir(f"/proc/{child}/fd") and time.monotonic() < end:
        pass
    try:
        assert one.ask("S['r'].close()") == "None"
        assert emptied(listed)
    finally:
        one.ask("S['a'].kill()")
