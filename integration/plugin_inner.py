# SPDX-License-Identifier: MIT
"""For test suites inside of tests: see kits/plugin.py."""

import os
import subprocess
import sys

# Connections in TIME_WAIT, of tests before, are no obstacle; a reservation is.
BIND = """
import errno, socket, sys
proto, port = sys.argv[1:]
kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[proto]
sock = socket.socket(socket.AF_INET, kind)
if proto == "tcp":
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    sock.bind(("127.0.0.1", int(port)))
    print("bound")
except OSError as error:
    print(errno.errorcode[error.errno])
"""


def stranger(port, proto="tcp", env=None):
    """What a preloaded program that has nothing to do with us gets for it."""
    env = dict(os.environ if env is None else env)
    env["LD_PRELOAD"] = env["TEST_PRELOAD"]
    return subprocess.run(
        [sys.executable, "-c", BIND, proto, str(port)], env=env, check=True,
        stdout=subprocess.PIPE, text=True, timeout=60,
    ).stdout.strip()
