# SPDX-License-Identifier: MIT
"""The three requests by plain ioctl, as a Linux program makes them."""

import collections
import ctypes
import fcntl
import os
import socket
import struct

ACQUIRE = 0x98000064
RELEASE = 0x98000065
ASSOCIATE = 0x98000066


class Block(collections.namedtuple("Block", "start count token")):
    """A reservation."""

    def __contains__(self, port):
        return self.start <= port < self.start + self.count


def acquire(sock, start, count, code=ACQUIRE):
    """Reserves a block."""
    block = bytearray(16)
    struct.pack_into("!H", block, 0, start)
    struct.pack_into("=H", block, 2, count)
    fcntl.ioctl(sock, code, block)
    (first,) = struct.unpack_from("!H", block, 0)
    (count,) = struct.unpack_from("=H", block, 2)
    (token,) = struct.unpack_from("=Q", block, 8)
    return Block(first, count, token)


def token_of(block):
    return struct.pack("=Q", getattr(block, "token", block))


def release(sock, block):
    """A block, or its token."""
    fcntl.ioctl(sock, RELEASE, token_of(block))


def associate(sock, block):
    fcntl.ioctl(sock, ASSOCIATE, token_of(block))


GUARD = 0x5052
GUARD_OPS = ["", "acquire", "commit", "release", "associate", "query", "number", "keep", "drop",
             "join", "adopt"]


def guard(sock, op, token=7, start=0, count=0, fd=-1, number=0, protocol=0, uid=0,
          gid=0xffffffff, reserved=0, size=40):
    """A request to the guard, by the socket option."""
    request = struct.pack("=QQi2sHIIII", token, number, fd, struct.pack("!H", start), count,
                          protocol, uid, gid, reserved)
    sock.setsockopt(GUARD, GUARD_OPS.index(op) if op in GUARD_OPS else int(op),
                    (request + bytes(8192))[:size])


def guard_number(sock):
    """It comes as three errors."""
    number = 0
    for part in range(3):
        try:
            guard(sock, "number", number=part)
        except OSError as error:
            number |= error.errno - 1025 << 11 * part
    return number


def must(success):
    """Raises the error of a call that ctypes made, unless it succeeded."""
    if not success:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def sendmmsg(sock, address):
    """Sends two empty messages to an IPv4 address by one call, of which Python
    knows nothing."""
    host, port = address
    name = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port)
    name = ctypes.create_string_buffer(name + socket.inet_aton(host) + bytes(8))
    header = struct.pack("=QI4xQQQQi4xI4x", ctypes.addressof(name), 16, 0, 0, 0, 0, 0, 0)
    messages = ctypes.create_string_buffer(header * 2)
    libc = ctypes.CDLL(None, use_errno=True)
    must(libc.sendmmsg(sock.fileno(), messages, 2, 0) == 2)


def by_libc(sock, call, address):
    """bind() or connect() with an address of these very bytes."""
    libc = ctypes.CDLL(None, use_errno=True)
    must(getattr(libc, call)(sock.fileno(), address, len(address)) == 0)


def spell(value, other):
    """An expression for a value; other(thing) makes one for what is no literal."""

    def all_of(values):
        return "".join(spell(v, other) + ", " for v in values)

    if isinstance(value, Block):
        return f"Block({all_of(value)})"
    if value is None or isinstance(value, (bool, float, str, bytes)):
        return repr(value)
    if isinstance(value, int):
        return int.__repr__(value)  # of an enumeration too
    if isinstance(value, (tuple, list, set, frozenset)):
        left, right = {tuple: "()", list: "[]"}.get(type(value), ("{*(", ")}"))
        return left + all_of(value) + right
    if isinstance(value, dict):
        pairs = (f"{spell(k, other)}: {spell(v, other)}, " for k, v in value.items())
        return "{" + "".join(pairs) + "}"
    return other(value)
