# SPDX-License-Identifier: MIT
"""Rights that tests need, and a network namespace of a test's own."""

import errno
import functools
import os
import pathlib
import socket
import struct
import subprocess
import tempfile

import pytest

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
    "change the root directory": ["unshare", "--root=/", "true"],
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


@pytest.fixture(scope="session")
def let_in(tmp_path_factory):
    """let_in(path): others may enter it and what leads to it. Pytest makes these with
    mode 0700; the directories around them are the machine's."""
    base = tmp_path_factory.getbasetemp()
    usual = pathlib.Path(tempfile.gettempdir())

    def let_in(path):
        for part in path, *path.parents:
            if part.is_relative_to(base) or part != usual and part.is_relative_to(usual):
                part.chmod(0o755)

    return let_in


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
