"""Bad arguments and bad pools: the contract's answer, never a crash."""

import os
import subprocess

import pytest

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
    # Which namespace's file it will be is not ours to know: all of them.
    import socket

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
    program.ask("tcp('a')")
    assert program.ask("acquire(S['a'], 25000, 1)") == "ENETDOWN"
    assert program.ask("associate(S['a'], 4711)") == "ENETDOWN"
    assert program.ask("release(S['a'], 4711)") == "ENETDOWN"
    assert program.ask("bind('a', 25000)") == "25000"  # programs go on


@pytest.mark.parametrize("spoil", BAD_POOLS)
def test_an_unusable_pool_when_strict(player, pool, shim_env, spoil):
    spoil(pool)
    program = player({**shim_env, "PORTRES_STRICT": "1"})
    program.ask("tcp('a')")
    assert program.ask("bind('a', 25000)") == "ENETDOWN"
    assert program.ask("bind('a', 0)") == "ENETDOWN"
    assert program.ask("S['a'].listen()") == "ENETDOWN"
    assert program.ask("S['a'].connect(('127.0.0.1', 9))") == "ENETDOWN"
    program.ask("udp('u')")
    assert program.ask("S['u'].sendto(b'', ('127.0.0.1', 9))") == "ENETDOWN"
    assert program.ask("S['u'].sendmsg([b''], [], 0, ('127.0.0.1', 9))") == "ENETDOWN"
    assert program.ask("S['u'].connect(('127.0.0.1', 9))") == "ENETDOWN"
    # Others than TCP and UDP are no business of ours.
    program.ask("S.update(x=socket.socket(socket.AF_UNIX))")
    assert program.ask("S['x'].bind('') or S['x'].listen()") == "None"


def test_an_unwritable_pool(player, pool, need):
    need("become another user")
    os.chmod(pool, 0o755)
    for part in pool.parents[:3]:
        os.chmod(part, 0o755)
    nobody = player(user=65534)
    nobody.ask("tcp('a')")
    assert nobody.ask("acquire(S['a'], 25000, 1)") == "ENETDOWN"
    assert nobody.ask("bind('a', 25000)") == "25000"


@pytest.mark.parametrize("size", [1, 4096, 600000, 1052671])
def test_a_pool_truncated_under_a_running_program(player, pool, size):
    program = player()
    program.ask("tcp('a')")
    program.ask("bind('a', 25000)")
    (file,) = pool.iterdir()
    os.truncate(file, size)
    program.ask("tcp('b')")
    assert program.ask("bind('b', 25001)") == "25001"
    assert program.ask("S['b'].listen()") == "None"
    program.ask("tcp('c')")
    assert program.ask("S['c'].connect(('127.0.0.1', 25001))") == "None"
    program.ask("udp('u')")
    assert program.ask("S['u'].sendto(b'', ('127.0.0.1', 9))") == "0"
    program.ask("tcp('d')")
    assert int(program.ask("bind('d', 0)")) > 0
    program.ask("close('d')")
    assert program.ask("acquire(S['b'], 25010, 1)") == "ENETDOWN"
    os.unlink(file)
    assert program.ask("acquire(S['b'], 25010, 1)")[0] == "("


RESVPORT = "__import__('ctypes').CDLL(None).bindresvport(S['x'].fileno(), None)"
FIRST_CALLS = {
    "close": ("close('a')", "None"),
    "listen": ("S['x'].listen()", "None"),
    "connect": ("S['u'].connect(('127.0.0.1', 9))", "None"),
    "sendto": ("S['u'].sendto(b'', ('127.0.0.1', 9))", "0"),
    "bindresvport": (f"{RESVPORT} and 0", "0"),
}


@pytest.mark.parametrize("size", [0, 1, 4096, 600000])
@pytest.mark.parametrize("call", FIRST_CALLS)
def test_the_first_call_after_the_pool_was_truncated(player, pool, call, size):
    program = player()
    program.ask("tcp('a') and tcp('x') and udp('u')")
    assert program.ask("acquire(S['a'], 25020, 1)")[0] == "("
    (file,) = pool.iterdir()
    os.truncate(file, size)
    call, answer = FIRST_CALLS[call]
    assert program.ask(call) == answer


def test_no_descriptor_left(player):
    program = player()
    program.ask("tcp('a')")
    program.ask("acquire(S['a'], 25000, 1)")  # everything is loaded
    program.ask("__import__('resource').setrlimit(7, (8, 8))")
    program.ask("S.update(n=[os.dup(0) for _ in range(8 - os.dup(0) - 1)])")
    assert program.ask("acquire(S['a'], 25010, 1)") == "EMFILE"
    program.ask("[os.close(n) for n in S.pop('n')]")
    assert program.ask("acquire(S['a'], 25010, 1)")[0] == "("


@pytest.mark.parametrize(
    "address",
    ["None", "b''", "b'\\x02'", "(b'\\x02\\0' + b'\\0' * 13)", "b'\\x63\\0' + b'x' * 30"],
)
def test_bind_with_odd_addresses_is_the_kernels(compile_program, shim_env, address):
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
    bare = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
    outputs = [
        subprocess.run(
            ["/usr/bin/python3", "-c", script],
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for env in (bare, shim_env)
    ]
    assert outputs[0] == outputs[1]
