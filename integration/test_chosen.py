# SPDX-License-Identifier: MIT
"""Ports that the system chooses: never reserved ones."""

import subprocess

import pytest

from kits.choosers import CHOOSERS, HIGH, LOW, BLOCK, PORT_OF, unspec


@pytest.fixture
def where(namespace):
    return namespace


@pytest.mark.parametrize("how", CHOOSERS)
def test_the_system_never_chooses_a_reserved_port(owner, other, server, how):
    kind = "udp" if how.startswith("udp") else "tcp"
    owner.ask(f"{kind}('a')")
    first, count, _ = eval(owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"))
    family = "socket.AF_INET6" if how.endswith("6") else "socket.AF_INET"
    make = f"{kind}('x{{0}}', {family})"
    if how.startswith("mptcp"):
        make = "S.update(x{0}=socket.socket(socket.AF_INET, 1, 262))"
    if owner.ask(make.format(0)).startswith("E"):
        pytest.skip("no MPTCP here")
    chosen = set()
    for i in range(300):
        owner.ask(make.format(i))
        # To one peer the kernel connects from ports in a row, to another from
        # a row that begins elsewhere.
        answer = owner.ask(CHOOSERS[how].format(i, server, i % 256))
        assert not answer.startswith("E"), answer
        if how.startswith(("connect", "mptcp-connect", "fastopen")):
            other.ask("S['l'].accept()[0].close()")
        chosen.add(int(owner.ask(PORT_OF.format(f"x{i}"))))
    assert not [p for p in chosen if first <= p < first + count]
    assert all(LOW <= p <= HIGH for p in chosen)
    # The kernel's own choice was not narrowed for good. MPTCP says of an option
    # that it does not know ENOTSUP.
    option = owner.ask("S['x0'].getsockopt(socket.IPPROTO_IP, 51)")
    assert option in ("0", "ENOPROTOOPT", "ENOTSUP")


def test_a_number_that_comes_back_is_another_socket(owner):
    """What has sent once sends on without our look, but not its successor."""
    owner.ask("udp('a')")
    first, count, _ = eval(owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"))
    seen, chosen = set(), []
    for _ in range(100):
        owner.ask("udp('x')")
        assert owner.ask("S['x'].sendto(b'', ('127.0.0.1', 9))") == "0"
        seen.add(owner.ask("S['x'].fileno()"))
        chosen.append(int(owner.ask(PORT_OF.format("x"))))
        owner.ask("close('x')")
    assert len(seen) == 1
    assert not [p for p in chosen if first <= p < first + count]


@pytest.mark.parametrize("through", ["itself", "duplicate"])
def test_a_port_that_was_given_up(owner, other, through):
    """A UDP socket that leaves its peer has no port again, and sends once more."""
    leave = f"by_libc('connect', S['{through}'], {unspec(0)})"
    send = "S['x'].sendto(b'', ('127.0.0.1', 9))"
    owner.ask("udp('a')")
    first, count, _ = eval(owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"))
    chosen = set()
    other.ask("udp('x') and S.update(itself=S['x'], duplicate=S['x'].dup())")
    for _ in range(50):
        assert other.ask(send) == "0"
        chosen.add(int(other.ask(PORT_OF.format("x"))))
        assert other.ask("S['x'].connect(('127.0.0.1', 9))") == "None"
        assert other.ask(leave) == "None"
        assert other.ask(PORT_OF.format("x")) == "0"
    assert not [port for port in chosen if first <= port < first + count]


@pytest.mark.parametrize("size", [2, 4, 15])
def test_a_short_address_gets_einval_and_no_reserved_port(owner, other, size):
    """UDP chooses the port first, and complains then; TCP complains at once."""
    owner.ask("udp('a') and tcp('b')")
    first, count, _ = eval(owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"))
    token = eval(owner.ask(f"acquire(S['b'], {BLOCK[0]}, {BLOCK[1]})"))[2]
    short = ((2).to_bytes(2, "little") + bytes(14))[:size]
    chosen = set()
    for _ in range(50):
        other.ask("udp('x')")
        assert other.ask(f"by_libc('connect', S['x'], {short})") == "EINVAL"
        chosen.add(int(other.ask(PORT_OF.format("x"))))
    assert not [port for port in chosen if first <= port < first + count]
    owner.ask("tcp('x')")
    owner.ask(f"associate(S['x'], {token})")
    assert owner.ask(f"by_libc('connect', S['x'], {short})") == "EINVAL"
    assert owner.ask(PORT_OF.format("x")) == "0"


def test_connect_without_a_family_takes_no_port(owner, token):
    """It takes a connection apart, if there is one."""
    owner.ask("udp('a')")
    assert owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})")[0] == "("
    owner.ask("udp('x') and udp('y')")
    owner.ask(f"associate(S['x'], {token['udp']})")
    for name in "xy":
        assert owner.ask(f"by_libc('connect', S['{name}'], {unspec(9)})") == "None"
        assert owner.ask(PORT_OF.format(name)) == "0"
    assert owner.ask("bind('x', 0)") == "26000"


FULL = {
    "bind": ("bind('x{0}', 0)", "EADDRINUSE"),
    "connect": ("S['x{0}'].connect(('127.0.0.1', {1}))", "EADDRNOTAVAIL"),
}


@pytest.mark.parametrize("how", FULL)
def test_the_choice_goes_from_one_free_part_to_the_next(
    owner, server, namespace, how
):
    """And leaves none out. The parts have three ports and six: before Linux 6.8
    the kernel does not find the last one of three by itself."""
    write = "echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    owner.ask("tcp('a')")
    assert owner.ask("acquire(S['a'], 40003, 1)")[0] == "("
    call, full = FULL[how]
    chosen = set()
    for i in range(9):
        owner.ask(f"tcp('x{i}')")
        assert not owner.ask(call.format(i, server)).startswith("E"), i
        chosen.add(int(owner.ask(PORT_OF.format(f"x{i}"))))
    assert chosen == {*range(40000, 40010)} - {40003}
    owner.ask("tcp('x9')")
    assert owner.ask(call.format(9, server)) == full


def test_the_whole_ephemeral_range_reserved(owner, server):
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {LOW}, {HIGH - LOW + 1})")[0] == "("
    owner.ask("tcp('x')")
    assert owner.ask("bind('x', 0)") == "EADDRINUSE"
    assert owner.ask(f"S['x'].connect(('127.0.0.1', {server}))") == "EADDRNOTAVAIL"
    owner.ask("tcp('y')")
    assert owner.ask("S['y'].listen()") == "EADDRINUSE"
    owner.ask("udp('b') and udp('u')")
    assert owner.ask(f"acquire(S['b'], {LOW}, {HIGH - LOW + 1})")[0] == "("
    assert owner.ask("S['u'].connect(('127.0.0.1', 9))") == "EADDRNOTAVAIL"
    assert owner.ask("S['u'].sendto(b'', ('127.0.0.1', 9))") == "EAGAIN"
    fast = f"S['y'].sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', {server}))"
    assert owner.ask(fast) == "EADDRNOTAVAIL"


def test_a_program_keeps_its_own_port_range(owner, other):
    first = BLOCK[0] + BLOCK[1] - 5
    option = first | (first + 9) << 16
    owner.ask("tcp('a')")
    owner.ask(f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})")
    other.ask("tcp('x')")
    set_option = f"S['x'].setsockopt(0, 51, ({option}).to_bytes(4, 'little'))"
    if other.ask(set_option) == "ENOPROTOOPT":
        pytest.skip("before Linux 6.3")
    assert int(other.ask("bind('x', 0)")) in range(first + 5, first + 10)
    kept = "int.from_bytes(S['x'].getsockopt(0, 51, 4), 'little')"
    assert other.ask(kept) == str(option)
