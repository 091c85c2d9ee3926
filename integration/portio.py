"""The three requests by plain ioctl, as a Linux program makes them."""

import ctypes
import fcntl
import os
import socket
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


def sendmmsg(sock, address):
    """Sends two empty messages to an IPv4 address by one call, of which Python
    knows nothing."""
    host, port = address
    name = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port)
    name = ctypes.create_string_buffer(name + socket.inet_aton(host) + bytes(8))
    header = struct.pack("=QI4xQQQQi4xI4x", ctypes.addressof(name), 16, 0, 0, 0, 0, 0, 0)
    messages = ctypes.create_string_buffer(header * 2)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.sendmmsg(sock.fileno(), messages, 2, 0) != 2:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def by_libc(call, sock, address):
    """bind() or connect() with an address of these very bytes."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, call)(sock.fileno(), address, len(address)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
