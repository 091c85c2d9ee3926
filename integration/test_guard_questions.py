# SPDX-License-Identifier: MIT
"""What the library asks the guard, call by call: nothing twice, and where there is no
guard hardly anything."""

import re
import subprocess

import pytest

import portio

BEFORE = """
import ctypes, os, portio, socket
def tcp(shares=False):
    kept.append(socket.socket())
    kept[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shares)
    return kept[-1]
def associated(shares=False):
    x = tcp(shares)
    portio.associate(x, block)
    return x
def bind(sock, port):
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        return error.errno
def both():
    asked = ctypes.create_string_buffer(bytes([0x65, 0xf4, 3, 0]), 32)  # 26100 + 3
    udp = socket.socket(type=socket.SOCK_DGRAM)
    portio.must(libc.portres_acquire_both(tcp().fileno(), udp.fileno(), asked, 0) == 0)
def find():
    token = ctypes.c_uint64()
    portio.must(libc.portres_persistent_find(6, socket.htons(26200), 2, ctypes.byref(token)) == 0)
    return token.value
kept = []
libc = ctypes.CDLL(None, use_errno=True)
owner = tcp()
portio.release(owner, portio.acquire(owner, 26050, 1))
"""
HELD = "block = portio.acquire(owner, 26000, 2)"
FULL = f"{HELD}; bind(associated(), 26000), bind(associated(), 26001)"
KEPT = "block = find()"



@pytest.fixture
def asked(arena, shim_env, has):
    """asked(before, code) -> what that code asks the guard, by a process that has asked
    before; each that fails with no guard has a - before it."""
    if not has("strace"):
        pytest.skip("no strace")

    def asked(before, code):
        env = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
        run = subprocess.run(
            [*arena.inside, "strace", "-f", "-e", "trace=setsockopt,getppid", "-E",
             f"LD_PRELOAD={shim_env['LD_PRELOAD']}", "/usr/bin/python3", "-c",
             f"{BEFORE}\n{before}\nos.getppid()\n{code}\nos.getppid()\n"],
            env={**env, "PYTHONPATH": str(arena.scripts)}, capture_output=True, text=True,
            check=True)
        _, between, _ = run.stderr.split("getppid()")
        return [("-" if "ENOPROTOOPT" in line else "") + portio.GUARD_OPS[int(op)]
                for line in between.splitlines()
                for op in re.findall(r"setsockopt\(\d+, 0x5052[^,]*, (\d+),", line)]

    return asked


def check(asked, cases):
    found = [(before, code, asked(before, code)) for before, code, _ in cases]
    assert found == cases


def test_where_there_is_none(asked):
    """A refused bind in a block asks whether an adoption was killed."""
    check(asked, [
        ("", HELD, ["-acquire"]),
        ("bind(tcp(), 10000)", "portio.acquire(owner, 0, 20)", ["-acquire"]),
        ("", "both()", ["-acquire"]),
        (HELD, "portio.release(owner, block)", []),
        (HELD, "associated()", []),
        (HELD, "bind(associated(), 0), bind(associated(), 26001)", []),
        (HELD, "bind(associated(True), 0)", []),
        (HELD, "bind(tcp(), 0), bind(tcp(), 26001), bind(tcp(), 26100)", []),
        (f"{FULL}; x = associated()", "assert bind(x, 26000) == 98", ["-associate"]),
        (f"{FULL}; x = associated()", "assert bind(x, 0) == 98", ["-associate"]),
    ])


def test_of_persistent_blocks_where_there_is_none(arena, asked, cli_env):
    arena.env = {**cli_env, "PYTHONPATH": str(arena.scripts)}
    arena.portres("persistent", "add", "tcp", 26200, 2)
    check(asked, [
        (KEPT, "associated()", ["-associate"]),
        (f"{KEPT}; x = associated()", "bind(x, 26201)", []),
        (f"{KEPT}; x = associated()", "bind(x, 0)", ["-associate"]),
        (f"{KEPT}; x = associated(True)", "bind(x, 0)", ["-associate"]),
        (f"{KEPT}; x = associated(); bind(associated(), 26200)",
         "assert bind(x, 26200) == 98", ["-associate"]),
    ])


def test_where_there_is_one(arena, asked):
    """Its number, in three parts, was asked for by the process' first acquire."""
    arena.on()
    check(asked, [
        ("", HELD, ["acquire", "commit"]),
        ("", "both()", ["acquire", "acquire", "commit", "commit"]),
        (HELD, "portio.release(owner, block)", ["release"]),
        (HELD, "associated()", ["associate"]),
        (f"{HELD}; x = associated()", "bind(x, 0)", ["associate"]),
        (f"{HELD}; x = associated()", "bind(x, 26001)", []),
        (HELD, "bind(tcp(), 0), bind(tcp(), 26001), bind(tcp(), 26100)", []),
        (f"{FULL}; x = associated()", "assert bind(x, 0) == 98", ["associate"]),
    ])
