# SPDX-License-Identifier: MIT
"""Programs in a sandbox that forbids families of sockets, or system calls."""

import errno
import socket
import subprocess
import tempfile
from errno import EADDRINUSE, ENETDOWN

import pytest

from kits import limits
from kits.cli import lines
from kits.playing import refused

START = 25900
NETLINK = f"socket:0:{socket.AF_NETLINK.value}"
IPV6 = f"socket:0:{socket.AF_INET6.value}"
ANSWERS = ["EACCES", "EPERM", "EOPNOTSUPP", "EAFNOSUPPORT"]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("rules", [(IPV6,), (NETLINK,), (IPV6, NETLINK)], ids=str)
def test_what_is_free_can_be_had(player, sandbox, answer, rules):
    one = player(prefix=sandbox(answer, *rules))
    a = one.tcp()
    b = one.udp()
    a.acquire(START, 3)
    b.acquire(START, 3)
    a.acquire(0, 3)


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_is_in_use_cannot(player, sandbox, answer):
    """IPv6 sockets are those of others: the kernel's list has them."""
    other = player()
    other.tcp().bind(START)
    y = other.tcp(socket.AF_INET6)
    y.bind(START + 2)
    y.listen()
    one = player(prefix=sandbox(answer, IPV6))
    a = one.tcp()
    a.acquire(START + 1, 1)
    for port in START, START + 2:
        with refused(EADDRINUSE):
            a.acquire(port, 1)


def test_doctor_names_it(doctor, build, sandbox):
    def said(*rules):
        return " ".join(lines(doctor(program=build / "portres", prefix=sandbox("EPERM", *rules)),
                              "warning"))

    text = said(IPV6)
    assert "sockets of IPv6 are forbidden here" in text and "RestrictAddressFamilies" in text
    assert "are not seen" not in text
    assert "what IPv6 sockets use is not seen" in said(IPV6, NETLINK)


@pytest.fixture
def reserved(owner):
    """Three ports are, and their owner lives to the end."""
    owner.tcp().acquire(START, 3)
    yield
    assert owner.popen.poll() is None


@pytest.fixture
def filtered(compile_program, run, shim_env):
    """filtered(call, port, earlier …, VARIABLE=value) -> how its bind ends where that
    call is forbidden."""
    program = compile_program("sandbox/filtered.c", "filtered")

    def filtered(call, *ports, **variables):
        return run(program, call, *ports, env={**shim_env, **variables}).returncode

    return filtered


def of_rows(*rows):
    """(call, does a bind go unchecked without it)."""
    table = limits.rows()
    return [pytest.param(call, limits.goes_unchecked(call, table[row][1]), id=call)
            for row in rows for call in table[row][0]]


@pytest.mark.parametrize(
    "call, unchecked", of_rows("first bind, pool there", "the same, pool on a disk"))
def test_a_filter_before_the_first_bind(filtered, reserved, under_a_guard, call, unchecked):
    """A guard checks what goes unchecked."""
    open_to_all = unchecked and not under_a_guard
    assert filtered(call, START, PORTRES_STRICT="0") == (0 if open_to_all else EADDRINUSE)
    strictly = ENETDOWN if unchecked else EADDRINUSE
    assert filtered(call, START, PORTRES_STRICT="1") == strictly


@pytest.mark.parametrize("call, unchecked", of_rows("the same, pool not there"))
def test_a_filter_before_the_pool_is_made(filtered, call, unchecked):
    for strict, wanted in ("0", 0), ("1", ENETDOWN if unchecked else 0):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as pool:
            assert filtered(call, START, PORTRES_POOL=pool, PORTRES_STRICT=strict) == wanted


@pytest.mark.parametrize("address, wanted", [
    (("127.0.0.1", START + 6), 0), (None, ENETDOWN), ("\0portres-test-sandbox", 0)])
def test_a_listener_that_has_its_address(compile_program, shim_env, address, wanted):
    """Strictly, and nobody can say what it is: only one without a port is given one."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    program = compile_program("sandbox/filtered.c", "filtered")
    with socket.socket(family) as sock:
        if address:
            sock.bind(address)
        ended = subprocess.run([program, "getsockopt", "listen"], stdin=sock, check=False,
                               env={**shim_env, "PORTRES_STRICT": "1"}, timeout=60)
    assert ended.returncode == wanted


@pytest.mark.parametrize("call", ["rt_sigprocmask", "readlinkat", "getsockopt", "openat",
                                  "get_robust_list"])
def test_a_filter_after_the_first_bind(filtered, reserved, call):
    """A reserved port is refused all the same."""
    assert filtered(call, START, 25999) == EADDRINUSE
    assert filtered(call, START + 5, 25999) == 0


@pytest.mark.parametrize("call", ["openat", "flock", "fstat", "rt_sigprocmask", "close"])
def test_an_associated_socket_stays_in_its_block(compile_program, run, call):
    """Not all of these can be done without, but the block is never left."""
    program = compile_program("sandbox/associated.c", "associated")
    done = run(program, call, START + 10, 3)
    assert (done.returncode, done.stdout) in [(0, f"{START + 10}\n"), (ENETDOWN, "0\n")]
