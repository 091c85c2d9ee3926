# SPDX-License-Identifier: MIT
"""A process that makes the calls which a test asks it for: the other end of the
proxies in kits/playing.py.

Each line is an expression. The answer is its value, as an expression too, or the
error that it raised. An object that no expression says stays here, and the test
has a proxy of it. Modules are there by their names, without an import.
An argument is printed first, as a greeting from a new image.
"""

import builtins
import ctypes
import importlib
import mmap
import os
import socket
import sys

import portio

SYS_CLOSE = 3 if os.uname().machine == "x86_64" else 57
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}

Block = portio.Block
kept = []
libc = ctypes.CDLL(None, use_errno=True)


class Socket(socket.socket):
    """With the three requests, and ports instead of loopback's addresses."""

    acquire, release, associate = portio.acquire, portio.release, portio.associate
    by_libc, sendmmsg, guard = portio.by_libc, portio.sendmmsg, portio.guard

    def bind(self, port, address=None):
        """Returns the port."""
        super().bind((address or LOOPBACK[self.family], port))
        return self.getsockname()[1]

    def connect(self, port, address=None):
        super().connect((address or LOOPBACK[self.family], port))

    def accept(self):
        return Socket(fileno=self._accept()[0])

    def sendto_wild(self):
        """To an address that nothing is at."""
        portio.must(libc.sendto(self.fileno(), b"", 0, 0, ctypes.c_void_p(8), 16) == 0)

    def bindresvport(self):
        portio.must(libc.bindresvport(self.fileno(), None) == 0)

    def close_unseen(self):
        """By a raw system call."""
        libc.syscall(SYS_CLOSE, self.detach())


    def guarded(self, start, count, token=7, heirs=False):
        """Reserves a block of the guard's, whole."""
        self.guard("acquire", token, start, count, self.fileno() if heirs else -1)
        self.guard("commit", token, start, count)
        return self


def tcp(family=socket.AF_INET):
    return Socket(family, socket.SOCK_STREAM)


def udp(family=socket.AF_INET):
    return Socket(family, socket.SOCK_DGRAM)


def mptcp():
    return Socket(socket.AF_INET, socket.SOCK_STREAM, 262)


def sock(kind, family=socket.AF_INET):
    """Of the kind that is called so."""
    return {"tcp": tcp, "udp": udp}[kind](family)


def socket_at(fd):
    return Socket(fileno=fd)


def exec_again():
    os.execv(sys.executable, [sys.executable, "-S", sys.argv[0], "again"])


def become_child():
    """The child goes on with the next line, and the parent is no more."""
    return os.fork() and os._exit(0)


def in_child(call, *arguments):
    """The answer of a child, which ends with it, in memory that both see: the
    call may close any descriptor."""
    page = mmap.mmap(-1, 1 << 16)
    pid = os.fork()
    if pid == 0:
        page.write(answer(lambda: call(*arguments)).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return Answer(page[:].rstrip(b"\0").decode())


def defined(source, name):
    """A function of the test's own."""
    names = Names(globals())
    exec(source, names)
    return names[name]


class Answer(str):
    """One that was put into words already."""


class Names(dict):
    """An expression sees ours, what is built in, and any module."""

    def __missing__(self, name):
        if hasattr(builtins, name):
            raise KeyError(name)
        try:
            return importlib.import_module(name)
        except ImportError:
            raise KeyError(name) from None


def keep(thing):
    kept.append(thing)
    return f"remote({len(kept) - 1}, {isinstance(thing, Socket)})"


def answer(call):
    try:
        value = call()
        return value if isinstance(value, Answer) else "= " + portio.spell(value, keep)
    except OSError as error:
        return f"! {error.errno}, {error.strerror!r}"
    except Exception:
        # Here, because thousands of players start, and nearly none comes by.
        import traceback
        return f"? {traceback.format_exc()!r}"


def main():
    for greeting in sys.argv[1:]:
        print(greeting, flush=True)
    for line in sys.stdin:
        print(answer(lambda: eval(line[1:], Names(globals()))), flush=True)


if __name__ == "__main__":
    main()
