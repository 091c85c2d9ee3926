# SPDX-License-Identifier: MIT
"""Windows programs, built unchanged on our headers: what they print."""

import re
import subprocess

import pytest

PYTHON = "/usr/bin/python3"
BIND_UDP = (
    "import socket, sys\n"
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "s.bind(('127.0.0.1', int(sys.argv[1])))\n"
    "print('bound', flush=True)\n"
    "sys.stdin.read()\n"
)

# Until the kernel has closed its end, as it does when the other's is in TIME_WAIT.
READ_TO_THE_END = """
import os, socket, sys
CLOSED = 7
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    while text := s.recv(9):
        print(text.decode(), end="")
    s.shutdown(socket.SHUT_WR)
    while s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != CLOSED:
        os.sched_yield()
"""


@pytest.fixture
def reserve(root, compile_program):
    return compile_program(
        "winsock/reserve.cpp", "reserve", "c++")


@pytest.mark.parametrize("family", [2, 10])
@pytest.mark.parametrize("protocol, first, count",
                         [(17, 5000, 20), (6, 27100, 10), (17, 0, 3)])
def test_the_sample(reserve, run, family, protocol, first, count):
    ended = run(reserve, family, protocol, first, count)
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, ended
    assert lines[:2] == ["socket succeeded",
                         "acquire succeeded, bytesReturned = 16"]
    block = re.fullmatch(r"StartPort=(\d+) NumberOfPorts=(\d+) Token=(\d+)",
                         lines[2])
    assert block, lines
    got_first, got_count, token = map(int, block.groups())
    assert got_first == first or (first == 0 and got_first > 0)
    assert got_count == count
    assert token != 0
    assert lines[3:] == ["release succeeded, bytesReturned = 0"]


def test_the_sample_meets_another_holder(reserve, run, start, under):
    """One port of the block is reserved elsewhere, until SIGKILL."""
    holder = start([*under, reserve, 2, 17, 5005, 1, "hold"])
    assert holder.line() == "socket succeeded"
    assert holder.line() == "acquire succeeded, bytesReturned = 16"
    assert holder.line().startswith("StartPort=5005 ")
    refused = run(reserve, 2, 17, 5000, 20)
    assert "failed with error = 10048\n" in refused.stdout
    assert refused.returncode == 1
    holder.kill()
    assert run(reserve, 2, 17, 5000, 20).returncode == 0


def test_the_sample_meets_a_program_that_is_not_preloaded(
        reserve, run, bare_env, start):
    holder = start([PYTHON, "-c", BIND_UDP, 5005], env=bare_env)
    assert holder.line() == "bound"
    refused = run(reserve, 2, 17, 5000, 20)
    assert "failed with error = 10048\n" in refused.stdout
    assert refused.returncode == 1
    holder.kill()
    assert run(reserve, 2, 17, 5000, 20).returncode == 0


def test_hold_releases_when_told(reserve, start, under):
    holder = start([*under, reserve, 2, 6, 27110, 2, "hold"])
    for _ in range(3):
        holder.line()
    assert holder.ask("") == "release succeeded, bytesReturned = 0"
    assert holder.popen.wait() == 0


def test_usage_shows_the_programs_name(reserve, run):
    ended = run(reserve)
    lines = ended.stdout.splitlines()
    assert lines[0].startswith(f"usage: {reserve} <family>")
    assert lines[-1] == f"{reserve} 2 17 5000 20"
    assert ended.returncode == 1


def test_the_c_spellings(root, compile_program, run):
    program = compile_program(
        "winsock/reserve_c.c", "reserve_c")
    ended = run(program, 27120, 4)
    assert ended.returncode == 0, ended
    text = re.fullmatch(
        r"StartPort=27120 NumberOfPorts=4 Token=(\d+) bytes=16\n"
        r"bytes=0 bound=(\d+)\n", ended.stdout)
    assert text, ended.stdout
    assert int(text[1]) != 0 and 27120 <= int(text[2]) < 27124


def test_the_demo(root, compile_program, start, shim_env, under):
    demo = compile_program(
        "demo/winsock_demo.cpp", "demo", "c++")
    server = start([*under, demo, 27200, 100])
    text = re.fullmatch(
        r"(\S+) holds ports 27200\.\.27299, listening on (\d+), token (\d+)",
        server.line())
    assert text and text[1] == str(demo) and int(text[3]) != 0
    assert 27200 <= int(text[2]) <= 27299
    client = subprocess.run([PYTHON, "-c", READ_TO_THE_END, text[2]], env=shim_env,
                            capture_output=True, text=True, check=False,
                            timeout=60)
    assert client.stdout == "hello\n", client
    server.kill()
    # Its connections are in TIME_WAIT now, which is not in use.
    again = start([*under, demo, 27200, 100])
    assert " holds ports 27200..27299," in again.line()
