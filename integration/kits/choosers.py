# SPDX-License-Identifier: MIT
"""Calls in which the system chooses a port, and where it chooses."""

import socket
from errno import ENOPROTOOPT

IP_LOCAL_PORT_RANGE = 51

with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    LOW, HIGH = map(int, f.read().split())
# Three quarters of the ephemeral range, in its middle.
BLOCK = LOW + (HIGH - LOW) // 8, (HIGH - LOW) * 3 // 4

SINK = ("127.0.0.1", 9)
# Of a socket, with the port of a server and a number below 256. To one peer the
# kernel connects from ports in a row, to another from a row that begins elsewhere.
CHOOSERS = {
    "bind": lambda sock, port, i: sock.bind(0),
    "bind6": lambda sock, port, i: sock.bind(0),
    "connect": lambda sock, port, i: sock.connect(port, f"127.0.1.{i}"),
    "connect6": lambda sock, port, i: sock.connect(port, f"::ffff:127.0.1.{i}"),
    "listen": lambda sock, port, i: sock.listen(),
    "mptcp-bind": lambda sock, port, i: sock.bind(0),
    "mptcp-connect": lambda sock, port, i: sock.connect(port, f"127.0.1.{i}"),
    "fastopen": lambda sock, port, i: sock.sendto(
        b"x", socket.MSG_FASTOPEN, (f"127.0.1.{i}", port)),
    "udp-bind": lambda sock, port, i: sock.bind(0),
    "udp-sendto": lambda sock, port, i: sock.sendto(b"", SINK),
    "udp-sendmsg": lambda sock, port, i: sock.sendmsg([b""], [], 0, SINK),
    "udp-sendmmsg": lambda sock, port, i: sock.sendmmsg(SINK),
    "udp-connect": lambda sock, port, i: sock.connect(9),
}


def kind_of(how):
    return "udp" if how.startswith("udp") else "tcp"


def connects(how):
    """To the server, which has a connection then."""
    return how in ("connect", "connect6", "mptcp-connect", "fastopen")


def unbound(program, how):
    """A socket of the program's for that call."""
    if how.startswith("mptcp"):
        return program.mptcp_or_skip()
    family = socket.AF_INET6 if how.endswith("6") else socket.AF_INET
    return program.sock(kind_of(how), family)


def stays(sock):
    """Does a chosen port stay with a socket that loses its peer? Before Linux 6.3 it
    is one that the library has bound (docs/limits.md)."""
    try:
        sock.getsockopt(0, IP_LOCAL_PORT_RANGE)
    except OSError as error:
        assert error.errno == ENOPROTOOPT
        return True
    return False


def unspec(port):
    """A sockaddr_in of no family."""
    return bytes(2) + port.to_bytes(2, "big") + bytes(12)
