# SPDX-License-Identifier: MIT
"""Looks at a library's file before the dynamic linker maps it: that is killed by
SIGBUS, with us, when a file ends before what it has to load."""

from __future__ import annotations

import os
import struct


def is_cut(path: str) -> bool:
    """Does an ELF file of 64 bits end before its own contents do? What is no such
    file the linker refuses by itself."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(64)
            if len(head) < 64 or head[:5] != b"\x7fELF\x02":
                return False
            order = "<" if head[5] == 1 else ">"
            (at,) = struct.unpack_from(order + "Q", head, 32)
            length, count = struct.unpack_from(order + "HH", head, 54)
            if at + length * count > size or length < 56:
                return True
            file.seek(at)
            table = file.read(length * count)
    except OSError:
        return False
    for entry in range(0, length * count, length):
        offset, inside = struct.unpack_from(order + "8xQ16xQ", table, entry)
        if offset + inside > size:
            return True
    return False
