# SPDX-License-Identifier: MIT
"""Bad arguments and bad pools: the contract's answer, never a crash."""

import os
import resource
import socket
import subprocess
from errno import EMFILE, ENETDOWN

import pytest

from kits.playing import refused

CALLS = ["acquire", "release", "associate"]


@pytest.fixture
def answers(compile_program, root, shim_env):
    def answers(env=shim_env):
        program = compile_program(
            "bad_input/bad_input.c", "bad_input", flags=["-D_GNU_SOURCE"]
        )
        out = subprocess.run(
            [program], env=env, check=True, capture_output=True, text=True
        ).stdout
        return dict(line.rsplit(" ", 1) for line in out.splitlines())

    return answers


def test_every_bad_ioctl(answers):
    got = answers()
    everywhere = {
        "closed": "EBADF",
        "minus-one": "EBADF",
        "file": "ENOTSOCK",
        "unix": "EOPNOTSUPP",
        "raw": "EOPNOTSUPP",
        "raw-tcp": "EOPNOTSUPP",
        "mptcp": "EOPNOTSUPP",
        "sctp": "EOPNOTSUPP",
        "udplite": "EOPNOTSUPP",
        "netlink": "EOPNOTSUPP",
        "null": "EFAULT",
        "wild": "EFAULT",
        "kernel": "EFAULT",
        "no-access": "EFAULT",
    }
    for what, error in everywhere.items():
        if got.pop(what, None) == "skipped":
            continue
        for call in CALLS:
            assert got.pop(f"{what} {call}") == error, (what, call)
    assert got == {
        "edge acquire": "EFAULT",
        "read-only acquire": "EFAULT",
        "no-ports acquire": "EINVAL",
        "past-the-end acquire": "EINVAL",
        "sign-extended acquire": "0",
        "errno": "12345",
        "sign-extended release": "0",
    }


def missing(pool):
    pool.rmdir()


def plain_file(pool):
    pool.rmdir()
    pool.write_text("")


def world_writable(pool):
    pool.chmod(0o777)


def of_another_layout(pool):
    with socket.socket() as s:
        cookie = int.from_bytes(s.getsockopt(socket.SOL_SOCKET, 71, 8), "little")
    file = pool / f"pool-{cookie}"
    file.write_bytes(b"something else\n" * 100000)
    file.chmod(0o600)


BAD_POOLS = [missing, plain_file, world_writable, of_another_layout]


@pytest.mark.parametrize("spoil", BAD_POOLS)
def test_an_unusable_pool(player, pool, spoil):
    spoil(pool)
    program = player()
    a = program.tcp()
    with refused(ENETDOWN):
        a.acquire(25000, 1)
    with refused(ENETDOWN):
        a.associate(4711)
    with refused(ENETDOWN):
        a.release(4711)
    assert a.bind(25000) == 25000  # programs go on


@pytest.mark.parametrize("spoil", BAD_POOLS)
def test_an_unusable_pool_when_strict(player, pool, shim_env, spoil):
    spoil(pool)
    program = player({**shim_env, "PORTRES_STRICT": "1"})
    a = program.tcp()
    with refused(ENETDOWN):
        a.bind(25000)
    with refused(ENETDOWN):
        a.bind(0)
    with refused(ENETDOWN):
        a.listen()
    with refused(ENETDOWN):
        a.connect(9)
    u = program.udp()
    with refused(ENETDOWN):
        u.sendto(b"", ("127.0.0.1", 9))
    with refused(ENETDOWN):
        u.sendmsg([b""], [], 0, ("127.0.0.1", 9))
    with refused(ENETDOWN):
        u.connect(9)
    # Others than TCP and UDP are no business of ours.
    x = program.socket.socket(socket.AF_UNIX)
    x.bind("")
    x.listen()


def test_an_unwritable_pool(player, pool, let_in, need):
    need("become another user")
    let_in(pool)
    nobody = player(user=65534)
    a = nobody.tcp()
    with refused(ENETDOWN):
        a.acquire(25000, 1)
    assert a.bind(25000) == 25000


@pytest.mark.parametrize("size", [1, 4096, 600000, 1052671])
def test_a_pool_truncated_under_a_running_program(player, pool, size):
    program = player()
    a = program.tcp()
    a.bind(25000)
    (file,) = pool.iterdir()
    os.truncate(file, size)
    b = program.tcp()
    assert b.bind(25001) == 25001
    b.listen()
    program.tcp().connect(25001)
    u = program.udp()
    assert u.sendto(b"", ("127.0.0.1", 9)) == 0
    with program.tcp() as d:
        assert d.bind(0) > 0
    with refused(ENETDOWN):
        b.acquire(25010, 1)
    os.unlink(file)
    b.acquire(25010, 1)


# Of an owning socket, and of others of TCP and UDP.
FIRST_CALLS = {
    "close": lambda a, x, u: a.close(),
    "listen": lambda a, x, u: x.listen(),
    "connect": lambda a, x, u: u.connect(9),
    "sendto": lambda a, x, u: u.sendto(b"", ("127.0.0.1", 9)),
    "bindresvport": lambda a, x, u: x.bindresvport(),
}


@pytest.mark.parametrize("size", [0, 1, 4096, 600000])
@pytest.mark.parametrize("call", FIRST_CALLS)
def test_the_first_call_after_the_pool_was_truncated(player, pool, call, size):
    program = player()
    a, x, u = program.tcp(), program.tcp(), program.udp()
    a.acquire(25020, 1)
    (file,) = pool.iterdir()
    os.truncate(file, size)
    try:
        FIRST_CALLS[call](a, x, u)
    except PermissionError:
        assert call == "bindresvport" and os.geteuid() != 0


def test_no_descriptor_left(player):
    program = player()
    a = program.tcp()
    a.acquire(25000, 1)  # everything is loaded

    def fill():
        resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
        return [os.dup(0) for _ in range(8 - os.dup(0) - 1)]

    fds = program.run(fill)
    with refused(EMFILE):
        a.acquire(25010, 1)
    for fd in fds:
        program.os.close(fd)
    a.acquire(25010, 1)


@pytest.mark.parametrize(
    "address",
    ["None", "b''", "b'\\x02'", "(b'\\x02\\0' + b'\\0' * 13)", "b'\\x63\\0' + b'x' * 30"],
)
def test_bind_with_odd_addresses_is_the_kernels(bare_env, shim_env, address):
    """The same program, bare and preloaded, must see the same answers."""
    script = (
        "import ctypes, socket;"
        "c = ctypes.CDLL(None, use_errno=True); s = socket.socket();"
        f"a = {address};"
        "r = [(c.bind(s.fileno(), a, n), ctypes.get_errno())"
        " for n in (0, 1, 15, 16, 28, 128, 129, -1)];"
        "r += [(c.bind(s.fileno(), ctypes.c_void_p(8), 16), ctypes.get_errno())];"
        "print(r)"
    )
    bare, ours = [
        subprocess.run(["/usr/bin/python3", "-c", script], env=env, check=True,
                       capture_output=True, text=True).stdout
        for env in (bare_env, shim_env)
    ]
    assert bare == ours
