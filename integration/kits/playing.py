# SPDX-License-Identifier: MIT
"""Programs that a test talks to: any, and players."""

import os
import pathlib
import select
import shutil
import subprocess
import tempfile

import pytest

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

    def line(self):
        """The next line of its output; a silent program fails the test."""
        out = self.popen.stdout
        while b"\n" not in self.unread:
            ready, _, _ = select.select([out], [], [], SILENCE)
            assert ready, f"no line within {SILENCE} s"
            more = os.read(out.fileno(), 65536)
            assert more, f"ended with {self.popen.wait()} instead of a line"
            self.unread += more
        line, _, self.unread = self.unread.partition(b"\n")
        return line.decode()

    def tell(self, line):
        self.popen.stdin.write(line.encode() + b"\n")

    def ask(self, line):
        self.tell(line)
        return self.line()

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


@pytest.fixture
def start(shim_env):
    """start(args, env=shim_env) -> Program, killed when the test ends."""
    running = []

    def start(args, env=None, **kw):
        program = Program(args, shim_env if env is None else env, **kw)
        running.append(program)
        return program

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
        return start([*prefix, PYTHON, script], env, **kw)

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
    other.ask("tcp('l')")
    assert other.ask("bind('l', 27000, '0.0.0.0')") == "27000"
    other.ask("S['l'].listen()")
    return 27000


@pytest.fixture
def token(owner):
    """A block of three UDP ports, and one of three TCP ports beside it."""
    owner.ask("udp('u')")
    owner.ask("tcp('t')")
    return {
        "udp": eval(owner.ask("acquire(S['u'], 26000, 3)"))[2],
        "tcp": eval(owner.ask("acquire(S['t'], 26000, 3)"))[2],
    }
