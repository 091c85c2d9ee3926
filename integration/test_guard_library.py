# SPDX-License-Identifier: MIT
"""The library where there is a guard: it asks it for its blocks, and everything
that it promises holds as before."""

import json
import os
import shutil
import signal
import socket
import subprocess
from errno import EADDRINUSE

import pytest

from kits.compiling import PROGRAMS
from kits.playing import attempt, held, refused

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture
def under_it(guarded, shim_env):
    """under_it() -> a player under the library; pool= has another pool."""
    def under_it(pool=None, **kw):
        env = dict(shim_env, PYTHONPATH=str(guarded.scripts))
        if pool:
            env["PORTRES_POOL"] = str(pool)
        return guarded.player(env=env, **kw)

    return under_it


@pytest.fixture
def owner(under_it):
    return under_it()


@pytest.fixture
def stranger(guarded):
    return guarded.player()


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_block_of_the_library(guarded, owner, stranger, kind):
    sock = owner.sock(kind)
    block = sock.acquire(26000, 3)
    assert held(stranger, 26001, kind) and not held(stranger, 26003, kind)
    for port in 0, 26002:
        with owner.sock(kind) as x:
            x.associate(block)
            assert x.bind(port) in block
    with refused(EADDRINUSE):
        owner.sock(kind).bind(26001)
    sock.release(block)
    assert not held(stranger, 26001, kind)
    assert guarded.status()["blocks"] == 0


def test_a_wildcard_block(owner, stranger):
    block = owner.tcp().acquire(0, 5)
    assert held(stranger, block.start + 4)


def test_wildcards_go_around_what_the_guard_has(owner, stranger):
    """Blocks that no pool of ours knows."""
    first = owner.tcp().acquire(0, 5)
    stranger.tcp().guarded(first.start + 5, 100)
    second = owner.tcp().acquire(0, 5)
    assert second.start >= first.start + 105


def test_sharing_sockets_in_a_block(owner):
    """Those look, before they are bound, whether another socket has the port."""
    block = owner.tcp().acquire(26000, 2)
    ports = set()
    for _ in range(2):
        x = owner.tcp()
        x.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        x.associate(block)
        ports.add(x.bind(0))
    assert ports == {26000, 26001}


def test_another_pool(guarded, owner, under_it, tmp_path):
    """Which did not know of the first one's blocks."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    other = under_it(elsewhere)
    owner.tcp().acquire(26000, 3)
    sock = other.tcp()
    with refused(EADDRINUSE):
        sock.acquire(26002, 3)
    assert sock.acquire(26003, 3).start == 26003
    assert guarded.status()["blocks"] == 2


def test_both_or_none(guarded, owner, stranger):
    """The block of TCP is given back when that of UDP is not to be had."""
    stranger.udp().guarded(26001, 1)

    def both(start):
        tcp_one, udp_one = tcp(), udp()
        libc = ctypes.CDLL(None, use_errno=True)
        blocks = ctypes.create_string_buffer(32)
        struct.pack_into("!H", blocks, 0, start)
        struct.pack_into("=H", blocks, 2, 3)
        portio.must(libc.portres_acquire_both(tcp_one.fileno(), udp_one.fileno(), blocks, 0) == 0)
        kept.extend((tcp_one, udp_one))

    with refused(EADDRINUSE):
        owner.run(both, 26000)
    assert guarded.status()["blocks"] == 1
    owner.run(both, 26002)
    assert guarded.status()["blocks"] == 3
    assert held(stranger, 26004) and held(stranger, 26004, "udp")


def test_a_kill_frees_at_once(guarded, under_it, stranger):
    """For strangers and for the next acquire, which reads no list of locks."""
    for _ in range(20):
        owner = under_it()
        owner.tcp().acquire(26000, 20)
        os.kill(owner.pid, signal.SIGKILL)
        owner.popen.wait()
        assert not held(stranger, 26001)
        late = under_it()
        late.tcp().acquire(26000, 20)
        late.kill()
    assert guarded.status()["blocks"] == 0


def test_a_port_in_use_is_found(guarded, owner, stranger):
    """And the guard has no mark of it then."""
    stranger.tcp().bind(26001)
    with refused(EADDRINUSE):
        owner.tcp().acquire(26000, 3)
    assert guarded.status()["blocks"] == 0
    assert not held(stranger, 26000)


def test_a_token_is_worth_nothing(guarded, owner):
    """It stands in /proc/locks, for all to read."""
    owner.tcp().acquire(26000, 3)
    thief = guarded.user("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

    def tokens():
        with open("/proc/locks") as f:
            found = [line.split() for line in f if "OFDLCK" in line]
        return [int(words[-1]) for words in found if words[-1] == words[-2] != "0"]

    stolen = thief.run(tokens)
    sock, found = thief.tcp(), 0
    for token in stolen:
        for fd in -1, 0, 3, 4:
            error = attempt(sock.guard, "associate", token, 26000, 3, fd)
            assert error in ("EACCES", "ENOENT")
            found += error == "EACCES"
    assert found == 4  # one of them was that block's
    assert held(thief, 26001)


def test_a_child_that_has_the_socket(owner, under_it, stranger):
    """After an exec the library finds it, and associates by it."""
    sock = owner.tcp()
    block = sock.acquire(26000, 3)
    sock.set_inheritable(True)
    owner.exec_again()
    x = owner.tcp()
    x.associate(block)
    assert x.bind(0) == 26000
    assert held(stranger, 26001)


@pytest.fixture
def go_server(tmp_path):
    if not shutil.which("go"):
        pytest.skip("no go here")
    out = tmp_path / "server"
    subprocess.run(["go", "build", "-o", out, PROGRAMS / "guard" / "server.go"], check=True,
                   env={**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"})
    return out


@pytest.fixture
def run(guarded, start, cli_env):
    """run(*words) -> what `portres run` became."""
    def run(*words):
        return start([*guarded.inside, guarded.build / "portres", "run", *words], cli_env)

    return run


@pytest.mark.parametrize("child", [[], ["child"]], ids=["itself", "its child"])
def test_a_static_server_under_run(run, go_server, stranger, child):
    """And one that it executes."""
    server = run("--tcp", "26000+3", go_server, ":26001", *child)
    assert server.line() == "listens 26001"
    assert held(stranger, 26000)
    with stranger.tcp() as client:
        client.connect(26001)


def test_a_program_under_run_that_clears_its_environment(run, stranger):
    program = run("--tcp", "26000+3", "env", "-i", "/usr/bin/python3", "-c",
                  "import socket; s = socket.socket(); s.bind(('127.0.0.1', 26001)); "
                  "print('bound', flush=True); input()")
    assert program.line() == "bound"
    assert held(stranger, 26000)


MOVES = """
import os, socket
for fd in range(3, 1024):
    try:
        os.fstat(fd)
    except OSError:
        continue
null = os.open("/dev/null", 0)
for fd in range(800, 1000):
    os.dup2(null, fd)
s = socket.socket()
s.bind(("127.0.0.1", 26001))
print("bound", flush=True)
input()
"""


def test_a_program_under_run_that_overwrites_descriptors(run, stranger):
    """The library moves the owning socket, and associates before it binds."""
    program = run("--tcp", "26000+3", "/usr/bin/python3", "-c", MOVES)
    assert program.line() == "bound"
    assert held(stranger, 26000)


BINDS = "import socket, sys; socket.socket().bind(('127.0.0.1', int(sys.argv[1]))); print('bound')"


def test_run_in_a_persistent_block_under_other_limits(guarded, start):
    """Of descriptors, by which the sockets that programs inherit have other numbers."""
    guarded.portres("persistent", "add", "tcp", 26000, 20)

    def under(limit, port):
        return start(["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *guarded.inside,
                      guarded.build / "portres", "run", "--tcp", f"{port}+1", "sh", "-c",
                      'unset LD_PRELOAD; /usr/bin/python3 -c "$0" "$1"; read line', BINDS,
                      str(port)], guarded.env)

    programs = [under(limit, 26000 + i) for i, limit in enumerate([1024, 4096, 256])]
    assert [program.line() for program in programs] == ["bound"] * 3
    programs += [under(200 + 2 * i, 26003 + i) for i in range(13)]
    assert [program.line() for program in programs[3:]] == ["bound"] * 13
    said = guarded.portres("run", "--tcp", "26016+1", "true", status=75,
                           prefix=["prlimit", "--nofile=300"])
    assert "no room for one more program" in said
    programs[0].kill()
    assert under(300, 26016).line() == "bound"


CHILD = """
import portres, subprocess
with portres.reserve(2) as block:
    text = ("import socket; s = socket.socket(); s.bind(('127.0.0.1', %d)); "
            "print('bound', flush=True); input()" % block.ports[1])
    child = block.popen(["env", "-u", "LD_PRELOAD", "/usr/bin/python3", "-c", text],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print(child.stdout.readline().strip(), block.ports[0], flush=True)
    input()
"""


@pytest.fixture
def two_guards(guarded):
    """A cgroup below that has one as well: within(it) is a player's prefix."""
    below = guarded.cgroup / "below"
    below.mkdir()
    guarded.portres("guard", "on", "--cgroup", below)
    yield below
    guarded.portres("guard", "off", "--cgroup", below, "--force")


def blocks_of(guarded, cgroup):
    (found,) = json.loads(guarded.portres("guard", "status", "--cgroup", cgroup, "--json"))
    return found["blocks"]


def test_two_guards(guarded, two_guards, under_it, stranger):
    """Both have the block, and neither can be asked alone: the list of locks is."""
    owner = under_it(prefix=guarded.within(two_guards))
    sock = owner.tcp()
    block = sock.acquire(26000, 3)
    for port in 0, 26002:
        x = owner.tcp()
        x.associate(block)
        assert x.bind(port) in block
        x.close()
    assert held(stranger, 26001)
    sock.release(block)
    assert not held(stranger, 26001)
    assert (blocks_of(guarded, two_guards), guarded.status()["blocks"]) == (0, 0)
    sock.acquire(26000, 3)
    owner.kill()
    under_it(prefix=guarded.within(two_guards)).tcp().acquire(26000, 3)


def test_two_guards_of_which_one_has_no_room(guarded, two_guards, reachable_env):
    """Neither has the block then."""
    guarded.on("--quota", 5)
    user = guarded.player(env={**reachable_env, "PORTRES_POOL": ""},
                          prefix=[*guarded.within(two_guards), "setpriv", "--reuid=65534",
                                  "--regid=65534", "--clear-groups"])
    block = user.tcp().acquire(26000, 10)
    assert (blocks_of(guarded, two_guards), guarded.status()["blocks"]) == (0, 0)
    x = user.tcp()
    x.associate(block)
    assert x.bind(0) == 26000


def test_the_plugin(guarded, plugin_env, start, stranger):
    """What a test starts in its block need not be under the library."""
    test = start([*guarded.inside, "/usr/bin/python3", "-c", CHILD], plugin_env)
    said, port = test.line().split()
    assert said == "bound"
    assert held(stranger, int(port))


def test_the_list_says_it(guarded, under_it, cli_env):
    """And shows a column of it only where the guard has anything."""
    guarded.env = {**cli_env, "PYTHONPATH": str(guarded.scripts)}
    owner = under_it()
    owner.tcp().acquire(26000, 3)
    (entry,) = json.loads(guarded.portres("list", "--json"))
    assert entry["guarded"] is True
    head, row = guarded.portres("list").splitlines()
    assert head.split()[-1] == "GUARD" and row.split()[-1] == "yes"
    guarded.off("--force")
    (entry,) = json.loads(guarded.portres("list", "--json"))
    assert entry["guarded"] is False
    assert guarded.portres("list").splitlines()[0].split()[-1] == "AGE"
    guarded.on()


def test_what_is_over_a_quota_is_the_librarys_alone(guarded, reachable_env, cli_env, stranger):
    """As without a guard, and the list says so."""
    guarded.on("--quota", 5)
    env = {**reachable_env, "PORTRES_POOL": ""}
    user = guarded.player(env=env, prefix=[*guarded.inside, *NOBODY])
    user.tcp().acquire(26000, 5)
    block = user.tcp().acquire(26010, 3)
    with refused(EADDRINUSE):
        user.tcp().bind(26011)
    x = user.tcp()
    x.associate(block)
    assert x.bind(0) in block
    assert held(stranger, 26001) and not held(stranger, 26011)
    guarded.build = guarded.scripts  # another user reaches that command
    said = guarded.portres("list", "--json", prefix=NOBODY, env={
        **cli_env, "PORTRES_POOL": "", "PYTHONPATH": str(guarded.scripts)})
    assert {entry["start"]: entry["guarded"] for entry in json.loads(said)} == {
        26000: True, 26010: False}


def test_the_doctor_says_it(guarded, cli_env):
    guarded.env = {**cli_env, "PYTHONPATH": str(guarded.scripts)}
    said = guarded.portres("doctor")
    assert "the kernel refuses reserved ports to every program" in said
    assert "never reached" not in said
    guarded.off()
    said = guarded.portres("doctor")
    assert "there is none: programs that are not under the library are refused nothing" in said
    assert "never reached" in said
    guarded.on()
