# SPDX-License-Identifier: MIT
"""Pool files as any user can write them, of slots that name whatever sockets."""

import struct

from kits.books import Books


def numbers(sock):
    """What names a socket: (inode, cookie, network namespace). For a player."""
    return (os.fstat(sock.fileno()).st_ino, *(
        struct.unpack("=Q", sock.getsockopt(1, option, 8))[0] for option in (57, 71)))


def lease(sock, token):
    """Puts a lock on the socket, as the library does. For a player."""
    fcntl = importlib.import_module("fcntl")
    fcntl.fcntl(sock.fileno(), 37, struct.pack("=hh4xqqi4x", 0, 0, token, 1, 0))


def slot(start, count, inode, cookie, token, protocol=0):
    """Live, and of a program that was never asked."""
    return struct.pack("=IBBHHBBIiIQQII16sQ", 1, protocol, 0, start, count, 0, 0, 1, 3,
                       inode & 0xffffffff, token, cookie, 0, 0, b"forged", 0)


def forge(directory, netns, slots):
    """A pool file. The slot that a token names has its place by the token: 2 is the
    second one's, 4 the third one's."""
    path = directory / f"pool-{netns}"
    with open(path, "wb") as file:
        size = 4096 + Books.SLOT * Books.SLOTS + 4096 * Books.SEGMENTS
        file.truncate(size)
        file.write(struct.pack("=QII", 0x0a314c4f4f505250, 5, size))
        for one in slots:
            (token,) = struct.unpack_from("=Q", one, 24)
            file.seek(4096 + Books.SLOT * (token // 2 % Books.SLOTS))
            file.write(one)
    return path
