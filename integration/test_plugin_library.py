# SPDX-License-Identifier: MIT
"""portres as a plain Python library: what a block can be used for."""

import resource
import shutil
import subprocess
import sys

import pytest

from kits.cli import block


HOW = pytest.mark.parametrize("how", ["plugin_env", "preloaded_env", "copy_env"])


@HOW
def test_with(script, request, how):
    script(
        """
with portres.reserve(3) as r:
    ports = r.ports
    assert [stranger(port) for port in ports] == ["EADDRINUSE"] * 3
    assert repr(r) == f"<portres tcp {ports[0]}-{ports[2]}>"
assert [stranger(port) for port in ports] == ["bound"] * 3
try:
    with portres.reserve(start=28000) as r:
        raise KeyError
except KeyError:
    pass
assert stranger(28000) == "bound"
portres.reserve(start=28000)  # forgotten
assert stranger(28000) == "bound"
r.close(), r.release(), r.close()
assert repr(r) == "<portres tcp 28000, closed>"
for use in r.socket, r.env, lambda: r.popen(["true"]):
    try:
        use()
        raise AssertionError
    except portres.Error as error:
        assert "closed" in str(error), error
""", request.getfixturevalue(how),
    )


@HOW
@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_sockets(script, request, how, proto):
    script(
        f"""
from socket import AF_INET, AF_INET6
r = portres.reserve(3, {proto!r}, 29100)
hosts = ["127.0.0.1", "::1", "0.0.0.0"]
socks = [r.socket(i, host) for i, host in enumerate(hosts)]
assert [s.getsockname()[:2] for s in socks] == list(zip(hosts, r.ports))
assert [s.family for s in socks] == [AF_INET, AF_INET6, AF_INET]
kind = {{"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}}[{proto!r}]
assert all(s.type == kind and not s.get_inheritable() for s in socks)
if kind == socket.SOCK_STREAM:
    for s in socks:
        s.listen()
    # The same again with connections in TIME_WAIT.
    with socket.create_connection(socks[0].getsockname()):
        socks[0].accept()[0].close()
    socks[0].close()
    r.socket(0).listen()
else:
    socket.socket(AF_INET, kind).sendto(b"hello", socks[0].getsockname())
    assert socks[0].recv(10) == b"hello"
try:
    r.socket(1, "::1").listen()
    raise AssertionError("twice")
except OSError as error:
    # Of TCP it is listen() that refuses.
    assert error.errno == 98, error
    if kind == socket.SOCK_DGRAM:
        assert f"udp {{r.ports[1]}} is reserved" in str(error), error
r.release()
assert stranger(r.ports[2], {proto!r}) == "EADDRINUSE"  # the kernel's
""", request.getfixturevalue(how),
    )


def test_a_child_of_fork_ends_nothing(script):
    script(
        """
with portres.reserve(start=28000) as r:
    child = os.fork()
    if child == 0:
        r.release()
        os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)
    assert stranger(28000) == "EADDRINUSE"
""")


def test_what_is_wrong_is_said(script, player):
    one = player()
    block(one, "udp", 28003, 2)
    script(
        f"""
errors = []

def error_of(*arguments):
    try:
        portres.reserve(*arguments)
    except (portres.Error, ValueError) as error:
        errors.append(error)
        return str(error)

def check(said, *parts):
    assert all(part in said for part in parts), said

check(error_of(5, "udp", 28000), "Address already in use", "udp 28000-28004",
      "udp 28003 is reserved (28003-28004) by pid {one.pid} (python3)", "start=0")
# A connection in TIME_WAIT, at a port before the one that matters, is not it.
with socket.create_server(("127.0.0.1", 29110)) as s:
    client = socket.create_connection(s.getsockname())
    s.accept()[0].close(), client.close()
with socket.create_server(("127.0.0.1", 29111)):
    said = error_of(3, "tcp", 29110)
    check(said, "tcp 29110-29112: tcp 29111 is in use", f"pid {{os.getpid()}}")
check(error_of(65000), "no 65000 free tcp ports in a row", "portres list")
for wrong in (0,), (1, "sctp"), (1, "tcp", 65536), (2, "tcp", 65535), (1, "tcp", -1):
    check(error_of(*wrong), str(wrong[-1]))
assert len(os.listdir("/proc/self/fd")) < 8, os.listdir("/proc/self/fd")
""")
    script(
        """
os.environ["PORTRES_POOL"] = "/nowhere/at/all"
try:
    portres.reserve()
    raise AssertionError
except portres.Error as error:
    assert "no pool directory /nowhere/at/all" in str(error), error
    assert "portres doctor" in str(error), error
""")


@pytest.mark.parametrize("kind", ["a directory", "no program"])
def test_the_command_cannot_be_asked(script, build, plugin_env, tmp_path, kind):
    """Who has the port is not known then; the failure is the same."""
    plugin_env["PORTRES_LIB"] = str(shutil.copy(build / "libportres.so", tmp_path))
    if kind == "a directory":
        (tmp_path / "portres").mkdir()
        plugin_env["PATH"] = "/nowhere"
    else:
        (tmp_path / "portres").write_bytes(b"\x7fELF nonsense")
        (tmp_path / "portres").chmod(0o755)
    script("""
with socket.create_server(("127.0.0.1", 28000)):
    try:
        portres.reserve(start=28000)
        raise AssertionError
    except portres.Error as error:
        assert "tcp 28000: somebody has one of them, or had a moment ago" in str(error), error
""")


def test_too_few_descriptors_to_ask_the_command(script):
    """Or to reserve at all: it is an Error however many are left."""
    script("""
import resource
portres.reserve().release()
said = ""
with socket.create_server(("127.0.0.1", 28000)) as server:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for more in range(1, 16):
        resource.setrlimit(resource.RLIMIT_NOFILE, (server.fileno() + more, most))
        try:
            portres.reserve(start=28000)
            raise AssertionError
        except portres.Error as error:
            said += str(error)
assert "Too many open files" in said and "had a moment ago" in said and f"pid {os.getpid()}" in said
""")


@pytest.mark.parametrize("arguments,error,said", [
    ({"n": "3"}, "TypeError", "n is a whole number, not '3'"),
    ({"n": 2.0}, "TypeError", "n is a whole number, not 2.0"),
    ({"start": None}, "TypeError", "start is a whole number, not None"),
    ({"align": "2"}, "TypeError", "align is a whole number, not '2'"),
    ({"proto": ["tcp"]}, "ValueError", "proto is 'tcp', 'udp' or 'both', not ['tcp']"),
    ({"n": 65536}, "ValueError", "there are no 65536 ports"),
])
def test_arguments_that_make_no_sense(script, arguments, error, said):
    script(f"""
try:
    portres.reserve(**{arguments!r})
    raise AssertionError
except {error} as error:
    assert {said!r} in str(error), error
""")


LOAD = """
import portres, sys
try:
    portres.reserve(1)
except portres.NoLibrary as error:
    print(error)
else:
    print("reserved")
"""


@pytest.mark.parametrize("size", [0, 3, 40, 100, 500, 5000, 20000, -1])
def test_a_library_that_was_cut(plugin_env, build, tmp_path, size):
    """As by a full disk. The linker is killed by what it does not find in the file."""
    whole = (build / "libportres.so").read_bytes()
    cut = tmp_path / "libportres.so"
    # Sections, at the end, are for debuggers.
    loaded = max(int.from_bytes(whole[at + 8:at + 16], "little")
                 + int.from_bytes(whole[at + 32:at + 40], "little")
                 for at in range(64, 64 + 56 * whole[56], 56))
    cut.write_bytes(whole[:size if size >= 0 else loaded + size])
    env = dict(plugin_env, PORTRES_LIB=str(cut))
    run = subprocess.run([sys.executable, "-c", LOAD], env=env, text=True, check=False,
                         capture_output=True, timeout=60)
    assert run.returncode == 0, run
    assert str(cut) in run.stdout and "give the path of libportres.so" in run.stdout
    if size == -1 or size >= 5000:
        assert f"{cut} ends before its own contents do, at {cut.stat().st_size} bytes" in run.stdout
    cut.write_bytes(whole[:loaded])
    run = subprocess.run([sys.executable, "-c", LOAD], env=env, text=True, check=True,
                         capture_output=True, timeout=60)
    assert run.stdout == "reserved\n"


@pytest.mark.parametrize("name", ["libportres-src/libfoo.so", "libportres_other.so",
                                  "libportres-tools.so"])
def test_a_preload_of_somebody_else(plugin_env, build, tmp_path, name):
    """A name like ours makes no library ours: the next place is looked at."""
    other = tmp_path / name
    other.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-o", other], check=True)
    env = dict(plugin_env, PATH=f"{build}:{plugin_env['PATH']}")
    env["LD_PRELOAD"] = " ".join([*env.get("LD_PRELOAD", "").split(), str(other)])
    del env["PORTRES_LIB"]
    run = subprocess.run([sys.executable, "-c", LOAD], env=env, text=True, check=True,
                         capture_output=True, timeout=60)
    assert run.stdout == "reserved\n"


def test_the_environment(script, build, plugin_env):
    """The library first, the pool of this process, the tokens one by one."""
    plugin_env["LD_PRELOAD"] = "libm.so.6 libdl.so.2"
    plugin_env["PORTRES_TOKENS"] = "17"
    script(
        f"""
a, b = portres.reserve(2), portres.reserve(1, "udp")
env = a.env()
lib = "{build}/libportres.so"
assert env["LD_PRELOAD"] == lib + ":libm.so.6:libdl.so.2"
for before, after in [
    (f"libm.so.6:{{lib}} libdl.so.2 {{lib}}", f"{{lib}}:libm.so.6:libdl.so.2"),
    # It ends the program that has any other library in front of it.
    ("libm.so.6 /a/libasan.so.8", f"/a/libasan.so.8:{{lib}}:libm.so.6"),
]:
    assert a.env({{"LD_PRELOAD": before}})["LD_PRELOAD"] == after
assert env["PORTRES_TOKENS"] == f"17 {{a.token}}"
assert env["PORTRES_PORTS"] == f"{{a.ports[0]}} {{a.ports[1]}}"
assert env["PORTRES_PORT"] == str(a.port)
assert env["PORTRES_RANGES"] == f"tcp:{{a.port}}+2"
assert env["HOME"] == os.environ["HOME"]
both = b.env(env)
assert both["LD_PRELOAD"] == env["LD_PRELOAD"]
assert both["PORTRES_TOKENS"] == f"17 {{a.token}} {{b.token}}" == a.env(both)["PORTRES_TOKENS"]
assert both["PORTRES_PORT"] == str(b.port)
assert both["PORTRES_RANGES"] == f"udp:{{b.port}}+1"
pool = os.environ["PORTRES_POOL"]
os.environ["PORTRES_POOL"] = "/elsewhere"
assert a.env()["PORTRES_POOL"] == a.env({{}})["PORTRES_POOL"] == pool
assert sorted(a.env({{}})) == ["LD_PRELOAD", "PORTRES_POOL", "PORTRES_PORT",
                             "PORTRES_PORTS", "PORTRES_RANGES", "PORTRES_TOKENS"]
assert "PORTRES_PORT" not in os.environ
""")


def test_a_pool_named_by_a_relative_path(script, plugin_env, pool):
    """A program that is started elsewhere has the same one."""
    plugin_env["PORTRES_POOL"] = pool.name
    script("""
a, b = portres.reserve(), portres.reserve()
bind = "import socket, sys; socket.socket().bind(('127.0.0.1', int(sys.argv[1])))"
for block, status in (a, 0), (b, 1):
    run = a.popen([sys.executable, "-c", bind, str(block.port)], cwd="/", stderr=subprocess.PIPE)
    assert (b"Address already in use" in run.communicate()[1]) == status == run.returncode
""", cwd=pool.parent)


BIND = """
import os, socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 65535))
print(os.environ["PORTRES_RANGES"], os.environ.get("PORTRES_PORTS", "unset")[-12:])
"""


@pytest.mark.parametrize("first,ports", [(1024, "unset"), (65536 - 10923, "unset"),
                                         (65536 - 10922, " 65534 65535")])
def test_a_long_block(namespace, plugin_env, first, ports):
    """65,536 characters are too many; and those of a shorter block, in the
    environment that it is to have, are not its own."""
    text = f"""
import portres, sys
with portres.reserve({65536 - first}, start={first}) as r:
    child = r.popen([sys.executable, "-c", {BIND!r}], env=portres.reserve(1, "udp").env())
    assert child.wait() == 0
"""
    run = subprocess.run([*namespace, sys.executable, "-c", text], env=plugin_env, text=True,
                         check=True, stdout=subprocess.PIPE, timeout=60)
    assert run.stdout == f"tcp:{first}+{65536 - first} {ports}\n"


@pytest.mark.parametrize("soft,least", [(4096, 900), (512, 256)])
def test_the_owner_has_a_high_number(script, soft, least):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = (soft, hard)
    script(
        f"""
a, b = portres.reserve(), portres.reserve()
assert (a.fd, b.fd) == ({least}, {least} + 1)
assert not os.get_inheritable(a.fd)
""", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit))


def test_a_signal_in_between(script):
    """The kernel's or the pool's EINTR is not the caller's, as everywhere in
    Python."""
    script(
        """
import ctypes
library = portres.load()
real, turns = library._acquire, iter([4, 4])

def interrupted(*arguments):
    number = next(turns, 0)
    ctypes.set_errno(number)
    return -1 if number else real(*arguments)

library._acquire = interrupted
assert portres.reserve(start=28000).port == 28000
assert next(turns, "used up") == "used up"
""")
