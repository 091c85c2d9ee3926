# SPDX-License-Identifier: MIT
"""Programs in a sandbox that forbids families of sockets, or system calls."""

import errno
import socket
import subprocess
from errno import EADDRINUSE

import pytest

from kits.cli import lines
from kits.compiling import PROGRAMS
from kits.playing import attempt, refused

START = 25900
NETLINK = f"family:{socket.AF_NETLINK.value}"
IPV6 = f"family:{socket.AF_INET6.value}"
ANSWERS = ["EACCES", "EPERM", "EOPNOTSUPP", "EAFNOSUPPORT"]
# x86-64's numbers; tests by number skip elsewhere.
CALLS = {"openat": 257, "mmap": 9, "getsockopt": 55, "readlinkat": 267, "pread64": 17,
         "rt_sigprocmask": 14, "get_robust_list": 274, "madvise": 28, "fstat": 5}


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """sandbox(errno, rule …) -> a command prefix."""
    program = tmp_path_factory.mktemp("sandbox") / "sandbox"
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", PROGRAMS / "sandbox/sandbox.c",
                    "-o", program], check=True)

    def sandbox(answer, *rules):
        return [program, str(getattr(errno, answer)), *rules, "--"]

    return sandbox


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


@pytest.mark.parametrize("call", ["openat", "pread64", "fstat"])
def test_a_filter_before_the_first_bind(player, reserved, shim_env, under_a_guard, call):
    """As limits.md says: it goes on unchecked, or not at all with PORTRES_STRICT. A
    guard checks it.
    The filter is put on by the program itself, which python needs to start."""
    unchecked = "EADDRINUSE" if under_a_guard else START
    for strict, wanted in (("0", unchecked), ("1", "ENETDOWN")):
        one = player({**shim_env, "PORTRES_STRICT": strict})
        x = one.tcp()
        one.sandboxed.forbid(CALLS[call], errno.EPERM)
        assert attempt(x.bind, START) == wanted
        one.kill()


@pytest.mark.parametrize("call", ["rt_sigprocmask", "readlinkat", "getsockopt", "openat",
                                  "get_robust_list"])
def test_a_filter_after_the_first_bind(player, reserved, call):
    """A reserved port is refused all the same."""
    one = player()
    one.tcp().bind(25999)
    x = one.tcp()
    one.sandboxed.forbid(CALLS[call], errno.EPERM)
    with refused(EADDRINUSE):
        x.bind(START)
    assert x.bind(START + 5) == START + 5
