# SPDX-License-Identifier: MIT
"""Programs of musl, and the library that is built for them, beside those of glibc
and theirs, over one pool."""

import errno
import os
import pathlib
import re
import subprocess
from errno import EADDRINUSE

import pytest

from kits.compiling import PROGRAMS
from kits.playing import Program, refused

START = 25900
LINKER = pathlib.Path(f"/lib/ld-musl-{os.uname().machine}.so.1")


@pytest.fixture
def musl(other_build):
    return other_build("musl-gcc")


@pytest.fixture
def program(musl, tmp_path):
    out = tmp_path / "calls"
    subprocess.run(["musl-gcc", "-Wall", "-Wextra", "-Werror", f"-I{musl}/include",
                    PROGRAMS / "musl/calls.c", "-o", out], check=True)
    return out


@pytest.fixture
def env(musl, pool):
    return {"LD_PRELOAD": str(musl / "libportres.so"), "PORTRES_POOL": str(pool)}


class Calls(Program):
    def __getattr__(self, call):
        return lambda port: self.made(call, port)

    def made(self, call, port):
        r = int(self.ask(f"{call} {port}"))
        if r < 0:
            raise OSError(-r, errno.errorcode[-r])
        return r


@pytest.fixture
def calls(start, program, env):
    return start([program], env, kind=Calls)


def test_musl_has_the_block(calls, other):
    assert calls.acquire(START) == START
    with refused(EADDRINUSE):
        other.tcp().bind(START + 1)
    with refused(EADDRINUSE):
        other.tcp().acquire(START + 2, 2)
    assert calls.associated(0) in range(START, START + 3)
    calls.kill()
    with other.tcp() as one:
        one.bind(START + 1)
    other.tcp().acquire(START, 3)


def test_glibc_has_the_block(calls, owner):
    block = owner.tcp().acquire(START, 3)
    for call in (calls.bind, calls.thread, calls.acquire):
        with refused(EADDRINUSE):
            call(START + 1)
    assert calls.bind(START + 3) == START + 3
    with owner.tcp() as one:
        one.associate(block)
        assert one.bind(0) == START
    owner.kill()
    assert calls.bind(START + 1) == START + 1


def test_binds_take_no_lock(start, program, env, tmp_path, has):
    """The kernel has a robust list of each thread, of a forked child, too."""
    if not has("strace"):
        pytest.skip("needs strace")
    trace = tmp_path / "trace"
    traced = start(["strace", "-f", "-o", trace, "-e", "trace=bind,flock,set_robust_list",
                    *[f"-E{name}={value}" for name, value in env.items()], program],
                   {}, kind=Calls)
    for call in (traced.bind, traced.bind, traced.thread, traced.child):
        assert call(START) == START
    assert traced.end() == 0
    made = re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.M)
    assert made == ["set_robust_list", "bind", "bind",
                    "set_robust_list", "bind", "set_robust_list", "bind"]


def test_the_command(musl, start, program, env, other):
    """It is of musl, too, and has its linker try the library first (dlopen)."""
    del env["LD_PRELOAD"]
    calls = start([musl / "portres", "run", "--tcp", f"{START}+3", "--", program], env,
                  kind=Calls)
    assert calls.bind(START + 1) == START + 1
    with refused(EADDRINUSE):
        other.tcp().bind(START + 1)
    said = subprocess.run([musl / "portres", "doctor"], env=env, check=False,
                          capture_output=True, text=True).stdout
    assert "threads have robust lists" in said and "a program that preloads it" in said


def test_the_command_of_the_other_libc(musl, build, program, cli, env):
    """A word of ours, before the linker ends the program with one of its own."""
    del env["LD_PRELOAD"]
    for ours, theirs in ((build / "portres", program), (musl / "portres", "true")):
        said = cli("run", "--", theirs, program=ours, env=env, status=1)
        assert "is a program of another C library (/" in said
        assert f"cannot load {ours.parent}/libportres.so: use the portres" in said
    assert cli("run", "--", "true", program=build / "portres", env=env) == ""


def test_no_name_that_musl_lacks(musl, root):
    def names(file):
        lines = subprocess.run(["nm", "-D", "--defined-only", file], check=True,
                               capture_output=True, text=True).stdout
        return set(re.findall(r"^\w+ [TW] (\w+)", lines, re.M))

    ours = {name for name in names(musl / "libportres.so") if not name.startswith("portres_")}
    assert {"bind", "close", "ioctl", "sendmmsg"} <= ours <= names(LINKER)


def test_the_library_of_the_other_libc(build, program, env):
    """docs/limits.md: the linker says so and ends the program."""
    env["LD_PRELOAD"] = str(build / "libportres.so")
    ended = subprocess.run([program], env=env, stdin=subprocess.DEVNULL, check=False,
                           capture_output=True, text=True)
    assert ended.returncode == 127
    assert f"{build}/libportres.so" in ended.stderr
