# SPDX-License-Identifier: MIT
"""The guard comes, goes and comes again while blocks live."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from errno import EADDRINUSE

import pytest

from kits.compiling import PROGRAMS
from kits.playing import attempt, held, refused

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture
def under_it(arena, shim_env, cli_env):
    """under_it() -> a player under the library."""
    arena.env = {**cli_env, "PYTHONPATH": str(arena.scripts)}

    def under_it(env=(), **kw):
        return arena.player(env={**shim_env, "PYTHONPATH": str(arena.scripts), **dict(env)}, **kw)

    return under_it


@pytest.fixture
def stranger(arena):
    return arena.player()


def test_blocks_that_live_are_the_guards(arena, under_it, stranger):
    """Those of several sockets and processes; a socket that was associated before
    binds, and what ends is let go."""
    owner = under_it()
    sock = owner.tcp()
    first, second = sock.acquire(26000, 3), sock.acquire(26010, 3)
    both = owner.udp()
    both.acquire(26000, 3)
    waiting, certain = owner.tcp(), owner.tcp()
    waiting.associate(first)
    certain.associate(second)
    assert not held(stranger, 26001)
    said = arena.on()
    assert "it has 3 blocks of running programs and 0 persistent ones" in said
    assert held(stranger, 26001) and held(stranger, 26011) and held(stranger, 26002, "udp")
    assert waiting.bind(0) == 26000
    assert certain.bind(26012) == 26012
    x = owner.tcp()
    x.associate(first)
    assert x.bind(0) == 26001
    sock.release(second)
    assert not held(stranger, 26011)
    owner.kill()
    assert not held(stranger, 26002) and arena.status()["blocks"] == 0


def test_a_block_of_a_process_that_forked(arena, under_it, stranger):
    """Its owner has ended, and a child has the socket."""
    owner = under_it()
    owner.tcp().acquire(26000, 3)
    owner.become_child()
    arena.on()
    assert held(stranger, 26001)
    assert arena.status()["blocks"] == 1


def test_of_other_users(arena, under_it, stranger, tmp_path, reachable_env):
    """His quota counts them."""
    user = arena.player(env={**reachable_env, "PORTRES_POOL": ""}, prefix=[*arena.inside, *NOBODY])
    user.tcp().acquire(26000, 30)
    said = arena.on("--quota", 40)
    assert "it has 1 blocks" in said
    assert held(stranger, 26029)
    thief = arena.user(*NOBODY)
    assert attempt(thief.tcp().guard, "acquire", 7, 27000, 11) == "ENOBUFS"
    thief.tcp().guarded(27000, 10)


@pytest.fixture
def go_server(tmp_path):
    if not shutil.which("go"):
        pytest.skip("no go here")
    out = tmp_path / "server"
    subprocess.run(["go", "build", "-o", out, PROGRAMS / "guard" / "server.go"], check=True,
                   env={**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"})
    return out


def test_heirs_are_heirs_afterwards(arena, under_it, start, stranger, go_server):
    """A program under `portres run` from before the guard starts a static server."""
    shell = start([*arena.inside, arena.build / "portres", "run", "--tcp", "26000+3", "sh", "-c",
                   f"echo ready; read x; exec {go_server} :26001"], arena.env)
    assert shell.line() == "ready"
    arena.on()
    assert held(stranger, 26000)
    shell.tell("go on")
    assert shell.line() == "listens 26001"


def bind_as_heir(port):
    """A child that has what is inherited, and no library. For a player."""
    env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    code = f"import socket; socket.socket().bind(('127.0.0.1', {port}))"
    subprocess = importlib.import_module("subprocess")
    return subprocess.run(["/usr/bin/python3", "-c", code], env=env, close_fds=False,
                          stderr=subprocess.DEVNULL).returncode == 0


def acquire_for_heirs(sock, start, count):
    """For a player."""
    class Asked(ctypes.Structure):
        _fields_ = [("start", ctypes.c_uint16), ("count", ctypes.c_uint16),
                    ("pad", ctypes.c_uint32), ("token", ctypes.c_uint64)]

    sock.set_inheritable(True)
    asked = Asked(socket.htons(start), count)
    portio.must(libc.portres_acquire(sock.fileno(), ctypes.byref(asked), 2) == 0)


@pytest.mark.parametrize("first", [True, False], ids=["guard first", "guard later"])
def test_heirs_that_the_block_was_acquired_for(arena, under_it, stranger, first):
    """By PORTRES_HEIRS, as the pytest plugin does."""
    if first:
        arena.on()
    owner = under_it()
    owner.run(acquire_for_heirs, owner.tcp(), 26000, 3)
    if first:
        arena.off("--force")
    arena.on()
    assert held(stranger, 26001)
    assert owner.run(bind_as_heir, 26001)


def test_a_block_that_another_guard_does_not_reach(arena, under_it, stranger):
    """Its program is in another cgroup: it is not counted."""
    under_it(prefix=arena.outside).tcp().acquire(26000, 3)
    assert arena.on() == f"{arena.cgroup} is guarded\n"
    assert arena.status()["blocks"] == 0


KILL = ["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EIO:signal=KILL"]


def test_an_adoption_that_was_killed(arena, under_it, stranger, has, tmp_path):
    """The guard has the block, and the pool does not say so: its owner is let in
    all the same, and the next `on` takes up what was left."""
    if not has("strace"):
        pytest.skip("no strace")
    owner = under_it()
    sock = owner.tcp()
    block = sock.acquire(26000, 4)
    said = arena.on(prefix=["strace", "-f", "-o", tmp_path / "log", *KILL], cautions=True)
    assert "the search for blocks of running programs was ended" in said
    assert held(stranger, 26001)
    for port in 0, 26002:
        x = owner.tcp()
        x.associate(block)
        assert x.bind(port) in block
    assert "it has 1 blocks" in arena.on("--quota", 16384)
    sock.release(block)
    assert not held(stranger, 26003)


def test_off_and_on_again(arena, under_it, stranger):
    """No block that lives dies, and those of between are kept as well."""
    arena.on()
    owner, other = under_it(), under_it()
    owner.tcp().acquire(26000, 3)
    for i in range(3):
        arena.off("--force")
        assert not held(stranger, 26001)
        with refused(EADDRINUSE):
            other.tcp().acquire(26000, 3)
        between = owner.tcp()
        block = between.acquire(26010, 3)
        arena.on()
        assert arena.status()["blocks"] == 2
        with refused(EADDRINUSE):
            other.tcp().acquire(26012, 3)
        assert held(stranger, 26001) and held(stranger, 26011)
        x = owner.tcp()
        x.associate(block)
        x.bind(0)
        x.close()
        between.close()
        assert not held(stranger, 26011)
    owner.kill()
    other.tcp().acquire(26000, 3)


def test_under_load(arena, under_it):
    """Programs that reserve, associate and bind all the while see nothing of it."""
    players = [under_it() for _ in range(3)]

    def work(first, seconds):
        end, rounds = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            owner, inside = tcp(), tcp()
            block = owner.acquire(first, 3)
            inside.associate(block)
            inside.bind(0)
            owner.close()
            inside.close()
            rounds += 1
        return rounds

    answers = [player.begin(work, 26000 + 10 * i, 4) for i, player in enumerate(players)]
    for _ in range(4):
        arena.on()
        arena.off("--force")
    arena.on()
    for answer in answers:
        assert answer() > 50


def test_an_off_that_takes_its_time(arena, under_it, has):
    """While one program after the other is detached nobody is refused who could not
    ask to be let in."""
    if not has("strace"):
        pytest.skip("no strace")
    arena.on()
    owner = under_it()
    block = owner.tcp().acquire(26000, 3)

    def bind_for(block, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with tcp() as inside:
                inside.associate(block)
                inside.bind(0)

    answer = owner.begin(bind_for, block, 2)
    arena.off("--force", prefix=["strace", "-o", "/dev/null", "-e", "trace=bpf", "-e",
                                 "inject=bpf:delay_exit=30000"])
    answer()


def test_persistent_blocks(arena, under_it, stranger):
    """They are the guard's from `on` on, or from `add` on, until they are deleted."""
    arena.portres("persistent", "add", "tcp", 26000, 3)
    assert "and 1 persistent ones" in arena.on()
    arena.portres("persistent", "add", "udp", 26010, 3)
    status = arena.status()
    assert (status["blocks"], status["persistent"]) == (2, 2)
    assert held(stranger, 26001) and held(stranger, 26012, "udp")
    arena.portres("persistent", "delete", "tcp", 26000, 3)
    assert not held(stranger, 26001)
    assert arena.status()["persistent"] == 1
    store = os.path.join(arena.env["PORTRES_POOL"], "persistent")
    with open(store, "w") as file:
        file.write("tcp 26020 3\n")
    arena.portres("persistent", "reload")
    assert held(stranger, 26021) and not held(stranger, 26012, "udp")


def test_a_persistent_block_that_is_deleted_elsewhere(arena, stranger):
    """Outside of the guard's cgroup, where the administrator's shell may be."""
    portres = [*arena.outside, arena.build / "portres", "persistent"]
    for kind in "tcp", "udp":
        subprocess.run([*portres, "add", kind, "26000", "3"], env=arena.env, check=True)
    arena.on()
    assert held(stranger, 26001) and held(stranger, 26001, "udp")
    subprocess.run([*portres, "delete", "udp", "26000", "3"], env=arena.env, check=True)
    assert held(stranger, 26001) and not held(stranger, 26001, "udp")
    (arena.cgroup / "cgroup.freeze").write_text("1")
    said = subprocess.run([*portres, "delete", "tcp", "26000", "3"], env=arena.env, check=True,
                          capture_output=True, text=True, timeout=60)
    assert "the guard has not followed" in said.stderr
    (arena.cgroup / "cgroup.freeze").write_text("0")
    assert arena.status()["blocks"] == 1
    for verb in "add", "delete":
        subprocess.run([*portres, verb, "tcp", "26000", "3"], env=arena.env, check=True)
    assert arena.status()["blocks"] == 0


def test_persistent_blocks_of_a_store_that_is_being_changed(arena, under_it, stranger):
    """They are not given: one of them may be about to be deleted. That is said."""
    arena.portres("persistent", "add", "tcp", 26000, 3)
    with open(os.path.join(arena.env["PORTRES_POOL"], "persistent.lock"), "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "somebody has been changing their store all the time" in arena.on(cautions=True)
        assert not held(stranger, 26001)
    assert "1 persistent ones" in arena.on()
    assert held(stranger, 26001)


def test_who_has_the_right_to_the_store_uses_them(arena, under_it, stranger):
    """By a token, as root; another user has no right, whatever he asks."""
    arena.portres("persistent", "add", "tcp", 26000, 3)
    arena.on()
    owner = under_it()

    def find():
        token = ctypes.c_uint64()
        portio.must(ctypes.CDLL(None, use_errno=True).portres_persistent_find(
            6, socket.htons(26000), 3, ctypes.byref(token)) == 0)
        return token.value

    token = owner.run(find)
    for port in 0, 26002:
        sock = owner.tcp()
        sock.associate(token)
        assert sock.bind(port) in (26000, 26002)
    user = arena.user(*NOBODY)
    assert attempt(user.tcp().guard, "associate", 1, 26000, 3, -1) == "EACCES"
    assert attempt(user.tcp().guard, "join", 1, 26000, 3, 5) == "EACCES"
    assert attempt(user.tcp().guard, "drop", 1, 26000, 3) == "EACCES"
    assert held(user, 26001)


def test_the_group_of_the_store(arena, under_it):
    """One of it may, by that or any further group of his."""
    os.chmod(arena.env["PORTRES_POOL"], 0o770)
    os.chown(arena.env["PORTRES_POOL"], 0, 4242)
    arena.portres("persistent", "add", "tcp", 26000, 3)
    arena.on()
    for groups in ["--regid=4242", "--clear-groups"], ["--regid=65534", "--groups=7,4242,9000"]:
        user = arena.user("setpriv", "--reuid=65534", *groups)
        sock = user.tcp()
        sock.guard("associate", 1, 26000, 3)
        assert sock.bind(26001) == 26001
        user.kill()
    user = arena.user("setpriv", "--reuid=65534", "--regid=65534", "--groups=7,4241,4243")
    assert attempt(user.tcp().guard, "associate", 1, 26000, 3) == "EACCES"


def test_a_store_that_changes_hands(arena, under_it, stranger):
    """The guard goes by the store as it was at `on`: nothing is said that is not so,
    and `on` looks again."""
    store = tempfile.mkdtemp(dir=arena.scripts)
    arena.env["PORTRES_POOL"] = store
    os.chown(store, 0, 4242)
    os.chmod(store, 0o2770)
    arena.on()
    said = []

    def member(group, verb, *block):
        said.append(arena.portres(
            "persistent", verb, *block, cautions=True,
            prefix=["setpriv", "--reuid=65534", "--regid=65534", f"--groups={group}"]))
        return "the guard has not followed" in said[-1]

    program, arena.build = arena.build, arena.scripts
    assert not member(4242, "add", "tcp", 26000, 3)
    assert held(stranger, 26001)
    for name in ".", *os.listdir(store):
        os.chown(os.path.join(store, name), -1, 4343)
    assert member(4343, "delete", "tcp", 26000, 3)
    assert member(4343, "add", "tcp", 26010, 3)
    assert held(stranger, 26001) and not held(stranger, 26011)
    arena.build = program
    assert "1 persistent ones" in arena.on()
    assert held(stranger, 26011)
    # The block that it had is the new group's, too, and no longer the old one's.
    for group, answer in (4242, "EACCES"), (4343, None):
        user = arena.user("setpriv", "--reuid=65534", "--regid=65534", f"--groups={group}")
        assert attempt(user.tcp().guard, "associate", 1, 26010, 3) == answer
    arena.build = arena.scripts
    assert not member(4343, "delete", "tcp", 26010, 3)
    arena.build = program
    assert not held(stranger, 26011)


def test_run_in_a_persistent_block(arena, under_it, start, stranger, go_server):
    """Static programs too, several at once; the right is theirs while they live."""
    arena.portres("persistent", "add", "tcp", 26000, 3)
    arena.on()
    servers = [start([*arena.inside, arena.build / "portres", "run", "--tcp", f"{port}+1",
                      go_server, f":{port}"], arena.env) for port in (26000, 26002)]
    for server, port in zip(servers, (26000, 26002)):
        assert server.line() == f"listens {port}"
    assert held(stranger, 26001)
    for server in servers:
        server.kill()
    assert held(stranger, 26000)


def test_a_pool_that_is_made_anew(arena, under_it, stranger):
    """Its tokens are others then; the guard's persistent block is the same."""
    arena.portres("persistent", "add", "tcp", 26000, 3)
    arena.on()
    for name in os.listdir(arena.env["PORTRES_POOL"]):
        if name.startswith("pool-"):
            os.unlink(os.path.join(arena.env["PORTRES_POOL"], name))
    program = start_in_block(arena)
    assert program == "bound"
    assert held(stranger, 26001)


def start_in_block(arena):
    code = "import socket; socket.socket().bind(('127.0.0.1', 26001)); print('bound')"
    return subprocess.run(
        [*arena.inside, arena.build / "portres", "run", "--tcp", "26000+3", "env", "-i",
         "/usr/bin/python3", "-c", code], env=arena.env, capture_output=True, text=True,
        check=True).stdout.strip()
