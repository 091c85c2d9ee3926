# SPDX-License-Identifier: MIT
"""Programs as Windows programmers write them, built unchanged: what they see."""

import errno
import re
import subprocess

import pytest


@pytest.fixture
def ported(root, compile_program):
    """ported(name) -> that program of ours, which must draw no warning."""

    def ported(name):
        return compile_program(
            f"winsock_programs/{name}", name.partition(".")[0],
            "c++" if name.endswith("pp") else "c",
            ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"])

    return ported


@pytest.mark.parametrize("protocol", [6, 17])
@pytest.mark.parametrize("start, count", [(27300, 5), (0, 3)])
def test_associate(ported, run, protocol, start, count):
    ended = run(ported("associate.cpp"), protocol, start, count)
    assert ended.stdout.splitlines() == [
        f"acquired {count} ports, bytesReturned = 16",
        "associated, bytesReturned = 0",
        "bound inside: yes",
        "released, bytesReturned = 0",
    ], ended
    assert ended.returncode == 0


@pytest.mark.parametrize("port", [27310, 0])
def test_quic(ported, run, port):
    ended = run(ported("quic.cpp"), port)
    assert ended.stdout.splitlines() == [
        "acquire 0", "second acquire 10048", *["associate 0", "bind 0"] * 4,
        "stranger 10013",
    ], ended
    assert ended.returncode == 0


SERVER = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as taken:
    taken.bind(("", 600))
    print(server.getsockname()[1], flush=True)
    print(server.accept()[1][1], flush=True)
"""


def test_rpc_client(ported, start, namespace, shim_env, bare_env):
    """Port 600 is taken, so it is 601, seen so by the server too."""
    server = start([*namespace, "/usr/bin/python3", "-c", SERVER], bare_env)
    client = start([*namespace, ported("rpc_client.c"), server.line()], shim_env)
    said = [client.line() for _ in range(3)]
    assert said == ["600: 10048", "reserved 601", "connected from 601"]
    assert server.line() == "601"


BIND_UDP = """
import errno, socket, sys
for port in map(int, sys.argv[1:]):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.bind(("", port))
        print(port, 0)
    except OSError as e:
        print(port, e.errno)
    s.close()
"""


def test_ten_blocks(ported, start, shim_env, under):
    program = start([*under, ported("blocks.c")])
    blocks = []
    for _ in range(10):
        found = re.fullmatch(r"(\d+) (\d+) (\d+)", program.line())
        blocks.append(tuple(map(int, found.groups())))
    ports = {p for first, n, _ in blocks for p in range(first, first + n)}
    assert len(ports) == 640
    assert len({token for _, _, token in blocks}) == 10

    def errors():
        ran = subprocess.run(
            ["/usr/bin/python3", "-c", BIND_UDP, *map(str, sorted(ports))],
            env=shim_env, capture_output=True, text=True, check=True)
        return [int(line.split()[1]) for line in ran.stdout.splitlines()]

    assert errors() == [errno.EADDRINUSE] * 640
    program.tell("")
    assert program.line() == "closed"
    assert errors() == [0] * 640
    program.tell("")
    assert program.end() == 0
