"""The three requests by plain ioctl, as a Linux program makes them."""

import fcntl
import struct

ACQUIRE = 0x98000064
RELEASE = 0x98000065
ASSOCIATE = 0x98000066


def acquire(sock, start, count, code=ACQUIRE):
    """Reserves a block; returns (first port, count, token)."""
    block = bytearray(16)
    struct.pack_into("!H", block, 0, start)
    struct.pack_into("=H", block, 2, count)
    fcntl.ioctl(sock, code, block)
    (first,) = struct.unpack_from("!H", block, 0)
    (count,) = struct.unpack_from("=H", block, 2)
    (token,) = struct.unpack_from("=Q", block, 8)
    return first, count, token


def release(sock, token):
    fcntl.ioctl(sock, RELEASE, struct.pack("=Q", token))


def associate(sock, token):
    fcntl.ioctl(sock, ASSOCIATE, struct.pack("=Q", token))
