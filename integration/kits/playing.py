# SPDX-License-Identifier: MIT
"""Programs that a test talks to: any, and players, which make socket calls:

    block = owner.tcp().acquire(26000, 3)
    x = owner.tcp()
    x.associate(block)
    assert x.bind(0) == 26000
    with refused(EADDRINUSE):
        other.tcp().bind(26001)
"""

import contextlib
import errno
import inspect
import os
import pathlib
import select
import shutil
import socket
import subprocess
import tempfile
import textwrap

import pytest

from portio import Block, spell

SILENCE = 60
SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "player.py"
PYTHON = "/usr/bin/python3"


class Program:
    """A running program that is talked to line by line."""

    def __init__(self, args, env, **kw):
        self.popen = subprocess.Popen(
            [str(a) for a in args],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            **kw,
        )
        self.pid = self.popen.pid
        self.unread = b""

    def line(self, limit=SILENCE):
        """The next line of its output; a silent program fails the test."""
        out = self.popen.stdout
        while b"\n" not in self.unread:
            ready, _, _ = select.select([out], [], [], limit)
            assert ready, f"no line within {limit} s"
            more = os.read(out.fileno(), 65536)
            assert more, f"ended with {self.popen.wait()} instead of a line"
            self.unread += more
        line, _, self.unread = self.unread.partition(b"\n")
        return line.decode()

    def tell(self, line):
        self.popen.stdin.write(line.encode() + b"\n")

    def ask(self, line, limit=SILENCE):
        self.tell(line)
        return self.line(limit)

    def kill(self):
        self.popen.kill()
        self.popen.wait()

    def end(self):
        """Closes its input, which every program of ours takes as the end."""
        self.popen.stdin.close()
        return self.popen.wait()

    def close(self):
        if self.popen.poll() is None:
            self.kill()
        self.popen.stdin.close()
        self.popen.stdout.close()


class Remote:
    """Something of a player's: a name, an attribute, an object that it keeps. To
    call it is to call it there."""

    def __init__(self, player, text):
        self._player, self._text = player, text

    def __repr__(self):
        return self._text

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Remote(self._player, f"{self._text}.{name}")

    def __call__(self, *arguments, **named):
        return self._player.begin(self, *arguments, **named)()

    def __getitem__(self, key):
        return self._player.evaluate(f"{self._text}[{self._player.spell(key)}]")


class RemoteSocket(Remote):
    """A player's socket. It is open until somebody closes it."""

    @property
    def port(self):
        return self.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Player(Program):
    """A python that plays socket calls: see player.py. A name that is no
    attribute of this class is one over there: player.os.getpid()."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Remote(self, name)

    def spell(self, value):
        return spell(value, self._spell_other)

    def _spell_other(self, thing):
        if isinstance(thing, Remote):
            assert thing._player is self, "that is another player's"
            return repr(thing)
        assert inspect.isfunction(thing), thing
        source = textwrap.dedent(inspect.getsource(thing))
        return f"defined({source!r}, {thing.__name__!r})"

    def _remote(self, number, is_socket):
        return (RemoteSocket if is_socket else Remote)(self, f"kept[{number}]")

    def _answer(self, limit=SILENCE):
        how, _, what = self.line(limit).partition(" ")
        if how == "!":
            raise OSError(*eval(what))
        if how == "?":
            raise RuntimeError("\n" + eval(what))
        assert how == "=", f"{how} {what}"
        return eval(what, {"Block": Block, "remote": self._remote})

    def evaluate(self, text):
        self.tell(">" + text)
        return self._answer()

    def begin(self, call, *arguments, **named):
        """Lets the player make that call; returns a function that waits for its
        answer, so many seconds at most."""
        words = [self.spell(a) for a in arguments]
        words += [f"{name}={self.spell(a)}" for name, a in named.items()]
        self.tell(f">{self.spell(call)}({', '.join(words)})")
        return self._answer

    def run(self, function, *arguments):
        """Runs a function of the test's own over there."""
        return self.begin(function, *arguments)()

    def mptcp_or_skip(self):
        """An MPTCP socket, where the kernel has such."""
        try:
            return Remote(self, "mptcp")()
        except OSError as error:
            return pytest.skip(f"no MPTCP here: {error}")

    def exec_again(self):
        """The same program in a new image: it has what is inherited, no more."""
        self.tell(">exec_again()")
        assert self.line() == "again"

    def become_child(self):
        """It forks, the parent ends, and this is the child now."""
        assert self.begin(Remote(self, "become_child"))() == 0
        self.popen.wait()


def value(remote):
    """The value of an attribute over there, which else is a name only."""
    return remote._player.evaluate(repr(remote))


def attempt(call, *arguments, **named):
    """The call's answer, or its error's name."""
    try:
        return call(*arguments, **named)
    except OSError as error:
        return errno.errorcode[error.errno]


def held(player, port, kind="tcp"):
    """Is the port refused to it, as another's?"""
    with player.sock(kind) as sock:
        return attempt(sock.bind, port) == "EADDRINUSE"


def become_nobody(player):
    """For good. Skips where its user namespace has no other user."""
    try:
        player.os.setgroups([])
        player.os.setresgid(65534, 65534, 65534)
        player.os.setresuid(65534, 65534, 65534)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EINVAL):
            raise
        pytest.skip("the user namespace has no other user")


def close_first(sock, peer):
    """The port of the socket is in TIME_WAIT then: it has heard of the peer's end, which
    may be late."""
    sock.shutdown(socket.SHUT_WR)
    peer.recv(1)
    peer.close()
    sock.recv(1)
    sock.close()


def leave_time_wait(listener, port, client):
    """On the listener's port, which closes first, and is closed afterwards."""
    peer = client.tcp()
    peer.connect(port)
    close_first(listener.accept(), peer)
    listener.close()


def port_in_time_wait(program, ports):
    """One of these, for a minute."""
    listener = program.tcp()
    port = next(port for port in ports if attempt(listener.bind, port) == port)
    listener.listen()
    leave_time_wait(listener, port, program)
    return port


@contextlib.contextmanager
def refused(*errors):
    """The call within fails, with one of these errors."""
    names = " or ".join(errno.errorcode[number] for number in errors)
    try:
        yield
    except OSError as error:
        got = errno.errorcode[error.errno]
        assert error.errno in errors, f"refused with {got}, not {names}"
    else:
        pytest.fail(f"not refused with {names}")


@pytest.fixture
def start(shim_env):
    """start(args, env=shim_env, kind=Program) -> it, killed when the test ends."""
    running = []

    def start(args, env=None, kind=Program, **kw):
        program = kind(args, shim_env if env is None else env, **kw)
        running.append(program)
        return program

    start.running = running
    yield start
    for program in running:
        program.close()


@pytest.fixture(scope="session")
def reachable(build):
    """Copies of what other users start, where they can reach it: the checkout may
    be in /root."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="portres-test-"))
    top.chmod(0o755)
    here = [SCRIPT.with_name(name) for name in ("player.py", "portio.py")]
    for file in (build / "libportres.so", build / "portres", *here):
        shutil.copy(file, top)
    yield top
    shutil.rmtree(top)


@pytest.fixture
def reachable_env(shim_env, reachable):
    """shim_env for those."""
    words = shim_env["LD_PRELOAD"].split()
    return {**shim_env, "PYTHONPATH": str(reachable),
            "LD_PRELOAD": " ".join([*words[:-1], str(reachable / "libportres.so")])}


@pytest.fixture
def player(start, request):
    """player() -> a preloaded python that plays socket calls: see player.py. With
    user= it is another user's."""

    def player(env=None, prefix=(), **kw):
        script = SCRIPT
        if "user" in kw:
            script = request.getfixturevalue("reachable") / "player.py"
            env = request.getfixturevalue("reachable_env") if env is None else env
            kw.setdefault("cwd", "/")
        # No player wants Debian's packages, and thousands start.
        return start([*prefix, PYTHON, "-S", script], env, kind=Player, **kw)

    return player


@pytest.fixture
def where():
    """The command prefix of the usual players; a file may say another."""
    return []


@pytest.fixture
def owner(player, where):
    return player(prefix=where)


@pytest.fixture
def other(player, where):
    return player(prefix=where)


@pytest.fixture
def server(other):
    """A listening socket of the other's."""
    server = other.tcp()
    server.bind(27000, "0.0.0.0")
    server.listen()
    return server


@pytest.fixture
def is_free(player, where):
    """is_free(start, count): can another process reserve these TCP ports?"""
    judge = player(prefix=where)

    def is_free(start, count):
        with judge.tcp() as sock:
            try:
                sock.acquire(start, count)
            except OSError as error:
                assert error.errno == errno.EADDRINUSE
                return False
            return True

    return is_free
