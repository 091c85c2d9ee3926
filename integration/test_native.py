# SPDX-License-Identifier: MIT
"""The functions of portres.h, from C: what each does, and each documented error."""

import fcntl
import os
import pathlib
import resource
import select
import signal
import socket

import pytest

TCP, UDP, SCTP = 6, 17, 132
NOWAIT = 1
NOT_OURS, RESERVED, IN_USE, EXHAUSTED = range(4)


class Program:
    """native.c under the library: program("bind", fd, port) -> what it says."""

    def __init__(self, running):
        self.running = running
        self.pid = running.pid

    def __call__(self, *words):
        said = self.running.ask(" ".join(map(str, words)))
        return int(said) if said.isdigit() else said

    @property
    def name(self):
        """As its blocks have it: a checker's own, where one runs it."""
        return pathlib.Path(f"/proc/{self.pid}/comm").read_text().rstrip("\n")

    def interrupted(self, *words):
        """The same call, while signals come that have a handler."""
        self.running.tell(" ".join(map(str, words)))
        for _ in range(500):
            os.kill(self.pid, signal.SIGUSR1)
            if select.select([self.running.popen.stdout], [], [], 0.01)[0]:
                break
        return self.running.line()

    def tcp(self):
        return self("socket", socket.AF_INET, socket.SOCK_STREAM)

    def udp(self):
        return self("socket", socket.AF_INET, socket.SOCK_DGRAM)

    def block(self, fd, start, count):
        said = self("acquire", fd, start, count, 0).split()
        assert said[:2] == [str(start), str(count)] and int(said[2]) > 0
        return int(said[2])

    def why(self):
        error, *numbers, command = self("why").split(" ")
        return (error, *map(int, numbers), command)


NOTHING = ("0", NOT_OURS, 0, 0, 0, 0, 0, "")


@pytest.fixture
def native(compile_program, start, root, under):
    programs = []

    def native(prefix=(), **kw):
        if not programs:
            programs.append(compile_program(
                root / "integration/programs/native.c", "native",
                flags=["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                       "-lportres"]))
        return Program(start([*prefix, *under, programs[0]], **kw))

    return native


@pytest.fixture
def busy(pool):
    """The pool as somebody else has it: a lock on its file."""

    class Busy:
        def __enter__(self):
            (path,) = pool.glob("pool-*")
            self.fd = os.open(path, os.O_RDWR)
            fcntl.flock(self.fd, fcntl.LOCK_EX)

        def __exit__(self, *_):
            os.close(self.fd)

    return Busy()


def test_acquire_associate_release(native):
    one, two = native(), native()
    owner, sock, other = one.tcp(), one.tcp(), two.tcp()
    token = one.block(owner, 25000, 3)
    assert two("bind", other, 25001) == "EADDRINUSE"
    assert one("associate", sock, token, 0) == 0
    assert one("bind", sock, 0) == 25000
    assert one("release", owner, token, 0) == 0
    assert two("bind", other, 25001) == 25001
    start, count, token = map(int, one("acquire", owner, 0, 5, 0).split())
    assert start > 0 and count == 5 and token > 0


def test_two_protocols(native):
    one = native()
    token = one.block(one.udp(), 25000, 1)
    assert one.block(one.tcp(), 25000, 1) != token
    for call in "associate", "release":
        assert one(call, one.tcp(), token, 0) == "EINVAL"
        assert one(call, one.udp(), token, 0) == 0


@pytest.mark.parametrize("call", ["acquire", "release", "associate"])
def test_errors_that_all_three_have(native, busy, call):
    one = native()
    token = one.block(one.tcp(), 25000, 1)
    rest = (25010, 1) if call == "acquire" else (token,)
    assert one(call, 99, *rest, 0) == "EBADF"
    assert one(call, 0, *rest, 0) == "ENOTSOCK"
    local = one("socket", socket.AF_UNIX, socket.SOCK_STREAM)
    assert one(call, local, *rest, 0) == "EOPNOTSUPP"
    assert one(call, one.tcp(), *rest, 4) == "EINVAL"  # no such flag
    fd = one.tcp()
    with busy:
        assert one(call, fd, *rest, NOWAIT) == "EAGAIN"
    said = one(call, fd, *rest, NOWAIT)
    assert said == 0 or said.startswith("25010 1 ")


@pytest.mark.parametrize("call", ["acquire", "release", "associate"])
def test_a_wait_that_a_handler_ends(native, busy, call):
    one = native()
    token = one.block(one.tcp(), 25000, 1)
    fd = one.tcp()
    rest = (25010, 1) if call == "acquire" else (token,)
    with busy:
        assert one.interrupted(call, fd, *rest, 0) == "EINTR"


def test_a_wait_ends_by_itself(native, busy):
    one = native()
    token = one.block(one.tcp(), 25000, 1)
    with busy:
        assert one("release", one.tcp(), token, 0) == "ENETDOWN"


def test_without_a_pool(native, shim_env, tmp_path):
    one = native(env={**shim_env, "PORTRES_POOL": str(tmp_path / "none")})
    assert one("acquire", one.tcp(), 25000, 1, 0) == "ENETDOWN"
    assert one("release", one.tcp(), 2, 0) == "ENETDOWN"
    assert one("associate", one.tcp(), 2, 0) == "ENETDOWN"
    assert one("create", TCP, 25000, 1) == "ENETDOWN"
    assert one("delete", TCP, 25000, 1) == "ENETDOWN"
    assert one("find", TCP, 25000, 1) == "ENETDOWN"


def test_without_descriptors(native):
    one = native()
    fd, other = one.tcp(), one.tcp()
    token = one.block(fd, 25000, 1)
    resource.prlimit(one.pid, resource.RLIMIT_NOFILE, (other + 1, 99))
    assert one("acquire", fd, 25010, 1, 0) == "EMFILE"
    assert one("associate", other, token, 0) == "EMFILE"
    assert one("create", TCP, 25020, 1) == "EMFILE"
    assert one("delete", TCP, 25020, 1) == "EMFILE"
    assert one("find", TCP, 25020, 1) == "EMFILE"


def test_acquire_errors(native):
    one = native()
    fd = one.tcp()
    one.block(fd, 25000, 2)
    assert one("acquire", fd, 25001, 5, 0) == "EADDRINUSE"
    assert one("acquire", fd, 25000, 0, 0) == "EINVAL"
    assert one("acquire", fd, 65535, 2, 0) == "EINVAL"
    assert one("acquire", fd, 0, 65535, 0) == "ENOBUFS"
    assert one("wild", "acquire", fd) == "EFAULT"


def test_release_errors(native):
    one, two = native(), native()
    token = one.block(one.tcp(), 25000, 1)
    assert two("release", two.tcp(), token, 0) == "EINVAL"
    assert one("release", one.tcp(), 0, 0) == "EINVAL"
    assert one("release", one.tcp(), token + 2, 0) == "EINVAL"
    persistent = one("create", TCP, 25010, 1)
    assert one("release", one.tcp(), persistent, 0) == "EINVAL"
    assert one("release", one.tcp(), token, 0) == 0
    assert one("release", one.tcp(), token, 0) == "EINVAL"


def test_associate_errors(native):
    one, two = native(), native()
    token = one.block(one.tcp(), 25000, 2)
    assert two("associate", two.tcp(), token, 0) == "EACCES"
    assert two.why() == ("EACCES", RESERVED, 0, 25000, 2, 0, one.pid, one.name)
    fd = one.tcp()
    assert one("bind", fd, 0) > 0
    assert one("associate", fd, token, 0) == "EINVAL"
    assert one("associate", one.tcp(), 0, 0) == "EINVAL"
    assert one("associate", one.tcp(), token + 2, 0) == "EINVAL"


def test_more_associated_sockets_than_a_process_keeps(native):
    one = native()
    try:
        resource.prlimit(one.pid, resource.RLIMIT_NOFILE, (20000, 20000))
    except PermissionError:
        pytest.skip("may not raise RLIMIT_NOFILE")
    token = one.block(one.tcp(), 25000, 1)
    said, error = one("crowd", token, 19000).split()
    assert 10000 < int(said) < 19000 and error == "ENOBUFS"


def test_a_full_pool(native):
    one = native()
    assert one("fill") == "8192 ENOBUFS"
    assert one("create", UDP, 999, 1) == "ENOBUFS"


def test_persistent_blocks(native):
    one, two = native(), native()
    token = one("create", TCP, 25000, 3)
    assert token > 0
    assert two("find", TCP, 25000, 3) == token
    assert one("find", UDP, 25000, 3) == "ENOENT"
    assert one("find", TCP, 25000, 2) == "ENOENT"
    assert two("bind", two.tcp(), 25002) == "EADDRINUSE"
    assert two.why() == ("EADDRINUSE", RESERVED, 25002, 25000, 3, 1, 0, "")
    fd = two.tcp()
    assert two("associate", fd, token, 0) == 0
    assert two("bind", fd, 0) == 25000
    assert one("delete", TCP, 25000, 2) == "ENOENT"
    assert one("delete", UDP, 25000, 3) == "ENOENT"
    assert one("delete", TCP, 25000, 3) == 0
    assert one("delete", TCP, 25000, 3) == "ENOENT"


@pytest.mark.parametrize("call", ["create", "delete", "find"])
def test_persistent_blocks_that_are_none(native, call):
    one = native()
    assert one(call, TCP, 0, 1) == "EINVAL"
    assert one(call, TCP, 25000, 0) == "EINVAL"
    assert one(call, TCP, 65535, 2) == "EINVAL"
    assert one(call, SCTP, 25000, 1) == "EINVAL"


def test_create_errors(native):
    one = native()
    one.block(one.udp(), 25000, 3)
    assert one("create", UDP, 25002, 5) == "EADDRINUSE"
    assert one.why() == ("EADDRINUSE", RESERVED, 25002, 25000, 3, 0, one.pid,
                         one.name)
    port = one("bind", one.udp(), 0)
    assert one("create", UDP, port, 1) == "EADDRINUSE"
    assert one.why()[:3] == ("EADDRINUSE", IN_USE, port)
    # Nothing is left of one that nobody could be told of.
    assert one("wild", "create") == "EFAULT"
    token = one("create", TCP, 25900, 1)
    assert token > 0
    assert one("wild", "find") == "EFAULT"


def test_without_the_right_to_the_store(native, need, pool, let_in, reachable_env):
    need("become another user")
    token = native()("create", TCP, 25000, 1)
    let_in(pool)
    for file in (pool, *pool.glob("pool-*")):
        os.chown(file, 0, 65534)
        os.chmod(file, 0o755 if file == pool else 0o664)
    nobody = native(env=reachable_env, user=65534, group=65534, cwd="/")
    assert nobody("find", TCP, 25000, 1) == token
    assert nobody("create", TCP, 25010, 1) == "EACCES"
    assert nobody("delete", TCP, 25000, 1) == "EACCES"
    fd = nobody.tcp()
    assert nobody("associate", fd, token, 0) == "EACCES"
    assert nobody.why() == ("EACCES", RESERVED, 0, 25000, 1, 1, 0, "")
    assert nobody("delete", TCP, 25000, 1) == "EACCES"
    assert nobody.why() == NOTHING
    assert nobody("associate", fd, token + 2, 0) == "EINVAL"


def test_a_store_that_is_mounted_read_only(native, need, shim_env, tmp_path):
    need("mount")
    (tmp_path / "state").mkdir()
    env = {k: v for k, v in shim_env.items() if k != "PORTRES_POOL"}
    one = native(env={**env, "XDG_STATE_HOME": str(tmp_path / "state")}, prefix=[
        "unshare", "-m", "sh", "-c",
        "mount -t tmpfs shm /dev/shm && mount -t tmpfs run /run"
        ' && mount -t tmpfs -o ro state "$0" && exec "$@"', tmp_path / "state"])
    assert one("bind", one.tcp(), 0) > 0
    assert one("create", TCP, 25000, 1) == "EACCES"
    assert one("delete", TCP, 25000, 1) == "EACCES"


def test_a_store_that_is_none(native, pool):
    (pool / "persistent").mkdir()
    one = native()
    assert one("create", TCP, 25000, 1) == "EMEDIUMTYPE"
    assert one("delete", TCP, 25000, 1) == "EMEDIUMTYPE"
    assert one("bind", one.tcp(), 25000) == 25000


def test_why_a_bind_was_refused(native):
    one, two = native(), native()
    one.block(one.tcp(), 25000, 3)
    assert two("bind", two.tcp(), 25001) == "EADDRINUSE"
    assert two.why() == ("EADDRINUSE", RESERVED, 25001, 25000, 3, 0, one.pid,
                         one.name)
    assert two("wild", "why") == "EFAULT"


def test_why_an_acquire_was_refused(native):
    one, two = native(), native()
    one.block(one.tcp(), 25002, 3)
    assert two("acquire", two.tcp(), 25000, 9, 0) == "EADDRINUSE"
    assert two.why() == ("EADDRINUSE", RESERVED, 25002, 25002, 3, 0, one.pid,
                         one.name)
    assert one("bind", one.tcp(), 25011) == 25011
    assert two("acquire", two.tcp(), 25010, 2, 0) == "EADDRINUSE"
    assert two.why() == ("EADDRINUSE", IN_USE, 25011, 0, 0, 0, 0, "")


@pytest.mark.parametrize("call", ["bind", "listen", "connect", "send"])
def test_why_an_exhausted_block_refuses(native, call):
    one = native()
    make = one.udp if call == "send" else one.tcp
    token = one.block(make(), 25000, 1)
    first, second = make(), make()
    for fd in first, second:
        assert one("associate", fd, token, 0) == 0
    assert one("bind", first, 0) == 25000
    port = 0 if call == "bind" else 25999
    assert one(call, second, port) == "EADDRINUSE"
    assert one.why()[:2] == ("EADDRINUSE", EXHAUSTED)


def test_the_kernels_own_refusals_have_no_reason(native):
    """Also right after one of ours with the same errno."""
    one, two = native(), native()
    one.block(one.tcp(), 25000, 1)
    port = one("bind", one.tcp(), 0)
    for _ in range(2):
        fd = two.tcp()
        assert two("bind", fd, port) == "EADDRINUSE"
        assert two.why() == NOTHING
        assert two("bind", fd, 25000) == "EADDRINUSE"
        assert two.why()[1] == RESERVED
    local = [two("socket", socket.AF_UNIX, socket.SOCK_STREAM) for _ in "ab"]
    assert two("local", local[0]) == 0
    assert two("bind", fd, 25000) == "EADDRINUSE"
    assert two("local", local[1]) == "EADDRINUSE"
    assert two.why() == NOTHING
    assert two("associate", two.tcp(), one.block(one.tcp(), 25010, 1), 0) == "EACCES"
    assert two("shout", two.udp()) == "EACCES"
    assert two.why() == NOTHING
    # Another errno is another call's.
    assert two("bind", fd, 25000) == "EADDRINUSE"
    assert two("close", 99) == "EBADF"
    assert two.why() == NOTHING


def test_an_ioctl_is_explained_too(native):
    one, two = native(), native()
    token = one.block(one.tcp(), 25000, 2)
    assert two("ioctl", two.tcp(), token) == "EACCES"
    assert two.why()[:2] == ("EACCES", RESERVED)
