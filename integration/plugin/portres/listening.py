# SPDX-License-Identifier: MIT
"""The kernel's list of listeners: a server would see a connection."""

from __future__ import annotations

import contextlib

# A bound UDP socket that has no peer, or has one.
_STATES = {"tcp": (b"0A",), "udp": (b"07", b"01")}


def listens(proto: str, port: int) -> bool:
    """Does any socket of this network namespace listen on the port?"""
    wanted = b":%04X" % port
    for name in proto, proto + "6":
        with contextlib.suppress(FileNotFoundError):  # no IPv6 here
            with open(f"/proc/net/{name}", "rb") as file:
                for line in file:
                    _, local, _, state = line.split()[:4]
                    if local.endswith(wanted) and state in _STATES[proto]:
                        return True
    return False
