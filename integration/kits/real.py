# SPDX-License-Identifier: MIT
"""Programs from Debian's packages, each on a block that `portres run` gave it."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from kits.playing import attempt

PATIENCE = 60


def until(true, what):
    """Asks again and again; servers say when they are ready by answering."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        os.sched_yield()


def send(process, number):
    """Sends a signal that the process has a handler for, once it has."""
    bit = 1 << (number - 1)

    def listens():
        with open(f"/proc/{process.pid}/status") as file:
            masks = dict(line.split(":", 1) for line in file)
        return int(masks["SigCgt"], 16) & bit and not int(masks["SigBlk"], 16) & bit

    until(listens, f"no handler for signal {number}")
    process.send_signal(number)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True


def ask(port, text):
    """The answer, until the peer closes or has nothing more to say."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
        peer.sendall(text.encode())
        peer.shutdown(socket.SHUT_WR)
        parts = []
        while part := peer.recv(65536):
            parts.append(part)
        return b"".join(parts).decode()


def needed(program):
    """Its path; the test is skipped where it is not installed."""
    for directory in ["/usr/sbin", "/usr/lib/postgresql/15/bin", *os.get_exec_path()]:
        path = pathlib.Path(directory, program)
        if os.access(path, os.X_OK):
            return path
    return pytest.skip(f"needs {program}: see tests/packages")


class Server:
    """A process group with a block of three ports, of which it uses the first, and
    two tests the second."""

    def __init__(self, popen, ports):
        self.popen = popen
        self.port, self.spare, self.unused = ports

    def kill_all(self):
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()
        self.popen.stdout.close()


@pytest.fixture
def place(build):
    """A folder that every user can reach, with a pool, the command and the
    library, as they would be installed."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="portres-real-"))
    top.chmod(0o755)
    for name in ("portres", "libportres.so"):
        shutil.copy(build / name, top / name)
    (top / "pool").mkdir(mode=0o700)
    (top / "data").mkdir(mode=0o755)
    yield top
    shutil.rmtree(top)


@pytest.fixture
def real_env(place, shim_env, own_wildcard):
    return {
        **shim_env,
        **own_wildcard,
        "PORTRES_POOL": str(place / "pool"),
        "LD_PRELOAD": str(place / "libportres.so"),
        "HOME": str(place / "data"),
    }


# The ports are known only inside, so a configuration says PORT for the first.
BEGIN = """
echo $PORTRES_PORTS
[ ! -e config ] || sed -i s/PORT/$PORTRES_PORT/ config
exec "$@"
"""


@pytest.fixture
def serve(place, real_env):
    """serve(*command) -> a Server that answers on its first port. The command's
    {1} and {2} are the first ports; `config` becomes a file of that name."""
    running = []

    def serve(*command, ready=answers, config=None):
        if config:
            (place / "data/config").write_text(config)
        popen = subprocess.Popen(
            [place / "portres", "run", "--tcp", "3", "--", "sh", "-c", BEGIN, "sh"]
            + list(map(str, command)),
            env=real_env,
            cwd=place / "data",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        server = Server(popen, map(int, popen.stdout.readline().split()))
        running.append(server)
        until(lambda: popen.poll() is not None or ready(server.port), "no answer")
        assert popen.poll() is None, f"ended with {popen.returncode}"
        return server

    yield serve
    for server in running:
        server.kill_all()


@pytest.fixture
def check(player, real_env):
    """check(server): a stranger is refused what the block has, until the whole
    group of the server is killed."""
    stranger = player(real_env)

    def bind(port):
        with stranger.tcp() as sock:
            return attempt(sock.bind, port)

    def is_free(port):
        with stranger.tcp() as sock:
            return attempt(sock.acquire, port, 3) != "EADDRINUSE"

    def check(server):
        # Nobody was ever bound to the third: only the reservation refuses it.
        assert bind(server.port) == bind(server.unused) == "EADDRINUSE"
        assert not is_free(server.port)
        server.kill_all()
        until(lambda: is_free(server.port), "the block is not free")
        assert bind(server.unused) == server.unused

    return check


@pytest.fixture
def as_user(place, need):
    """as_user(name) -> a command prefix; the user may use the pool."""
    need("become another user")

    def as_user(name):
        user = pwd.getpwnam(name)
        os.chown(place / "pool", 0, user.pw_gid)
        (place / "pool").chmod(0o2770)
        os.chown(place / "data", user.pw_uid, user.pw_gid)
        return [needed("setpriv"), "--reuid", name, "--regid", name, "--init-groups"]

    return as_user
