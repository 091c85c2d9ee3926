# SPDX-License-Identifier: MIT
"""The guard: programs without the library are kept off reserved ports."""

import errno
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
from errno import EADDRINUSE, ENOSYS

import pytest

from kits.compiling import PROGRAMS
from kits.guard import end_cgroup
from kits.playing import attempt

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
STRANGER = PROGRAMS / "guard" / "stranger.c"


def made_by(compiler, out, *flags):
    """The stranger, static; skips where there is no such compiler."""
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler} here")
    subprocess.run([compiler, "-D_GNU_SOURCE", "-O1", "-static", *flags, STRANGER, "-o", out],
                   check=True)
    return out


MUSL = ["-idirafter", "/usr/include", "-idirafter", f"/usr/include/{os.uname().machine}-linux-gnu"]


@pytest.fixture(scope="session", params=["gcc", "musl-gcc"])
def stranger(request):
    """A static program, where another user can reach it."""
    with tempfile.TemporaryDirectory(prefix="portres-test-") as top:
        os.chmod(top, 0o755)
        yield made_by(request.param, pathlib.Path(top, "stranger"),
                      *(MUSL if request.param == "musl-gcc" else []))


def outcomes(guarded, *command, prefix=None):
    run = subprocess.run([*(guarded.inside if prefix is None else prefix), *map(str, command)],
                         env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
                         check=True, timeout=60)
    return {way: int(error) for way, error in map(str.split, run.stdout.splitlines())}


@pytest.mark.parametrize("who", ["root", "nobody"])
@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_stranger_is_refused(guarded, stranger, kind, who):
    """In every way, with every option; a free port is not refused, nor is one of
    the other protocol."""
    owner = guarded.player()
    owner.sock(kind).guarded(5000, 3)
    prefix = NOBODY if who == "nobody" else []
    words = ["udp"] if kind == "udp" else []
    refused = outcomes(guarded, *prefix, stranger, 5001, *words)
    free = outcomes(guarded, *prefix, stranger, 5003, *words)
    assert set(refused) == set(free) and len(refused) >= 54
    for way, error in free.items():
        # The kernel may lack this way; a mapped address has no IPv6 options.
        assert error in (0, ENOSYS), way
        assert refused[way] == (error or EADDRINUSE), way
    other = outcomes(guarded, *prefix, stranger, 5001, *([] if words else ["udp"]))
    assert set(other.values()) <= {0, ENOSYS}


def test_all_ways_are_there(guarded, stranger):
    """Of the ways to bind that this kernel has, none is left out by mistake."""
    ways = {way.rsplit("/", 2)[0] for way in outcomes(guarded, stranger, 5000)}
    assert {"tcp/libc", "tcp/raw", "tcp/io_uring"} <= ways


def test_in_another_network_namespace_it_is_free(guarded, stranger):
    guarded.player().tcp().guarded(5000, 3)
    elsewhere = ["sh", "-c", 'echo $$ >"$1"/cgroup.procs && shift && exec "$@"', "sh",
                 str(guarded.cgroup), "unshare", "-n"]
    said = outcomes(guarded, "sh", "-c", 'ip link set lo up; exec "$@"', "sh", stranger, 5001,
                    prefix=elsewhere)
    assert set(said.values()) <= {0, ENOSYS}


@pytest.mark.parametrize("below", [["unshare", "-r"], ["unshare", "-C"], ["unshare", "-r", "-C"],
                                   ["env", "-i"]], ids=" ".join)
def test_other_namespaces_are_no_way_out(guarded, stranger, below):
    guarded.player().tcp().guarded(5000, 3)
    command = [shutil.which(below[0]), *below[1:]]
    if subprocess.run([*command, "/bin/true"], check=False).returncode:
        pytest.skip(f"may not {' '.join(below)}")
    said = outcomes(guarded, *command, stranger, 5001)
    assert set(said.values()) <= {EADDRINUSE, ENOSYS}


def test_in_a_cgroup_below(guarded, stranger):
    """One with a guard of its own as well: both refuse."""
    guarded.player().tcp().guarded(5000, 3)
    below = guarded.cgroup / "below"
    below.mkdir()
    assert set(outcomes(guarded, stranger, 5001, prefix=guarded.within(below)).values()) <= {
        EADDRINUSE, ENOSYS}
    guarded.portres("guard", "on", "--cgroup", below)
    assert set(outcomes(guarded, stranger, 5001, prefix=guarded.within(below)).values()) <= {
        EADDRINUSE, ENOSYS}
    guarded.portres("guard", "off", "--cgroup", below)
    below.rmdir()


def test_outside_of_the_cgroup_nobody_is_refused(guarded, stranger):
    """Which shows that it is the guard that refuses."""
    guarded.player().tcp().guarded(5000, 3)
    said = outcomes(guarded, stranger, 5001, prefix=guarded.outside)
    assert set(said.values()) <= {0, ENOSYS}


def test_the_cgroup_in_which_the_socket_was_made_counts(guarded):
    """Whoever binds it: docs/limits.md says so."""
    other = guarded.cgroup.parent / f"{guarded.cgroup.name}-beside"
    other.mkdir()
    try:
        guarded.player().tcp().guarded(5000, 3)
        player = guarded.player(prefix=guarded.outside)
        (other / "cgroup.procs").write_text(str(player.pid))
        made_outside = player.tcp()
        (guarded.cgroup / "cgroup.procs").write_text(str(player.pid))
        made_inside = player.tcp()
        assert made_outside.bind(5000) == 5000
        (other / "cgroup.procs").write_text(str(player.pid))
        assert attempt(made_inside.bind, 5001) == "EADDRINUSE"
        player.kill()
    finally:
        end_cgroup(other)


@pytest.fixture(scope="session")
def go(build):
    """go(source, out, arch) -> a static program."""
    if not shutil.which("go"):
        pytest.skip("no go here")

    def go(source, out, **env):
        subprocess.run(["go", "build", "-o", out, source], check=True,
                       env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod",
                            "GO111MODULE": "off", **env})
        return out

    return go


@pytest.fixture
def server(go, tmp_path):
    return go(PROGRAMS / "guard" / "server.go", tmp_path / "server")


def test_a_static_go_program(guarded, server, start):
    owner = guarded.player()
    block = owner.tcp().guarded(5000, 3)
    said = start([*guarded.inside, server, ":5001"], guarded.env).line()
    assert "address already in use" in said
    block.close()
    assert start([*guarded.inside, server, ":5001"], guarded.env).line() == "listens 5001"


def need_a_kernel_for(program):
    try:
        subprocess.run([program], capture_output=True, check=False, timeout=60)
    except OSError as error:
        assert error.errno == errno.ENOEXEC
        pytest.skip("this kernel runs no 32-bit programs")


def test_a_32_bit_go_program_is_refused_and_cannot_reserve(guarded, go, tmp_path, start):
    ask = go(PROGRAMS / "guard" / "ask.go", tmp_path / "ask", GOARCH="386")
    need_a_kernel_for(ask)
    program = go(PROGRAMS / "guard" / "server.go", tmp_path / "server", GOARCH="386")
    owner = guarded.player()
    block = owner.tcp().guarded(5000, 3)
    said = start([*guarded.inside, program, ":5001"], guarded.env).line()
    assert "address already in use" in said
    block.close()
    assert start([*guarded.inside, ask], guarded.env).line() == "protocol not available"
    assert guarded.status()["blocks"] == 0


@pytest.mark.parametrize("by", ["port", "address"])
def test_sharing_a_port_takes_the_same_right(guarded, by):
    """A group of SO_REUSEPORT is no way in, not for the same user either."""
    owner, other = guarded.player(), guarded.player()
    block = owner.tcp().guarded(5000, 3)
    option = {"port": socket.SO_REUSEPORT, "address": socket.SO_REUSEADDR}[by]

    def sharing(player):
        sock = player.tcp()
        sock.setsockopt(socket.SOL_SOCKET, option, 1)
        return sock

    first = sharing(owner)
    first.guard("associate", 7, 5000, 3, block.fileno())
    assert first.bind(5000) == 5000
    assert attempt(sharing(other).bind, 5000) == "EADDRINUSE"
    assert attempt(sharing(owner).bind, 5000) == "EADDRINUSE"
    second = sharing(owner)
    second.guard("associate", 7, 5000, 3, block.fileno())
    assert second.bind(5000) == 5000
