# SPDX-License-Identifier: MIT
"""A guard of a test's own: in a network namespace and a cgroup that it made, never
at the root."""

import contextlib
import ctypes
import errno
import functools
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time
import uuid

import pytest

import portio
from kits.books import Books
from kits.playing import PYTHON, Player, attempt
from kits.rights import LOOPBACK_UP

ENTER = 'echo $$ >"$1"/cgroup.procs && shift && exec "$@"'


def cgroup2():
    """Where those of version 2 are mounted, or None."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(place)
    return None


class Arena:
    """A cgroup, and a network and a mount namespace, that end with the test."""

    def __init__(self, start, env, build, scripts, cgroup):
        self.env, self.build, self.cgroup, self.start = env, build, cgroup, start
        self.scripts = scripts
        # No guard of another test is pinned there, and none stays.
        self.holder = start(["unshare", "-n", "-m", "sh", "-c",
                             'mount -t bpf bpf /sys/fs/bpf; exec "$@"', "sh",
                             PYTHON, "-c", LOOPBACK_UP], env)
        assert self.holder.line() == "up"
        place = f"/proc/{self.holder.pid}/ns"
        # The root too, and a directory in it: these tests may be run in a chroot, and
        # the mount namespace leads out of it.
        self.outside = ["nsenter", f"--net={place}/net", f"--mount={place}/mnt",
                        f"--root=/proc/{self.holder.pid}/root", "--wdns=/"]
        self.inside = self.within(cgroup)

    def within(self, cgroup):
        """The command prefix of what runs there."""
        return ["sh", "-c", ENTER, "sh", str(cgroup), *self.outside]

    def portres(self, *words, status=0, env=None, prefix=(), cautions=False, **kw):
        """What the command says, on stdout or, if it fails, in one line on stderr. With
        cautions= it may say more there."""
        where = self.outside if words[0] == "guard" else self.inside
        run = subprocess.run(
            [*where, *prefix, self.build / "portres", *map(str, words)],
            env=self.env if env is None else env, capture_output=True, text=True, check=False,
            timeout=120, **kw)
        assert run.returncode == status, (run.returncode, run.stdout, run.stderr)
        if status == 0:
            assert cautions or run.stderr == ""
            return run.stdout + run.stderr
        assert run.stderr.startswith("portres: ") and run.stderr.count("\n") == 1, run.stderr
        return run.stderr

    def on(self, *words, **kw):
        return self.portres("guard", "on", "--cgroup", self.cgroup, *words, **kw)

    def off(self, *words, **kw):
        return self.portres("guard", "off", "--cgroup", self.cgroup, *words, **kw)

    def status(self):
        found = json.loads(self.portres("guard", "status", "--cgroup", self.cgroup, "--json"))
        return found[0] if found else None

    def player(self, env=None, prefix=None, **kw):
        """A program that has no library, unless `env` says so."""
        return self.start([*(self.inside if prefix is None else prefix), PYTHON, "-S",
                           self.scripts / "player.py"],
                          self.env if env is None else env, kind=Player, cwd="/", **kw)

    def user(self, *prefix, **kw):
        """One that these words start, as another user."""
        return self.player(prefix=[*self.inside, *prefix], **kw)


def lacks(build):
    """Why no guard can be tested here, or None."""
    if os.geteuid() != 0:
        return "a guard is root's"
    if not pathlib.Path("/sys/kernel/btf/vmlinux").exists():
        return "the kernel does not describe its types (BTF)"
    if not cgroup2():
        return "no cgroups of version 2"
    said = subprocess.run([build / "portres", "guard", "status"], capture_output=True, text=True,
                          check=False)
    if said.returncode:
        return said.stderr.strip()
    return None


MAY_NOT_LOAD = "may not load programs into the kernel"
BPF = 321 if os.uname().machine == "x86_64" else 280  # the call's number
REFUSES_WITH_EADDRINUSE = struct.pack(
    "=BBhiBBhiBBhiBBhi",
    0xb7, 1, 0, -errno.EADDRINUSE,  # r1 = -EADDRINUSE
    0x85, 0, 0, 187,  # bpf_set_retval(r1)
    0xb7, 0, 0, 0,  # r0 = 0: refuse
    0x95, 0, 0, 0)  # return


@functools.lru_cache(maxsize=None)
def kernel_lacks():
    """Why this kernel takes no guard, or None. The newest of what a guard needs
    decides, asked for without the guard, whose mistakes are no reason to skip."""
    code = ctypes.create_string_buffer(REFUSES_WITH_EADDRINUSE)
    licence = ctypes.create_string_buffer(b"GPL")
    attributes = struct.pack("=IIQQ", 18, 4, ctypes.addressof(code), ctypes.addressof(licence))
    attributes = attributes.ljust(68, b"\0") + struct.pack("=I", 8)  # of a sock_addr, for bind4
    libc = ctypes.CDLL(None, use_errno=True)
    program = libc.syscall(BPF, 5, attributes, len(attributes))
    if program >= 0:
        os.close(program)
        return None
    if ctypes.get_errno() in (errno.EPERM, errno.EACCES):
        return MAY_NOT_LOAD
    return "the kernel lets no program say why a bind is refused (bpf_set_retval)"


def end_cgroup(cgroup):
    """With what runs in it, such as children of what a test has killed."""
    for below in cgroup.iterdir():
        if below.is_dir():
            end_cgroup(below)
    for _ in range(1000):
        for pid in (cgroup / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        try:
            return cgroup.rmdir()
        except OSError as error:
            assert error.errno == errno.EBUSY
        time.sleep(0.01)
    return pytest.fail(f"{cgroup} does not end")


@pytest.fixture(scope="session")
def under_a_guard():
    """Has the kernel a guard over the tests themselves?"""
    with socket.socket() as asks:
        return attempt(portio.guard, asks, "query", 1, 1, 1) != "ENOPROTOOPT"


@pytest.fixture(scope="session")
def guarded_place(under_a_guard):
    """The cgroup of elsewhere.sh, in which the whole suite is guarded, or None: another
    guard is the machine's, and may have blocks of others."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        if under_a_guard and line.startswith("0::/portres-check-"):
            return cgroup2() / line[4:]
    return None


def held(build, cgroup):
    """What its guard says if it has a block, or None."""
    said = subprocess.run(
        [build / "portres", "guard", "status", "--json", "--cgroup", cgroup],
        capture_output=True, text=True, check=True).stdout
    return said if json.loads(said)[0]["blocks"] else None


@pytest.fixture(autouse=True)
def nothing_stays_in_the_guard(build, guarded_place):
    """Where the whole suite is guarded, each test gives its blocks back; what it has
    killed is still about to end."""
    yield
    said = held(build, guarded_place) if guarded_place else None
    for _ in range(1000):
        if not said:
            return
        time.sleep(0.01)
        said = held(build, guarded_place)
    pytest.fail(said)


def lines_of(store):
    """(protocol, start, count) of each that makes sense."""
    for line in store.read_text(errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            protocol, start, count = line.split()
            yield ["tcp", "udp"].index(protocol), int(start), int(count)


@pytest.fixture
def forget_persistent(under_a_guard):
    """forget_persistent(directory): a guard has persistent blocks until it is told
    otherwise, and where the whole suite is guarded they are in other tests' way."""

    def forget(directory):
        if not under_a_guard:
            return
        blocks = set()
        for pool in directory.rglob("pool-*"):
            with contextlib.suppress(AssertionError, OSError, ValueError):
                blocks.update(Books(pool.parent).persistent)
        for store in directory.rglob("persistent"):
            if store.is_file():
                blocks.update(lines_of(store))
        for protocol, start, count in blocks:
            with contextlib.suppress(OSError, struct.error):
                with socket.socket(type=(socket.SOCK_STREAM, socket.SOCK_DGRAM)[protocol]) as one:
                    portio.guard(one, "drop", 1, start, count)

    return forget


@pytest.fixture
def bare_arena(start, bare_env, build, reachable, need):
    """One of its own, not guarded yet; the kernel may lack what that takes."""
    reason = lacks(build)
    if reason:
        pytest.skip(reason)
    if kernel_lacks() == MAY_NOT_LOAD:
        pytest.skip(MAY_NOT_LOAD)
    need("make a network namespace", "mount")
    cgroup = cgroup2() / f"portres-test-{uuid.uuid4().hex}"
    try:
        cgroup.mkdir()
    except OSError as error:
        pytest.skip(f"may not make a cgroup: {error}")
    arena = Arena(start, {**bare_env, "PYTHONPATH": str(reachable)}, build, reachable, cgroup)
    yield arena
    arena.status() and arena.off("--force")
    # The fixture `start` ends its programs later.
    for program in start.running:
        program.close()
    end_cgroup(cgroup)


@pytest.fixture
def able_kernel():
    """Skips the test where the kernel lacks what a guard takes."""
    if kernel_lacks():
        pytest.skip(kernel_lacks())


@pytest.fixture
def arena(able_kernel, bare_arena):
    return bare_arena


@pytest.fixture
def guarded(arena):
    arena.on()
    return arena
