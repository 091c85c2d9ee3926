# SPDX-License-Identifier: MIT
"""Puts a filter of one system call on the program that imports this."""

import ctypes
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)


def forbid(call, answer, argument=None, value=0):
    """From now on the kernel answers so to that number; where `argument` says which,
    only if that argument has that value."""
    steps = [(0x20, 0, 0, 0), (0x15, 0, 1 if argument is None else 3, call)]
    if argument is not None:
        steps += [(0x20, 0, 0, 16 + 8 * argument), (0x15, 0, 1, value)]
    steps += [(0x06, 0, 0, 0x50000 | answer), (0x06, 0, 0, 0x7FFF0000)]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *s) for s in steps))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(steps), ctypes.addressof(filters)))
    # PR_SET_NO_NEW_PRIVS; PR_SET_SECCOMP, SECCOMP_MODE_FILTER
    if _LIBC.prctl(38, 1, 0, 0, 0) or _LIBC.prctl(22, 2, program):
        raise OSError(ctypes.get_errno(), "seccomp")
