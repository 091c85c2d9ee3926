# SPDX-License-Identifier: MIT
"""The players' lines of files that do not use proxies yet: an expression, whose
answer is its value, or the name of its error."""

import errno
import os
import socket

import portio
from portio import associate, release, sendmmsg

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


def acquire(sock, start, count):
    return tuple(portio.acquire(sock, start, count))


def by_libc(call, sock, address):
    portio.by_libc(sock, call, address)


def answer(line):
    try:
        return repr(eval(line, globals()))
    except OSError as error:
        return errno.errorcode[error.errno]


USED_BY_EXPRESSIONS = os, associate, release, sendmmsg
