# SPDX-License-Identifier: MIT
"""Programs that carry a block: r.popen(), and what else passes it on."""

import os
import select
import signal
import subprocess
import sys
import time

import pytest

from kits.playing import value
from plugin_inner import stranger


def serve_there(block, index):
    """In a player: python's own server on one port of the block."""
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1"]
    return block.popen([*command, str(block.ports[index])], stdout=-1, stderr=-3)


def answer_there(block, index):
    from urllib.request import urlopen
    with urlopen(f"http://127.0.0.1:{block.ports[index]}") as answer:
        return answer.status


HOW = pytest.mark.parametrize("how", ["plugin_env", "preloaded_env"])


@pytest.fixture
def reserver(player, request):
    """reserver(how, *arguments) -> a player, and what it has reserved."""

    def reserver(how, *arguments):
        one = player(request.getfixturevalue(how))
        return one, one.portres.reserve(*arguments)

    return reserver


def emptied(listed):
    """Is the last block gone? On a busy machine the kernel's list of locks
    may hide for a moment that it is: docs/limits.md."""
    end = time.monotonic() + 30
    while listed() and time.monotonic() < end:
        pass
    return listed() == []


def serve(one, block, index):
    """Starts that server; returns it."""
    server = one.run(serve_there, block, index)
    said = server.stdout.readline()
    assert said.startswith(b"Serving HTTP"), said
    return server


@HOW
def test_a_real_server(reserver, listed, plugin_env, how):
    """Two on one block; it ends with the last who carries it."""
    one, block = reserver(how, 3, "tcp", 29000)
    first, second = serve(one, block, 0), serve(one, block, 1)
    assert one.run(answer_there, block, 0) == one.run(answer_there, block, 1) == 200
    assert stranger(29002, env=plugin_env) == "EADDRINUSE"
    block.close()
    (entry,) = listed()
    assert (entry["start"], entry["count"]) == (29000, 3)
    assert entry["pid"] in (value(first.pid), value(second.pid))
    first.kill(), first.wait()
    assert [entry["pid"] for entry in listed()] == [value(second.pid)]
    assert stranger(29000, env=plugin_env) == "EADDRINUSE"
    second.kill(), second.wait()
    assert emptied(listed)
    assert stranger(29000, env=plugin_env) == "bound"


@HOW
def test_the_parent_is_killed(reserver, listed, plugin_env, how):
    one, block = reserver(how, 2, "tcp", 29000)
    server = value(serve(one, block, 0).pid)
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
    one, block = reserver("plugin_env", 2, "tcp", 29000)
    server = serve(one, block, 0)
    block.release()
    assert listed() == []
    assert stranger(29001, env=plugin_env) == "bound"
    assert stranger(29000, env=plugin_env) == "EADDRINUSE"  # the kernel's
    block.kill()
    assert value(server.returncode) == -9
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
    one, block = reserver("plugin_env", 2, "tcp", 29000)
    sleep = one.subprocess.Popen(["sleep", "600"], close_fds=False)
    child, owner = value(sleep.pid), str(value(block.fd))
    end = time.monotonic() + 30
    # exec closes its descriptors after it has let the parent go on.
    while owner in os.listdir(f"/proc/{child}/fd") and time.monotonic() < end:
        pass
    try:
        block.close()
        assert emptied(listed)
    finally:
        sleep.kill()
