# SPDX-License-Identifier: MIT
"""The contents of a pool file, and that nothing is left in it."""

import struct

from kits.playing import attempt

FUTEX_OWNER_DIED = 0x40000000


class Books:
    """The contents of the pool file, read as core/pool/layout.h has it."""

    SLOTS, SLOT, SEGMENTS = 8192, 72, 128

    def __init__(self, pool):
        (path,) = pool.glob("pool-*")
        self.bytes = path.read_bytes()
        assert len(self.bytes) == 4096 + self.SLOT * self.SLOTS + 4096 * self.SEGMENTS

    @property
    def dirty(self):
        return struct.unpack_from("=I", self.bytes, 24)[0]

    def _slots(self):
        slots = self.bytes[4096 : 4096 + self.SLOT * self.SLOTS]
        for state, protocol, kind, start, count, token in struct.iter_unpack(
            "=IBBHI12xQ40x", slots
        ):
            if state:
                yield (protocol, start, count), token, kind

    @property
    def blocks(self):
        """(protocol, start, count) of each live slot that was not ended."""
        return sorted(block for block, token, _ in self._slots() if not token >> 63)

    @property
    def listed(self):
        """The ended ones too, which the next one to come by will free."""
        return sorted(block for block, *_ in self._slots())

    @property
    def persistent(self):
        return sorted(block for block, _, kind in self._slots() if kind)

    @property
    def marks(self):
        """(protocol, port) of each mark."""
        found = []
        for segment in range(self.SEGMENTS):
            at = 4096 + self.SLOT * self.SLOTS + 4096 * segment
            marks = struct.unpack_from("=1024H", self.bytes, at)
            found += [
                (i // 512, 512 * segment + i % 512) for i, m in enumerate(marks) if m
            ]
        return sorted(found)

    @property
    def binders(self):
        """Threads whose binds are still announced, the dead left out."""
        found = []
        for segment in range(self.SEGMENTS):
            at = 4096 + self.SLOT * self.SLOTS + 4096 * segment + 2056
            words = struct.unpack_from("=510I", self.bytes, at)
            found += [w for w in words[::2] if w and not w & FUTEX_OWNER_DIED]
        return found


def fill_words(pool, port):
    """Takes all words of the port's segment, by a thread that announces nothing."""
    (path,) = pool.glob("pool-*")
    with open(path, "r+b", buffering=0) as file:
        file.seek(4096 + Books.SLOT * Books.SLOTS + 4096 * (port // 512) + 2056)
        file.write(struct.pack("=II", 1, 0) * 255)


def sweep(pool, player):
    """Asks for every range that is still listed: so the dead are found out."""
    asker = player()
    for protocol, start, count in Books(pool).listed:
        with asker.sock(("tcp", "udp")[protocol]) as sock:
            sock.release(sock.acquire(start, count))
    # The next one that enters repairs what the last victim left half done.
    attempt(asker.tcp().release, 1)


def assert_empty(pool):
    books = Books(pool)
    assert books.listed == []
    assert books.marks == []
    assert books.dirty == 0
    assert books.binders == []
