# SPDX-License-Identifier: MIT
"""The place of a block that nobody has placed."""


def test_a_port_and_ten_thousand_more_exists(player, namespace):
    """The bus of a redis cluster is there."""
    one = player(prefix=namespace)
    for kind in "tcp", "udp":
        first, count, _ = one.sock(kind).acquire(0, 3)
        assert 20000 <= first and first + count <= 30000


def test_in_order(start, namespace):
    """10,000 at a time, until no more is left outside the ephemeral range; that
    comes last."""
    look = ("import os, socket; from portio import acquire;"
            "open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('32768 60999');"
            "s = socket.socket();"
            "print(*[acquire(s, 0, n)[0] for n in (10000, 4536, 10000, 2768, 8976, 28232)])")
    program = start([*namespace, "/usr/bin/python3", "-c", look])
    assert list(map(int, program.line().split())) == [20000, 61000, 10000, 30000, 1024, 32768]
