"""Runs one Python expression a line and prints its value, or the errno's name.

The other half of the two-process tests: each player is a process of its own,
preloaded like any other, and the test tells both what to do in which order.
An argument is printed first, as a greeting from a new image.
"""

import errno
import os  # noqa: F401  (for the expressions)
import socket
import sys

from portio import acquire, associate, by_libc, release, sendmmsg  # noqa: F401

S = {}  # the player's sockets by name


def tcp(name, family=socket.AF_INET):
    S[name] = socket.socket(family, socket.SOCK_STREAM)
    return name


def udp(name, family=socket.AF_INET):
    S[name] = socket.socket(family, socket.SOCK_DGRAM)
    return name


def bind(name, port, address=None):
    sock = S[name]
    if address is None:
        address = "127.0.0.1" if sock.family == socket.AF_INET else "::1"
    sock.bind((address, port))
    return sock.getsockname()[1]


def close(name):
    S.pop(name).close()


def main():
    for greeting in sys.argv[1:]:
        print(greeting, flush=True)
    for line in sys.stdin:
        try:
            answer = repr(eval(line))
        except OSError as error:
            answer = errno.errorcode[error.errno]
        print(answer, flush=True)


main()
