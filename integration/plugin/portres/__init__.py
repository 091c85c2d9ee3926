# SPDX-License-Identifier: MIT
"""Blocks of TCP or UDP ports that nobody under portres can take.

    with portres.reserve(3) as r:
        listener = r.socket()                      # bound to r.ports[0]
        server = r.popen(["server", str(r.ports[1])])

The block is this process' from reserve() on, and of the programs that popen()
starts: nobody else is given its ports, until it is released or all who carry
it have ended, by whatever signal.
"""

from __future__ import annotations

import errno
import fcntl
import operator
import os
import resource
import socket
import subprocess
import sys
import time
import warnings
from typing import Any, List, Mapping, NoReturn, Optional, Tuple

from portres import preload
from portres.library import Error, Library, NoLibrary, load
from portres.listening import listens
from portres.programs import Program, apart, stop

__all__ = ["Error", "NoLibrary", "Reservation", "load", "port", "reserve"]

# In the class this name is a method's.
_Socket = socket.socket

_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}

# The protocols of a block, by its own `proto`.
_PROTOS = {"tcp": ("tcp",), "udp": ("udp",), "both": ("tcp", "udp")}

# Asking about each port of a long block would take longer than it helps.
_ASKED = 20


def _say(library: Library, *arguments: str) -> str:
    """One answer of the command `portres`; nothing where there is none, or where it
    cannot be run."""
    command = library.command()
    if not command:
        return ""
    try:
        run = subprocess.run([command, *arguments], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return ""  # no descriptor is left, or it is of another machine
    return run.stdout.strip()


def _holder(library: Library, error: OSError, proto: str, ports: List[int]) -> str:
    """The library knows of reservations, the command of sockets too."""
    why = getattr(error, "why", "")
    if why:
        return f"{proto} {why}"
    for port in ports[:_ASKED]:
        only = [f"--{proto}"] if proto in _KINDS else []
        said = _say(library, "who", *only, str(port)).splitlines()
        # A connection in TIME_WAIT is in nobody's way.
        said = [line for line in said if "TIME_WAIT" not in line]
        if said and not said[0].startswith("nobody"):
            return "; ".join(said)
    return "somebody has one of them, or had a moment ago"


def _names(ports: List[int]) -> str:
    return f"{ports[0]}-{ports[-1]}" if len(ports) > 1 else f"{ports[0]}"


def _error(number: int, text: str) -> Error:
    return Error(number, f"{os.strerror(number)}: {text}")


def _refusal(library: Library, error: OSError, proto: str,
             ports: List[int], n: int) -> Error:
    number = error.errno or 0
    if number == errno.EADDRINUSE:
        text = (f"{proto} {_names(ports)}: "
                f"{_holder(library, error, proto, ports)}; "
                "stop that, or let portres choose (start=0)")
    elif number == errno.ENOBUFS:
        text = (f"there are no {n} free {proto} ports in a row: ask for "
                "fewer, or see `portres list`")
    elif number == errno.ENETDOWN:
        text = _say(library, "list") or f"the pool ({library.pool})"
        text += "; `portres doctor` tells what is wrong"
    else:
        text = f"{n} {proto} ports cannot be reserved"
    return _error(number, text)


def _owner(kind: int) -> int:
    """A socket for children to inherit. Low numbers are taken by convention
    (systemd hands over sockets from 3 on) and by habit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = soft == resource.RLIM_INFINITY or soft > 1024
    with socket.socket(socket.AF_INET, kind) as low:
        try:
            return fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC,
                               900 if many else soft // 2)
        except OSError:
            return low.detach()


def _whole(name: str, number: Any) -> int:
    try:
        return operator.index(number)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {number!r}") from None


class Reservation:
    """A block: `ports`, `proto`, and the sockets that own it, `fds`, with their
    `tokens`: of TCP, then of UDP, where it is of both."""

    fds: Tuple[int, ...] = ()
    tokens: Tuple[int, ...] = ()

    # Has anything been given a port of it?
    _lent = False

    # Do programs get process groups of their own? Only for who calls kill()
    # however he ends: the terminal's Ctrl-C does not reach them there.
    apart = False

    def __init__(self, n: int, proto: str, start: int, align: int = 0) -> None:
        if proto not in list(_PROTOS):
            raise ValueError(f"proto is 'tcp', 'udp' or 'both', not {proto!r}")
        n, start, align = _whole("n", n), _whole("start", start), _whole("align", align)
        if n < 1 or start < 0 or max(start, 1) + n > 65536:
            raise ValueError(f"there are no {n} ports from {start} on")
        if not 0 <= align < 65536 or (align and start % align):
            raise ValueError(f"align is a number up to 65535 of which start, {start}, "
                             f"is a multiple, not {align}")
        self.proto = proto
        self._library = load()
        self._pid = os.getpid()
        self._programs: List[Program] = []
        try:
            for name in _PROTOS[proto]:
                self.fds = (*self.fds, _owner(_KINDS[name]))
            first, tokens = self._library.acquire(self.fds, start, n, align)
        except OSError as error:
            self.close()
            wanted = list(range(start, start + n))
            raise _refusal(self._library, error, proto, wanted, n) from None
        self.tokens = tuple(tokens)
        self.ports = list(range(first, first + n))

    @property
    def fd(self) -> int:
        return self.fds[0] if self.fds else -1

    @property
    def token(self) -> int:
        return self.tokens[0]

    @property
    def port(self) -> int:
        return self.ports[0]

    def __repr__(self) -> str:
        state = "" if self.fds else ", closed"
        return f"<portres {self.proto} {_names(self.ports)}{state}>"

    def _protos(self, proto: Optional[str]) -> Tuple[str, ...]:
        own = _PROTOS[self.proto]
        if proto is not None and proto not in own:
            raise ValueError(f"{self!r} has no {proto!r}")
        return own if proto is None else (proto,)

    def socket(self, index: int = 0, host: str = "127.0.0.1",
               proto: Optional[str] = None) -> _Socket:
        """A socket of this process that is bound to `ports[index]`; TCP is
        ready for listen(). An IPv6 `host` makes an IPv6 socket, "" is every
        IPv4 address. Of both protocols it is TCP, unless `proto` says 'udp'."""
        port = self.ports[index]
        proto = self._protos(proto)[0]
        self._need_open()
        kind = _KINDS[proto]
        family, *_, address = socket.getaddrinfo(host or "0.0.0.0", port, type=kind)[0]
        sock = socket.socket(family, kind)
        self._lent = True
        try:
            if proto == "tcp":
                # As socket.create_server(): TIME_WAIT is no obstacle.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            token = self.tokens[_PROTOS[self.proto].index(proto)]
            self._library.associate(sock.fileno(), token)
            self._library.bind(sock.fileno(), family, address)
        except OSError as error:
            self._library.close(sock.detach())
            text = f"{proto} {port} of {self!r} on {host}"
            if error.errno == errno.EADDRINUSE:
                text += ": " + _holder(self._library, error, proto, [port])
            raise _error(error.errno or 0, text) from None
        return sock

    def env(self, base: Optional[Mapping[str, str]] = None) -> dict[str, str]:
        """The environment of a program that carries the block, made of `base`
        or of this process' own. It must inherit `fds` too, as by popen()."""
        self._need_open()
        self._lent = True
        env = dict(os.environ if base is None else base)
        env["LD_PRELOAD"] = self._preload(env.get("LD_PRELOAD", ""))
        # The pool is where this process' library looks, or there is no block.
        env.pop("PORTRES_POOL", None)
        if self._library.pool is not None:
            env["PORTRES_POOL"] = self._library.pool
        tokens = env.get("PORTRES_TOKENS", "").split()
        tokens += [str(token) for token in self.tokens if str(token) not in tokens]
        env["PORTRES_TOKENS"] = " ".join(tokens)
        env["PORTRES_PORT"] = str(self.port)
        env["PORTRES_RANGES"] = " ".join(f"{proto}:{self.port}+{len(self.ports)}"
                                         for proto in _PROTOS[self.proto])
        ports = " ".join(map(str, self.ports))
        # The kernel refuses a string of 128 KiB.
        if len(ports) < 65536:
            env["PORTRES_PORTS"] = ports
        else:
            env.pop("PORTRES_PORTS", None)
        return env

    def _preload(self, before: str) -> str:
        path = self._library.path
        name = preload.name(path, self._library.pool)
        if not name:
            raise _error(errno.EINVAL, f"LD_PRELOAD cannot name {path}, for its "
                         "blank, colon or $, and no directory is yours alone to "
                         "hold a link to it: move it, or give the path of a link "
                         "that has none of these")
        others = [word for word in preload.words(before)
                  if word != name and not preload.means(word, path)]
        first = [word for word in others if preload.is_runtime(word)]
        return ":".join([*first, name, *(word for word in others if word not in first)])

    def popen(self, args: Any, **kw: Any) -> subprocess.Popen[Any]:
        """subprocess.Popen of a program that carries the block: it may bind
        its ports, and has it until it ends or release() is called."""
        kw["env"] = self.env(kw.get("env"))
        kw["pass_fds"] = (*kw.get("pass_fds", ()), *self.fds)
        process: subprocess.Popen[Any] = subprocess.Popen(
            args, **(apart(kw) if self.apart else kw))
        self._programs.append(Program(process))
        return process

    def wait_listening(self, timeout: float = 10.0, index: int = 0,
                       proto: Optional[str] = None) -> None:
        """Returns when somebody listens on `ports[index]`; with UDP, has bound
        it. Asks the kernel: nobody is connected to. TimeoutError, or an Error
        at once where all that popen() started has ended, with the groups that
        kill() would end."""
        port = self.ports[index]
        protos = self._protos(proto)
        deadline = time.monotonic() + timeout
        nap = 0.001
        while True:
            ended = [program.has_ended() for program in self._programs]
            missing = [name for name in protos if not listens(name, port)]
            if not missing:
                return
            what = f"nobody listens on {' and '.join(missing)} {port}"
            if ended and all(ended):
                statuses = [str(program.process.returncode) for program in self._programs]
                raise _error(errno.ECONNREFUSED, f"{what}: what was started has ended, with "
                             f"status {', '.join(statuses)}")
            if time.monotonic() >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, f"{what} after {timeout:g} s")
            time.sleep(nap)
            nap = min(2 * nap, 0.02)

    def stop(self, timeout: float = 5.0) -> None:
        """Ends what popen() started as kill() does, but by SIGTERM; after
        `timeout` seconds by SIGKILL."""
        stop(self._programs, timeout)

    def kill(self) -> None:
        """Kills what popen() started and has not ended yet, and the process
        groups of those that have one of their own."""
        for program in self._programs:
            program.end()

    def strike(self) -> None:
        """The same from a signal handler, which cannot wait."""
        for program in self._programs:
            program.strike()

    def release(self) -> None:
        """Ends the block, also for the programs that carry it. What they and
        this process have bound stays bound until it is closed."""
        # In a child of fork() it is not ours to end.
        if os.getpid() == self._pid:
            for fd, token in zip(self.fds, self.tokens):
                try:
                    self._library.release(fd, token)
                except OSError:
                    pass  # ended already, or the pool is gone
        self.close()

    def close(self) -> None:
        """Leaves the block to the programs that carry it; ends it when there
        are none."""
        fds, self.fds = self.fds, ()
        for fd in fds:
            self._library.close(fd)

    def _need_open(self) -> None:
        if not self.fds:
            raise _error(errno.EBADF, f"{self!r}: reserve() again")

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        lost = self.tokens and self.fds and not self._lent
        if lost and os.getpid() == self._pid and not sys.is_finalizing():
            warnings.warn(
                f"{self!r} has ended before it was used, with the last reference to it: "
                "keep what reserve() returns, or take portres.port()",
                RuntimeWarning, stacklevel=2)
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} cannot be pickled: a block belongs to sockets of this process. Give the "
            "other one r.socket(), which multiprocessing can pass on, or start it by r.popen()")


def reserve(n: int = 1, proto: str = "tcp", start: int = 0,
            align: int = 0) -> Reservation:
    """Reserves `n` ports in a row, from `start` on; 0: wherever they fit, the
    first a multiple of `align`. `proto` is 'tcp', 'udp' or 'both', which means
    the same ports of each."""
    return Reservation(n, proto, start, align)


# Until the process ends.
_held: List[Reservation] = []


def port(proto: str = "tcp") -> int:
    """A port that is this process' until it ends: for this process, and for
    programs that are not under portres. Those that are take reserve()."""
    block = Reservation(1, proto, 0)
    _held.append(block)
    return block.port
