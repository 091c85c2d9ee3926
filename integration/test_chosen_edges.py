# SPDX-License-Identifier: MIT
"""Ports that the system chooses: late, without a descriptor, among the dead."""

import fcntl
import select
import subprocess

import pytest

from kits.choosers import BLOCK, HIGH, LOW, PORT_OF


@pytest.fixture
def where(namespace):
    return namespace


TO_SERVER = "('127.0.1.{0}', 27000)"
PUT_OFF = "S['{0}'].setsockopt(0, 24, 1)"  # IP_BIND_ADDRESS_NO_PORT

LATE = {
    "listen": "S['x{0}'].listen()",
    "connect": f"S['x{{0}}'].connect({TO_SERVER})",
    "fastopen": f"S['x{{0}}'].sendto(b'x', socket.MSG_FASTOPEN, {TO_SERVER})",
    "udp-connect": "S['x{0}'].connect(('127.0.0.1', 9))",
    "udp-sendto": "S['x{0}'].sendto(b'', ('127.0.0.1', 9))",
}


def kind_of(how):
    return "udp" if how.startswith("udp") else "tcp"


@pytest.mark.parametrize("how", LATE)
def test_a_bind_that_puts_the_choice_off(owner, other, server, how):
    kind = kind_of(how)
    owner.ask(f"{kind}('a')")
    first, count, _ = eval(owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"))
    chosen = set()
    for i in range(60):
        owner.ask(f"{kind}('x{i}')")
        owner.ask(PUT_OFF.format(f"x{i}"))
        assert owner.ask(f"bind('x{i}', 0)") == "0"
        answer = owner.ask(LATE[how].format(i))
        assert not answer.startswith("E"), answer
        if how in ("connect", "fastopen"):
            other.ask("S['l'].accept()[0].close()")
        chosen.add(int(owner.ask(PORT_OF.format(f"x{i}"))))
    assert not [p for p in chosen if first <= p < first + count]
    assert owner.ask("S['x0'].getsockopt(0, 24)") == "1"


@pytest.fixture
def two_left(owner, other, namespace):
    """An ephemeral range of ten ports; eight are reserved, of TCP and of UDP."""
    write = "echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    for kind in ("tcp", "udp"):
        owner.ask(f"{kind}('{kind}')")
        assert owner.ask(f"acquire(S['{kind}'], 40001, 8)")[0] == "("
    other.ask("tcp('opens_the_pool') and bind('opens_the_pool', 28000)")
    return [40000, 40009]


CHOICES = {
    "bind": "bind('x{0}', 0)",
    "listen": "S['x{0}'].listen()",
    "connect": "S['x{0}'].connect(('127.0.0.1', 27000))",
    "udp-bind": "bind('x{0}', 0)",
    "udp-connect": "S['x{0}'].connect(('127.0.0.1', 9))",
    "udp-sendto": "S['x{0}'].sendto(b'', ('127.0.0.1', 9))",
}


@pytest.mark.parametrize("how", CHOICES)
def test_no_descriptor_left(owner, other, server, two_left, how):
    for i in range(3):
        other.ask(f"{kind_of(how)}('x{i}')")
    other.ask("S.update(R=__import__('resource'), free=os.dup(0)) or os.close(S['free'])")
    other.ask("S['R'].setrlimit(S['R'].RLIMIT_NOFILE, (S['free'], 4096))")
    assert other.ask("os.dup(0)") == "EMFILE"
    for i in range(2):
        answer = other.ask(CHOICES[how].format(i))
        assert not answer.startswith("E"), answer
    ports = [int(other.ask(PORT_OF.format(f"x{i}"))) for i in range(2)]
    assert sorted(ports) == two_left
    full = {"connect": "EADDRNOTAVAIL", "sendto": "EAGAIN"}
    answer = full.get(how.split("-")[-1], "EADDRINUSE")
    assert other.ask(CHOICES[how].format(2)) == answer


@pytest.mark.parametrize("how", CHOICES)
def test_a_dead_block_over_the_whole_range(owner, other, server, how):
    kind = kind_of(how)
    owner.ask(f"{kind}('a')")
    assert owner.ask(f"acquire(S['a'], {LOW}, {HIGH - LOW + 1})")[0] == "("
    other.ask(f"{kind}('x0')")
    assert other.ask(CHOICES[how].format(0))[0] == "E"
    owner.kill()
    answer = other.ask(CHOICES[how].format(0))
    assert not answer.startswith("E"), answer
    assert LOW <= int(other.ask(PORT_OF.format("x0"))) <= HIGH


@pytest.mark.parametrize("why", ["no address", "no port"])
def test_a_connect_that_fails_waits_for_nobody(owner, other, namespace, pool, why):
    """Its error says one thing of both, and neither is a reason to wait for the
    pool, as who frees what the dead have reserved must."""
    write = {
        "no address": "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6",
        "no port": "echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range",
    }[why]
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    owner.ask("tcp('a')")
    first, count = (40000, 10) if why == "no port" else (LOW + 100, 1)
    assert owner.ask(f"acquire(S['a'], {first}, {count})")[0] == "("
    other.ask("tcp('x', socket.AF_INET6) and bind('x', 28000, '::')")
    other.ask("tcp('x', socket.AF_INET6)")
    (file,) = pool.glob("pool-*")
    with file.open("r+") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        other.tell("S['x'].connect(('::1', 28000))")
        assert select.select([other.popen.stdout], [], [], 3)[0], "it waits"
        assert other.line() == "EADDRNOTAVAIL"


AGAIN = {
    "connect": "S['x'].connect(('127.0.0.1', 27000))",
    "connect6": "S['x'].connect(('::ffff:127.0.0.1', 27000))",
    "listen": "S['x'].listen()",
    "fastopen": "S['x'].sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', 27000))",
}


@pytest.mark.parametrize("how", AGAIN)
def test_after_a_connect_that_was_refused(owner, other, server, how):
    """The socket has given its port back, which the kernel goes on showing."""
    family = "socket.AF_INET6" if how.endswith("6") else "socket.AF_INET"
    address = "::ffff:127.0.0.1" if how.endswith("6") else "127.0.0.1"
    owner.ask("tcp('a')")
    first, count, token = eval(owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"))
    chosen = set()
    for _ in range(60):
        owner.ask(f"tcp('x', {family})")
        refused = owner.ask(f"S['x'].connect(('{address}', 9))")
        assert refused == "ECONNREFUSED"
        assert not owner.ask(AGAIN[how]).startswith("E")
        chosen.add(int(owner.ask(PORT_OF.format("x"))))
        if how != "listen":
            other.ask("S['l'].accept()[0].close()")
    assert not [p for p in chosen if first <= p < first + count]
    # Unbound, it can be associated; bound, it cannot.
    owner.ask("tcp('y') and tcp('z') and bind('z', 28010)")
    assert owner.ask("S['y'].connect(('127.0.0.1', 9))") == "ECONNREFUSED"
    assert owner.ask(f"associate(S['y'], {token})") == "None"
    assert owner.ask("bind('y', 0)") == str(first)
    assert owner.ask("S['z'].connect(('127.0.0.1', 9))") == "ECONNREFUSED"
    assert owner.ask(f"associate(S['z'], {token})") == "EINVAL"


@pytest.mark.parametrize("how", ["connect", "listen"])
def test_one_with_an_address_of_its_own(owner, other, server, how):
    """Bound, or bound once: the kernel shows the same of both."""
    owner.ask("tcp('a')")
    first, count, _ = eval(owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"))
    for i in range(60):
        owner.ask("tcp('x') and bind('x', 0)")
        assert owner.ask("S['x'].connect(('127.0.0.1', 9))") == "ECONNREFUSED"
        assert owner.ask(AGAIN[how]) == "None"
        port = int(owner.ask(PORT_OF.format("x")))
        assert not first <= port < first + count
        owner.ask(f"tcp('y') and bind('y', {26100 + i})")
        assert owner.ask("S['y'].connect(('127.0.0.1', 9))") == "ECONNREFUSED"
        assert owner.ask(AGAIN[how].replace("'x'", "'y'")) == "None"
        assert owner.ask(PORT_OF.format("y")) == str(26100 + i)
        assert owner.ask("S['y'].getsockopt(0, 51)") in ("0", "ENOPROTOOPT")


def test_a_bind_after_a_connect_that_was_refused(owner):
    """Of a socket that has an address of its own."""
    owner.ask("tcp('a')")
    first, count, _ = eval(owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"))
    for _ in range(60):
        owner.ask("tcp('x') and bind('x', 0)")
        assert owner.ask("S['x'].connect(('127.0.0.1', 9))") == "ECONNREFUSED"
        port = int(owner.ask("bind('x', 0)"))
        assert not first <= port < first + count


def test_a_send_of_no_messages_takes_no_port(owner, other):
    owner.ask("udp('a')")
    other.ask("S.update(C=__import__('ctypes').CDLL(None))")
    names = [f"x{i}" for i in range(40)]
    for name in names:
        other.ask(f"udp('{name}')")
        assert other.ask(f"S['C'].sendmmsg(S['{name}'].fileno(), None, 0, 0)") == "0"
    first, count, _ = eval(owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"))
    for name in names:
        other.ask(f"S['{name}'].sendto(b'', ('127.0.0.1', 9))")
        port = int(other.ask(PORT_OF.format(name)))
        assert not first <= port < first + count


WITH_NO_PORT = {
    "sendto": ("S['u'].sendto(b'', ('127.0.0.1', 9))", "EAGAIN"),
    "bind": ("bind('t', 0)", "EADDRINUSE"),
}


@pytest.mark.parametrize("preloaded", [True, False])
@pytest.mark.parametrize("what", WITH_NO_PORT)
def test_what_is_said_where_no_port_is_left(
    player, shim_env, namespace, what, preloaded
):
    """Whether the range's ports are reserved or, without us, all in use."""
    bare = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
    write = "echo 40000 40003 >/proc/sys/net/ipv4/ip_local_port_range"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    one = player(shim_env if preloaded else bare, prefix=namespace)
    one.ask("tcp('t') and udp('u')")
    for kind in "tcp", "udp":
        for n in range(4):
            one.ask(f"{kind}('{kind}{n}')")
            taken = (f"acquire(S['{kind}{n}'], {40000 + n}, 1)" if preloaded
                     else f"bind('{kind}{n}', {40000 + n}, '0.0.0.0')")
            assert not one.ask(taken).startswith("E")
    call, answer = WITH_NO_PORT[what]
    assert one.ask(call) == answer
