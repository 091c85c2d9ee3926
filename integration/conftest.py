"""Fixtures: the built artefacts, a pool of its own for each test, programs."""

import errno
import functools
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SILENCE = 60

# A shell without job control starts what runs in the background with this one
# ignored, and so would be what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

sys.path.insert(0, str(ROOT / "integration"))

import checkers  # noqa: E402 (found where that says)


# Storms and matrices: minutes, not seconds. `make check-long` runs them too.
LONG = {
    "test_kill.py",
    "test_lifetime_matrix.py",
    "test_race.py",
    "test_signals.py",
    "test_storm.py",
    "test_threads.py",
}


def pytest_ignore_collect(collection_path, config):
    if collection_path.name in LONG and not config.getoption("--long"):
        return True
    return None


LONG_TESTS = {
    "test_a_hundred_deaths_on_a_machine_that_has_much_to_do",
    "test_handing_over_for_ever",
    "test_hundreds_of_tests_beside_a_grabber",
    "test_hundreds_of_tests_in_four_workers",
}


def pytest_collection_modifyitems(config, items):
    checkers.choose(items, config)
    if config.getoption("--long"):
        return
    long = [item for item in items if item.name in LONG_TESTS]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item.name not in LONG_TESTS]


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the long tests too")
    parser.addoption(
        "--build-dir",
        default=str(ROOT / "build"),
        help="where libportres.so, include/ and lib/ were built",
    )
    parser.addoption(
        "--under",
        default="",
        help="a command for C and C++ programs, as 'valgrind -q "
        "--error-exitcode=99'; {root} is the directory of the sources",
    )


@pytest.fixture(scope="session")
def under(request):
    """The command that compiled programs are run by, if any."""
    words = shlex.split(request.config.getoption("--under"))
    return [word.replace("{root}", str(ROOT)) for word in words]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def build(request):
    """Where LD_PRELOAD can say it: elsewhere, if its own path has a blank or a
    colon. The tests that want such a path make one."""
    path = request.config.invocation_params.dir / request.config.getoption("--build-dir")
    assert (path / "libportres.so").exists(), "run make first"
    if not re.search("[ :$]", str(path)):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="portres-build-") as where:
        os.chmod(where, 0o755)
        copy = pathlib.Path(where, path.name)
        unused = shutil.ignore_patterns("tests", "bench")
        shutil.copytree(path, copy, symlinks=True, ignore=unused)
        yield copy


@pytest.fixture
def pool(tmp_path):
    """A pool directory that only this test uses."""
    path = tmp_path / "pool"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def shim_env(build, pool):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PORTRES_")}
    env["LD_PRELOAD"] = " ".join([*checkers.runtimes(build),
                                  str(build / "libportres.so")])
    env.update(checkers.OPTIONS)
    env["PORTRES_POOL"] = str(pool)
    env["PYTHONPATH"] = str(ROOT / "integration")
    return env


@pytest.fixture
def compile_program(build, tmp_path):
    """compile_program(source, name, lang='c', flags=[]) -> path of a program.

    `source` is a path or the text of a program; it sees the public headers
    and link names only.
    """

    def compile_program(source, name, lang="c", flags=()):
        suffix = {"c": ".c", "c++": ".cpp"}[lang]
        if not isinstance(source, pathlib.Path):
            path = tmp_path / (name + suffix)
            path.write_text(source)
            source = path
        out = tmp_path / name
        compiler = {"c": "gcc", "c++": "g++"}[lang]
        subprocess.run(
            [compiler, f"-I{build}/include", str(source), "-o", str(out)]
            + checkers.flags(build)
            + list(flags)
            + [f"-L{build}/lib", "-lws2_32", "-liphlpapi"],
            check=True,
        )
        return out

    return compile_program


@pytest.fixture
def behind(shim_env, tmp_path):
    """behind(source) -> an environment with a library of that C text behind
    ours, where libc would be."""

    def behind(source):
        (tmp_path / "behind.c").write_text(source)
        subprocess.run(
            ["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "behind.c", "-o", "behind.so"],
            cwd=tmp_path,
            check=True,
        )
        preload = f"{shim_env['LD_PRELOAD']} {tmp_path}/behind.so"
        return {**shim_env, "LD_PRELOAD": preload}

    return behind


@pytest.fixture
def run(shim_env, under):
    """run(program, *arguments, env=shim_env) -> how it ended, what it said."""

    def run(program, *arguments, env=shim_env, text=True):
        return subprocess.run(
            [*under, str(program), *[a if isinstance(a, bytes) else str(a)
                                     for a in arguments]],
            env=env, capture_output=True, text=text, check=False, timeout=60)

    return run


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
def reachable(build, root):
    """Copies of what other users start, where they can reach it: the checkout may
    be in /root."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="portres-test-"))
    top.chmod(0o755)
    for file in (build / "libportres.so", build / "portres", root / "integration/player.py",
                 root / "integration/portio.py"):
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
def player(start, root, request):
    """player() -> a preloaded python that plays socket calls: see player.py. With
    user= it is another user's."""

    def player(env=None, prefix=(), **kw):
        script = root / "integration" / "player.py"
        if "user" in kw:
            script = request.getfixturevalue("reachable") / "player.py"
            env = request.getfixturevalue("reachable_env") if env is None else env
            kw.setdefault("cwd", "/")
        return start([*prefix, "/usr/bin/python3", script], env, **kw)

    return player


LOOPBACK_UP = """
import fcntl, socket, struct
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
print("up", flush=True)
input()
"""


@functools.lru_cache(maxsize=None)
def works(*command):
    """Does this command work here? Asked of the command, not of who we are: a
    container's root may have no rights, and an ordinary user some."""
    bare = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    try:
        return subprocess.run(command, env=bare, stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=60).returncode == 0
    except FileNotFoundError:
        return False


RIGHTS = {
    "make a network namespace": ["unshare", "-n", "true"],
    "mount": ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/tmp"],
    "make a pid namespace": ["unshare", "--pid", "--fork", "--mount-proc", "true"],
    "make a user namespace": ["unshare", "-r", "true"],
    "become another user": ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "true"],
}


@pytest.fixture
def need():
    """need("mount"): skips the test where that right is missing."""
    def need(*rights):
        for right in rights:
            if not works(*RIGHTS[right]):
                pytest.skip(f"needs the right to {right}")

    return need


def list_is_lacking(protocol):
    """Does the kernel know nobody who lists these sockets? Then it says ENOENT, at
    once or where the list ends."""
    request = struct.pack("=IHHII4BI48x", 72, 20, 0x301, 0, 0, socket.AF_INET, protocol, 0, 0, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as s:  # NETLINK_SOCK_DIAG
            s.send(request)
            answer = s.recv(8192)
    except OSError as error:
        return error.errno == errno.EPROTONOSUPPORT
    (kind,) = struct.unpack_from("=H", answer, 4)
    return kind in (2, 3) and struct.unpack_from("=i", answer, 16)[0] == -errno.ENOENT


@pytest.fixture
def socket_list():
    """Skips the test where the kernel has none."""
    if list_is_lacking(socket.IPPROTO_TCP) or list_is_lacking(socket.IPPROTO_UDP):
        pytest.skip("the kernel lists no sockets: no tcp_diag or no udp_diag")


@pytest.fixture
def namespace(start, need):
    """A command prefix: runs in a network namespace that this test made, with
    every port of it free; below a user namespace where that takes one."""
    own = ["-n"] if works(*RIGHTS["make a network namespace"]) else ["-r", "-n"]
    if not works("unshare", *own, "true"):
        need("make a network namespace")
    bare = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    holder = start(["unshare", *own, "/usr/bin/python3", "-c", LOOPBACK_UP], bare)
    assert holder.line() == "up"
    place = f"/proc/{holder.pid}/ns"
    if "-r" in own:
        return ["nsenter", f"--user={place}/user", "--preserve-credentials", f"--net={place}/net"]
    return ["nsenter", f"--net={place}/net"]


@pytest.fixture(scope="session")
def has():
    return shutil.which
