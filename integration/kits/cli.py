# SPDX-License-Identifier: MIT
"""Fixtures for tests of the command `portres`."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

NOBODY = 65534
SONAME = "libportres.so.0"
# In a child of the command, to which the name must lead as well. A sanitizer's
# runtime goes without saying.
UNDER = ["sh", "-c", "grep -q /libportres /proc/self/maps && "
         "echo under $LD_PRELOAD | sed s,:[^:]*/lib[a-z]*san.so,,"]
# LD_PRELOAD cannot say a path through these, or says another.
UNSPEAKABLE = ["My Job", "a:b", "$LIB", "${ORIGIN}", "a b:c $ d", " "]


def block(player, kind, start, count):
    """Reserves in that program; returns the token."""
    return player.sock(kind).acquire(start, count).token


@pytest.fixture
def cli_env(shim_env, tmp_path):
    """Without LD_PRELOAD: the command needs none."""
    env = {k: v for k, v in shim_env.items() if k not in ("LD_PRELOAD", "NO_COLOR")}
    env["HOME"] = str(tmp_path)
    return env


@pytest.fixture
def cli(build, cli_env):
    """cli(*arguments, status=0, env=…) -> what it printed; asserts the status,
    and that a failure is one line on stderr and nothing else. answer=True: the
    status is one, not a failure."""

    def cli(*arguments, status=0, env=None, program=build / "portres", quiet=True,
            answer=False, **kw):
        run = subprocess.run(
            [str(program), *map(str, arguments)],
            env=cli_env if env is None else env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
            **kw,
        )
        # A guard over the tests themselves knows nothing of their stores.
        said = "".join(line for line in run.stderr.decode().splitlines(keepends=True)
                       if "the guard has not followed" not in line)
        assert run.returncode == status, (run.returncode, run.stdout, said)
        if status == 0 or answer:
            assert said == ""
            return run.stdout.decode()
        assert said.startswith("portres: ") and said.count("\n") == 1, said
        if quiet:
            assert run.stdout == b""
            return said
        return run.stdout.decode(), said

    return cli


@pytest.fixture
def listed(cli):
    """listed(*options) -> the reservations, as JSON has them."""
    return lambda *options, **kw: json.loads(cli("list", "--json", *options, **kw))


def lines(text, verdict):
    return [line.split(None, 1)[1] for line in text.splitlines() if line.split()[0] == verdict]


@pytest.fixture
def doctor(build, cli_env):
    """doctor(status, env) -> the lines of the report."""
    def doctor(status=0, env=None, program=build / "portres", prefix=(), **kw):
        run = subprocess.run(
            [*prefix, str(program), "doctor"], env=cli_env if env is None else env,
            capture_output=True, text=True, check=False, timeout=60, **kw,
        )
        assert run.stderr == ""
        assert run.returncode == status, run.stdout
        for line in run.stdout.splitlines():
            assert re.match(r"(ok|warning|error) +[a-z]+ +\S", line), line
        return run.stdout

    return doctor


@pytest.fixture
def shared_pool(build, cli_env, need, forget_persistent):
    """A pool of root and the group of NOBODY, where both can reach it, with a
    copy of the command: (directory, keyword arguments that run as NOBODY)."""
    need("become another user")
    top = pathlib.Path(tempfile.mkdtemp(prefix="portres-test-"))
    top.chmod(0o755)
    pool = top / "pool"
    pool.mkdir()
    os.chown(pool, 0, NOBODY)
    pool.chmod(0o2770)
    program = shutil.copy(build / "portres", top / "portres")
    env = dict(cli_env, PORTRES_POOL=str(pool))
    yield pool, {
        "user": NOBODY,
        "group": NOBODY,
        "extra_groups": [],
        "env": env,
        "program": program,
    }
    forget_persistent(top)
    shutil.rmtree(top)


PRIVATE = """
set -e
mount -t tmpfs -o mode=755 none /run || exit 9
mount -t tmpfs -o mode=1777 none /dev/shm
user=$1; shift
eval "$PREPARE"
exec setpriv --reuid=$user --regid=$user --clear-groups -- "$@"
"""


@pytest.fixture
def private(need):
    """private(user, prepare, env, *command) -> how it ends for that user, on a
    machine whose /run and /dev/shm the shell has prepared as root."""
    need("mount", "become another user")

    def private(user, prepare, env, *command):
        run = subprocess.run(
            ["unshare", "-m", "sh", "-c", PRIVATE, "sh", str(user), *map(str, command)],
            env=dict(env, PREPARE=prepare), capture_output=True, text=True, check=False,
            timeout=60,
        )
        if run.returncode == 9:
            pytest.skip("may not mount here")
        return run

    return private
