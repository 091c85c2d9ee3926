# SPDX-License-Identifier: MIT
"""Programs in a sandbox that forbids families of sockets, or system calls."""

import errno
import socket
import subprocess

import pytest

from kits.cli import lines

START = 25900
NETLINK = f"family:{socket.AF_NETLINK.value}"
IPV6 = f"family:{socket.AF_INET6.value}"
ANSWERS = ["EACCES", "EPERM", "EOPNOTSUPP", "EAFNOSUPPORT"]
# x86-64's numbers; tests by number skip elsewhere.
CALLS = {"openat": 257, "mmap": 9, "getsockopt": 55, "readlinkat": 267, "pread64": 17,
         "rt_sigprocmask": 14, "get_robust_list": 274, "madvise": 28, "fstat": 5}


@pytest.fixture(scope="session")
def sandbox(root, tmp_path_factory):
    """sandbox(errno, rule …) -> a command prefix."""
    program = tmp_path_factory.mktemp("sandbox") / "sandbox"
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", root / "integration/programs/sandbox/sandbox.c",
                    "-o", program], check=True)

    def sandbox(answer, *rules):
        return [program, str(getattr(errno, answer)), *rules, "--"]

    return sandbox


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("rules", [(IPV6,), (NETLINK,), (IPV6, NETLINK)], ids=str)
def test_what_is_free_can_be_had(player, sandbox, answer, rules):
    one = player(prefix=sandbox(answer, *rules))
    one.ask("tcp('a') and udp('b')")
    assert one.ask(f"acquire(S['a'], {START}, 3)")[0] == "("
    assert one.ask(f"acquire(S['b'], {START}, 3)")[0] == "("
    assert one.ask("acquire(S['a'], 0, 3)")[0] == "("


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_is_in_use_cannot(player, sandbox, answer):
    """IPv6 sockets are those of others: the kernel's list has them."""
    other = player()
    other.ask(f"tcp('x') and bind('x', {START}) and tcp('y', socket.AF_INET6)")
    other.ask(f"bind('y', {START + 2}) and S['y'].listen()")
    one = player(prefix=sandbox(answer, IPV6))
    one.ask("tcp('a')")
    for first, wanted in ((START, "EADDRINUSE"), (START + 1, "("), (START + 2, "EADDRINUSE")):
        assert one.ask(f"acquire(S['a'], {first}, 1)").startswith(wanted)


def test_doctor_names_it(doctor, build, sandbox):
    def said(*rules):
        return " ".join(lines(doctor(program=build / "portres", prefix=sandbox("EPERM", *rules)),
                              "warning"))

    text = said(IPV6)
    assert "sockets of IPv6 are forbidden here" in text and "RestrictAddressFamilies" in text
    assert "are not seen" not in text
    assert "what IPv6 sockets use is not seen" in said(IPV6, NETLINK)


def reserved(player):
    owner = player()
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {START}, 3)")[0] == "("
    return owner


@pytest.mark.parametrize("call", ["openat", "pread64", "fstat"])
def test_a_filter_before_the_first_bind(player, sandbox, shim_env, call):
    """As limits.md says: it goes on unchecked, or not at all with PORTRES_STRICT.
    The filter is put on by the program itself, which python needs to start."""
    owner = reserved(player)
    put_on = f"__import__('sandboxed').forbid({CALLS[call]}, {errno.EPERM})"
    for strict, wanted in (("0", str(START)), ("1", "ENETDOWN")):
        one = player({**shim_env, "PORTRES_STRICT": strict})
        one.ask("tcp('x') and __import__('sandboxed')")
        one.ask(put_on)
        assert one.ask(f"bind('x', {START})") == wanted
        one.kill()
    assert owner.popen.poll() is None


@pytest.mark.parametrize("call", ["rt_sigprocmask", "readlinkat", "getsockopt", "openat",
                                  "get_robust_list"])
def test_a_filter_after_the_first_bind(player, call):
    """What is reserved is refused all the same."""
    owner = reserved(player)
    one = player()
    one.ask("__import__('sandboxed') and tcp('w') and bind('w', 25999) and tcp('x')")
    one.ask(f"__import__('sandboxed').forbid({CALLS[call]}, {errno.EPERM})")
    assert one.ask(f"bind('x', {START})") == "EADDRINUSE"
    assert one.ask(f"bind('x', {START + 5})") == str(START + 5)
    assert owner.popen.poll() is None
