# SPDX-License-Identifier: MIT
"""Finds libportres.so and calls it: what the rest stands on.

A library that is opened by its path stands in front of nobody: this process'
own binds stay the kernel's. So the functions of its native API (portres.h), and
its bind() and close(), are called by its handle, and work whether or not the
process runs under it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import pathlib
import shutil
import socket
import struct
from typing import Any, Iterator, List, Optional, Sequence, Tuple

from portres import elf, preload
from portres.preload import is_our_name, is_path, words

# Where the dynamic linker looks by itself, it goes by this name.
SONAME = "libportres.so.0"


class Error(OSError):
    """A request that failed: which ports, who has them, the way out."""

    __module__ = "portres"


class Refused(OSError):
    """The library has said no; `why` is its reason, or empty."""

    why = ""


class _Instance(ctypes.Structure):
    _fields_ = [("start_port", ctypes.c_uint16), ("number_of_ports", ctypes.c_uint16),
                ("reserved", ctypes.c_uint32), ("token", ctypes.c_uint64)]


class _Refusal(ctypes.Structure):
    _fields_ = [("error", ctypes.c_int32), ("reason", ctypes.c_uint32),
                ("port", ctypes.c_uint16), ("start_port", ctypes.c_uint16),
                ("number_of_ports", ctypes.c_uint16), ("persistent", ctypes.c_uint16),
                ("pid", ctypes.c_int32), ("command", ctypes.c_char * 16),
                ("unused", ctypes.c_uint32 * 3)]


_RESERVED = 1


def _reason(why: _Refusal) -> str:
    """Whose block is in the way, in the words of `portres who`."""
    if why.reason != _RESERVED or not why.start_port:
        return ""
    port, first = socket.ntohs(why.port), socket.ntohs(why.start_port)
    last = first + why.number_of_ports - 1
    block = f"{first}-{last}" if last > first else str(first)
    holder = ("the persistent store" if why.persistent
              else f"pid {why.pid} ({why.command.decode()})")
    return f"{port or block} is reserved ({block}) by {holder}"


class NoLibrary(Error):
    """libportres.so is not to be had."""

    __module__ = "portres"


def _no_library(what: str) -> NoLibrary:
    return NoLibrary(
        errno.ENOENT,
        f"{what}: give the path of libportres.so by --portres-lib (pytest), "
        "by PORTRES_LIB, or by portres.load()",
    )


def _places() -> Iterator[str]:
    for word in words(os.environ.get("LD_PRELOAD", "")):
        if is_our_name(word):
            # This process has it already: by that name the linker has it too.
            yield os.path.abspath(word) if is_path(word) else SONAME
    # A checkout has what was built of it, of its own version; elsewhere a
    # folder `build` is not ours.
    here = pathlib.Path(__file__).resolve().parent.parent
    if here.parts[-2:] == ("integration", "plugin"):
        yield str(here.parent.parent / "build" / "libportres.so")
    command = shutil.which("portres")
    if command:
        folder = pathlib.Path(command).resolve().parent
        for place in (".", "../lib", "../lib64"):
            # Links stay: what an installation keeps has no version.
            for name in (SONAME, "libportres.so"):
                yield str((folder / place).resolve() / name)


def find() -> str:
    """The library's absolute path, or its name where the linker finds it."""
    named = os.environ.get("PORTRES_LIB")
    if named:
        return os.path.abspath(named)
    for path in _places():
        if path == SONAME or os.path.isfile(path):
            return path
    return SONAME


class _LinkMap(ctypes.Structure):
    _fields_ = [("l_addr", ctypes.c_size_t), ("l_name", ctypes.c_char_p)]


def _file_of(handle: ctypes.CDLL) -> str:
    """The path at which the linker found it."""
    at = ctypes.POINTER(_LinkMap)()
    ctypes.CDLL(None).dlinfo(ctypes.c_void_p(handle._handle), 2, ctypes.byref(at))
    return os.path.abspath(os.fsdecode(at.contents.l_name))


# PORTRES_HEIRS: the programs that we start bind inside, static ones too.
_HEIRS = 2


class Library:
    """libportres.so, and the pool that it has in this process."""

    def __init__(self, path: str) -> None:
        # It reads the environment once, now; children must be told the same.
        self.pool = os.environ.get("PORTRES_POOL")
        if self.pool:
            # Where these begin it may be another directory.
            self.pool = os.path.abspath(self.pool)
        if elf.is_cut(path):
            raise _no_library(f"{path} ends before its own contents do, at "
                              f"{os.path.getsize(path)} bytes")
        try:
            # A $LIB is replaced here too.
            name = preload.name(path, self.pool) if "$" in path else path
            handle = ctypes.CDLL(name or path, use_errno=True)
            handle.portres_refusal, handle.portres_acquire_both
        except AttributeError:
            raise _no_library(f"{path} is another library") from None
        except OSError as error:
            raise _no_library(f"the library is not found ({error})") from None
        # Children may look for it elsewhere.
        self.path = path if "/" in path else _file_of(handle)
        self._acquire = handle.portres_acquire
        self._acquire.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint)
        self._acquire_both = handle.portres_acquire_both
        self._acquire_both.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p,
                                       ctypes.c_uint)
        self._release = handle.portres_release
        self._associate = handle.portres_associate
        for function in self._release, self._associate:
            function.argtypes = (ctypes.c_int, ctypes.c_uint64, ctypes.c_uint)
        self._refusal = handle.portres_refusal
        self._refusal.argtypes = (ctypes.c_void_p,)
        self._bind = handle.bind
        self._bind.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
        self._close = handle.close
        self._close.argtypes = (ctypes.c_int,)

    def _refused(self, number: int) -> Refused:
        error = Refused(number, os.strerror(number))
        why = _Refusal()
        ctypes.set_errno(number)
        if self._refusal(ctypes.byref(why)) == 0:
            error.why = _reason(why)
        return error

    def _call(self, function: Any, *arguments: Any) -> None:
        while function(*arguments) < 0:
            number = ctypes.get_errno()
            # Python's handlers are installed without SA_RESTART; they run
            # between two turns, and what they raise ends this.
            if number != errno.EINTR:
                raise self._refused(number)

    def acquire(self, fds: Sequence[int], start: int, count: int,
                align: int = 0) -> Tuple[int, List[int]]:
        """For one socket, or for one of TCP and one of UDP. Returns the first
        port and the tokens."""
        blocks = (_Instance * 2)(_Instance(socket.htons(start), count))
        call = self._acquire if len(fds) == 1 else self._acquire_both
        self._call(call, *fds, ctypes.byref(blocks), align << 16 | _HEIRS)
        return (socket.ntohs(blocks[0].start_port),
                [block.token for block in blocks[:len(fds)]])

    def release(self, fd: int, token: int) -> None:
        self._call(self._release, fd, token, 0)

    def associate(self, fd: int, token: int) -> None:
        self._call(self._associate, fd, token, 0)

    def bind(self, fd: int, family: int, address: Tuple[Any, ...]) -> None:
        """`address` is as getaddrinfo() gives it."""
        packed = struct.pack("=H", family) + struct.pack("!H", address[1])
        host = socket.inet_pton(family, address[0].partition("%")[0])
        if family == socket.AF_INET6:
            packed += struct.pack("!I", address[2]) + host
            packed += struct.pack("=I", address[3])
        else:
            packed += host + bytes(8)
        if self._bind(fd, packed, len(packed)) < 0:
            raise self._refused(ctypes.get_errno())

    def close(self, fd: int) -> None:
        """By the library, so that who comes next need not find out."""
        self._close(fd)

    def command(self) -> Optional[str]:
        """The command `portres`, which knows who has a port."""
        folder = pathlib.Path(self.path).resolve().parent
        for place in ("portres", "../bin/portres", "../../bin/portres"):
            # Beside a library in site-packages that is this package.
            if os.path.isfile(folder / place) and os.access(folder / place, os.X_OK):
                return str(folder / place)
        return shutil.which("portres")


_library: Optional[Library] = None


def load(path: Optional[str] = None) -> Library:
    """Opens the library at `path`, once; what reserve() uses from then on."""
    global _library
    if path is not None:
        path = os.path.abspath(path)
    if _library is None or path not in (None, _library.path):
        _library = Library(path or find())
    return _library
