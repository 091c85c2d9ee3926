# SPDX-License-Identifier: MIT
"""Options, the built artefacts, and a pool of its own for each test. The other
fixtures are in kits/."""

import itertools
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile

import pytest

import checkers

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A shell without job control starts what runs in the background with this one
# ignored, nohup the other, and so would be what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Those that others import first, or their assertions say little.
pytest_plugins = [
    "kits.playing",
    "kits.books",
    "kits.cli",
    "kits.compiling",
    "kits.compilers",
    "kits.csource",
    "kits.inherited",
    "kits.overlapped",
    "kits.plugin",
    "kits.race",
    "kits.real",
    "kits.rights",
    "kits.guard",
    "kits.windows",
]


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "long: minutes, not seconds; `make check-long` runs these too")


def pytest_collection_modifyitems(config, items):
    checkers.choose(items, config)
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


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
    """The build, where LD_PRELOAD can say it: a copy, if its path has a blank or a
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
def pool(tmp_path, forget_persistent):
    """A pool directory that only this test uses."""
    path = tmp_path / "pool"
    path.mkdir(mode=0o700)
    yield path
    forget_persistent(tmp_path)


@pytest.fixture
def shim_env(build, pool):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PORTRES_")}
    env["LD_PRELOAD"] = " ".join([*checkers.runtimes(build),
                                  str(build / "libportres.so")])
    env.update(checkers.OPTIONS)
    env["PORTRES_POOL"] = str(pool)
    env["PYTHONPATH"] = str(ROOT / "integration")
    return env


# A server that closes a connection first keeps its port in TIME_WAIT for a minute,
# and the first wildcard of each new pool is the same.
FIRST_PORTS = itertools.count(62000, 40)


@pytest.fixture
def own_wildcard():
    """Settings for a test whose wildcard blocks have connections, or must have
    none of another test's."""
    first = next(FIRST_PORTS)
    return {"PORTRES_WILDCARD": f"{first}-{first + 39}"}


@pytest.fixture
def run(shim_env, under):
    """run(program, *arguments, env=shim_env) -> how it ended, what it said."""

    def run(program, *arguments, env=shim_env, text=True):
        return subprocess.run(
            [*under, str(program), *[a if isinstance(a, bytes) else str(a)
                                     for a in arguments]],
            env=env, capture_output=True, text=text, check=False, timeout=60)

    return run


@pytest.fixture(scope="session")
def has():
    return shutil.which
