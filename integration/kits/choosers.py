# SPDX-License-Identifier: MIT
"""Calls in which the system chooses a port, and where it chooses."""

with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    LOW, HIGH = map(int, f.read().split())
# Three quarters of the ephemeral range, in its middle.
BLOCK = LOW + (HIGH - LOW) // 8, (HIGH - LOW) * 3 // 4


CHOOSERS = {
    "bind": "bind('x{0}', 0)",
    "bind6": "bind('x{0}', 0)",
    "connect": "S['x{0}'].connect(('127.0.1.{2}', {1}))",
    "connect6": "S['x{0}'].connect(('::ffff:127.0.1.{2}', {1}))",
    "listen": "S['x{0}'].listen()",
    "mptcp-bind": "bind('x{0}', 0)",
    "mptcp-connect": "S['x{0}'].connect(('127.0.1.{2}', {1}))",
    "fastopen": "S['x{0}'].sendto(b'x', socket.MSG_FASTOPEN, ('127.0.1.{2}', {1}))",
    "udp-sendto": "S['x{0}'].sendto(b'', ('127.0.0.1', 9))",
    "udp-sendmsg": "S['x{0}'].sendmsg([b''], [], 0, ('127.0.0.1', 9))",
    "udp-sendmmsg": "sendmmsg(S['x{0}'], ('127.0.0.1', 9))",
    "udp-connect": "S['x{0}'].connect(('127.0.0.1', 9))",
}
PORT_OF = "S['{}'].getsockname()[1]"


def unspec(port):
    """A sockaddr_in of no family."""
    return bytes(2) + port.to_bytes(2, "big") + bytes(12)
