# SPDX-License-Identifier: MIT
"""Suites of four workers in which each test starts a server on a port.

The control is the habit that the plugin replaces: the same tests, beside the
same neighbour, with a port that was free a moment ago.
"""

import re
import subprocess
import time

import pytest


pytest.importorskip("xdist")

# A server of the usual kind has read its configuration after so many
# milliseconds.
SLOW = 50

RESERVED = """
def start(reserved_ports):
    r = reserved_ports()
    return r.port, r.popen([SERVER, str(r.port), SLOW], stdout=subprocess.PIPE, text=True)
"""

PICKED = """
def start(reserved_ports):
    with socket.socket() as s:
        s.bind(("", 0))
        port = s.getsockname()[1]
    return port, subprocess.Popen([SERVER, str(port), SLOW], stdout=subprocess.PIPE, text=True)
"""

TESTS = """
@pytest.mark.parametrize("turn", range({count}))
def test_server(turn, reserved_ports):
    port, server = start(reserved_ports)
    with server:
        assert server.stdout.readline() == "listening\\n"
        with socket.create_connection(("127.0.0.1", port)) as s:
            # Mine, and not another test's.
            assert int(s.makefile().readline()) == server.pid
    assert server.returncode == 0
    with open("done", "a") as done:
        print(os.environ["PYTEST_XDIST_WORKER"], port, file=done)
"""


@pytest.fixture
def program(root, tmp_path):
    """program(name) -> its path; built without anything of ours."""

    def program(name):
        source = root / "integration" / "programs" / f"{name}.c"
        subprocess.run(["gcc", "-O2", source, "-o", tmp_path / name], check=True)
        return tmp_path / name

    return program


@pytest.fixture
def workers(suite, program, tmp_path):
    """workers(start, count, **outcomes) -> (what each passed test noted down,
    what pytest said, seconds)."""

    def workers(start, count, env=None, slow=0, **outcomes):
        begin = time.monotonic()
        said = suite(
            f"import socket\nSERVER, SLOW = {str(program('plugin_server'))!r}, '{slow}'\n"
            + start + TESTS.format(count=count),
            "-q", "-n4", "-p", "xdist.plugin", "--tb=short", env=env, timeout=900,
            **outcomes,
        )
        noted = [line.split() for line in (tmp_path / "done").read_text().splitlines()]
        return noted, said, time.monotonic() - begin

    return workers


@pytest.fixture
def neighbour(start, program, shim_env):
    """A program that is grabbing ports; asked for a line it stops and says how
    many it has had."""
    env = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
    grabber = start([program("plugin_grabber")], env)
    assert grabber.line() == "grabbing"
    return grabber


def ephemeral(port):
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        low, high = map(int, file.read().split())
    return low <= port <= high


def no_collision(workers, count, env=None, slow=0):
    noted, _, seconds = workers(RESERVED, count, env, slow, passed=count)
    assert len(noted) == count
    assert {worker for worker, _ in noted} == {"gw0", "gw1", "gw2", "gw3"}
    assert not [port for _, port in noted if ephemeral(int(port))]
    return seconds


@pytest.mark.parametrize("how", ["plugin_env", "preloaded_env"])
def test_four_workers(workers, listed, request, how):
    no_collision(workers, 100, request.getfixturevalue(how))
    assert listed() == []


def test_four_workers_beside_a_grabber(workers, neighbour):
    no_collision(workers, 100, slow=SLOW)
    assert int(neighbour.ask("enough")) > 10000


def test_the_old_way_beside_a_grabber(workers, neighbour):
    """What the others would show if they could not fail."""
    said = workers(PICKED, 100, slow=SLOW, status=1)[1]
    assert int(re.search(r"(\d+) failed", said)[1]) > 0
    assert "assert 'bind: Addre" in said
    assert int(neighbour.ask("enough")) > 10000


@pytest.mark.long
def test_hundreds_of_tests_in_four_workers(workers, listed):
    seconds = no_collision(workers, 1600)
    print(f"1600 tests, {seconds:.0f} s")
    assert listed() == []


@pytest.mark.long
def test_hundreds_of_tests_beside_a_grabber(workers, neighbour):
    seconds = no_collision(workers, 1600, slow=SLOW)
    print(f"1600 tests, {seconds:.0f} s, {neighbour.ask('enough')} ports grabbed meanwhile")
