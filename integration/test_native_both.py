# SPDX-License-Identifier: MIT
"""portres_acquire_both() and PORTRES_ALIGN: the same ports of both protocols, and
pairs that begin at an even one."""

import subprocess

import pytest

# Each script below begins with this.
CALLS = """
import ctypes, errno, os, socket
from portio import acquire, associate

LIBRARY = ctypes.CDLL(None, use_errno=True)
NOWAIT, RESERVED, IN_USE = 1, 1, 2

class Block(ctypes.Structure):
    _fields_ = [("start", ctypes.c_uint16), ("count", ctypes.c_uint16),
                ("reserved", ctypes.c_uint32), ("token", ctypes.c_uint64)]

def checked(r):
    if r < 0:
        raise OSError(ctypes.get_errno(), "")

def both(t, u, start, count, flags=0):
    blocks = (Block * 2)(Block(socket.htons(start), count), Block(1, 1, 1, 1))
    checked(LIBRARY.portres_acquire_both(t.fileno(), u.fileno(), blocks, ctypes.c_uint(flags)))
    return [(socket.ntohs(b.start), b.count, b.token) for b in blocks]

def one(s, start, count, flags=0):
    block = Block(socket.htons(start), count)
    checked(LIBRARY.portres_acquire(s.fileno(), ctypes.byref(block), ctypes.c_uint(flags)))
    return socket.ntohs(block.start), block.count, block.token

def align(n):
    return n << 16

def tcp():
    return socket.socket()

def udp():
    return socket.socket(type=socket.SOCK_DGRAM)

def said(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "0"

def bind(kind, port):
    with kind() as s:
        return said(s.bind, ("127.0.0.1", port))

t, u = tcp(), udp()
"""


# Other tests leave connections in TIME_WAIT where wildcards usually look.
QUIET = {"PORTRES_WILDCARD": "28000-28999"}


@pytest.fixture
def script(shim_env):
    """script(text) runs it preloaded, after CALLS; asserts that it succeeds."""

    def script(text, **env):
        run = subprocess.run(
            ["/usr/bin/python3", "-c", CALLS + text], env={**shim_env, **QUIET, **env},
            capture_output=True, text=True, check=False, timeout=60)
        assert run.returncode == 0, run.stderr
        return run.stdout

    return script


def test_both(script):
    """Two blocks, each its socket's."""
    script("""
(first, count, a), (again, same, b) = both(t, u, 0, 3)
assert (first, count) == (again, same) and count == 3 and a != b
for kind in tcp, udp:
    assert bind(kind, first + 2) == "EADDRINUSE"
for kind, token in (tcp, a), (udp, b):
    with kind() as s:
        associate(s, token)
        s.bind(("127.0.0.1", 0))
        assert s.getsockname()[1] == first
u.close()
assert [bind(kind, first + 2) for kind in (tcp, udp)] == ["EADDRINUSE", "0"]
t.close()
assert bind(tcp, first + 2) == "0"
""")


@pytest.mark.parametrize("other", ["tcp", "udp"])
def test_it_passes_by_what_either_has(script, other):
    """A reservation of the one protocol, a socket of the other; and what was
    taken on the way is given back."""
    script(f"""
a, b = {other}(), {other}()
acquire(a, 28001, 1)
b.bind(("127.0.0.1", 28004))
(first, count, _), _ = both(t, u, 0, 3)
assert first == 28005, first
for port in 28000, 28002, 28003:
    assert [bind(kind, port) for kind in (tcp, udp)] == ["0", "0"], port
""", PORTRES_WILDCARD="28000-28009")


@pytest.mark.parametrize("other", ["tcp", "udp"])
def test_certain_ports_or_none(script, other):
    script(f"""
a = {other}()
acquire(a, 28002, 1)
assert said(both, t, u, 28000, 3) == "EADDRINUSE"
class Refusal(ctypes.Structure):
    _fields_ = [("error", ctypes.c_int32), ("reason", ctypes.c_uint32), ("port", ctypes.c_uint16),
                ("start", ctypes.c_uint16), ("rest", ctypes.c_char * 32)]
def why():
    it = Refusal()
    ctypes.set_errno(errno.EADDRINUSE)
    assert LIBRARY.portres_refusal(ctypes.byref(it)) == 0
    return it.reason, socket.ntohs(it.port), socket.ntohs(it.start)
assert why() == (RESERVED, 28002, 28002)
a.close()
b = {other}()
b.bind(("127.0.0.1", 28001))
assert said(both, t, u, 28000, 3) == "EADDRINUSE"
assert why() == (IN_USE, 28001, 0)
for kind in tcp, udp:
    assert bind(kind, 28000) == bind(kind, 28002) == "0"
b.close()
assert [block[:2] for block in both(t, u, 28000, 3)] == [(28000, 3)] * 2
""")


def test_a_dead_owner_is_in_nobodys_way(script):
    script("""
if os.fork() == 0:
    acquire(udp(), 28001, 1)
    os._exit(0)
os.wait()
assert both(t, u, 28000, 3)[1][:2] == (28000, 3)
""")


def test_they_begin_at_a_multiple(script):
    script("""
for n in 1, 2, 3, 16, 4096:
    first, _, _ = one(t, 0, 2, align(n))
    assert first % n == 0, (n, first)
# From odd to even, and past what is in the way.
firsts = [both(t, u, 0, 2, align(2))[0][0] for _ in range(3)]
assert all(first % 2 == 0 for first in firsts) and len(set(firsts)) == 3
assert said(one, t, 27001, 2, align(2)) == "EINVAL"
assert one(t, 27002, 2, align(2))[0] == 27002
""")


def test_past_what_is_in_the_way(script):
    script("""
acquire(t, 28000, 1), acquire(u, 28004, 1)
assert [both(t, u, 0, 2, align(2))[0][0] for _ in range(2)] == [28002, 28006]
""", PORTRES_WILDCARD="28000-28010")


def test_the_reason_is_of_the_protocol(script):
    """The same port of the other one is reserved; that is not why."""
    script("""
acquire(t, 28001, 1)
b = udp()
b.bind(("127.0.0.1", 28001))
assert said(one, u, 28001, 1) == "EADDRINUSE"
reason = (ctypes.c_uint32 * 16)()
ctypes.set_errno(errno.EADDRINUSE)
assert LIBRARY.portres_refusal(reason) == 0
assert reason[1] == IN_USE
""")


def test_no_room_that_is_aligned(script):
    script("""
assert said(one, t, 0, 2, align(4)) == "ENOBUFS"
assert one(t, 0, 2, align(3))[0] == 28002
assert one(t, 0, 1, align(1))[0] in (28001, 28004)
""", PORTRES_WILDCARD="28001-28004")


def test_what_makes_no_sense(script):
    script("""
for flags in 4, 0x8000, 0xffff:
    assert said(both, t, u, 0, 1, flags) == said(one, t, 0, 1, flags) == "EINVAL"
assert LIBRARY.portres_release(t.fileno(), ctypes.c_uint64(1), align(2)) == -1
assert ctypes.get_errno() == errno.EINVAL
for pair in (t, t), (u, t), (u, u), (t, socket.socket(socket.AF_UNIX)):
    assert said(both, *pair, 0, 1) == "ENOTSUP", pair  # EOPNOTSUPP
with open("/dev/null") as file:
    assert said(both, t, file, 0, 1) == "ENOTSOCK"
for start, count in (0, 0), (65535, 2):
    assert said(both, t, u, start, count) == "EINVAL"
for blocks in None, ctypes.c_void_p(4096):
    assert LIBRARY.portres_acquire_both(t.fileno(), u.fileno(), blocks, 0) == -1
    assert ctypes.get_errno() == errno.EFAULT
""")


def test_half_an_answer_leaves_nothing(script):
    """Neither block is reserved when the second cannot be told."""
    script("""
import mmap
size = mmap.PAGESIZE
at = mmap.mmap(-1, 2 * size)
address = ctypes.addressof(ctypes.c_char.from_buffer(at))
libc = ctypes.CDLL(None)
assert libc.mprotect(ctypes.c_void_p(address + size), size, 0) == 0
at[size - 16:size - 12] = bytes((28000 >> 8, 28000 & 255, 3, 0))
blocks = ctypes.c_void_p(address + size - 16)
assert LIBRARY.portres_acquire_both(t.fileno(), u.fileno(), blocks, 0) == -1
assert ctypes.get_errno() == errno.EFAULT
assert bind(tcp, 28001) == bind(udp, 28001) == "0"
""")


def test_two_namespaces(script, namespace):
    """A pool is of one."""
    enter = "unshare(0x40000000)"  # CLONE_NEWNET
    if "--preserve-credentials" in namespace:
        enter = "unshare(0x50000000)"  # CLONE_NEWUSER too
    script(f"""
checked(LIBRARY.{enter})
assert said(both, t, udp(), 0, 1) == "EINVAL"
assert said(both, tcp(), udp(), 0, 1) == "0"
""")


def test_pairs_of_a_crowd_never_meet(script):
    """Eight processes take pairs of both protocols at once, and keep them."""
    script("""
import json
pipes, (gate, door) = [], os.pipe()
for _ in range(8):
    r, w = os.pipe()
    if os.fork() == 0:
        os.close(door)
        held = [(tcp(), udp()) for _ in range(8)]
        firsts = [both(*pair, 0, 2, align(2))[0][0] for pair in held]
        os.write(w, json.dumps(firsts).encode())
        os.read(gate, 1)
        os._exit(0)
    os.close(w)
    pipes.append(r)
all = [first for r in pipes for first in json.loads(os.read(r, 4096))]
os.close(door)
assert len(all) == len(set(all)) == 64 and not any(first % 2 for first in all)
""")
