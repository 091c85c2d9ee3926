# SPDX-License-Identifier: MIT
"""Test suites in a pytest of their own, with the plugin."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import checkers

PLUGIN = pathlib.Path(__file__).resolve().parent.parent / "plugin"


def plain(shim_env, build):
    """The environment of a process that has the plugin, and not the shim."""
    env = dict(shim_env, TEST_PRELOAD=shim_env["LD_PRELOAD"])
    env["PYTHONPATH"] = os.pathsep.join([str(PLUGIN), shim_env["PYTHONPATH"]])
    env["PORTRES_LIB"] = str(build / "libportres.so")
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    del env["LD_PRELOAD"]
    runtimes = checkers.runtimes(build)
    if runtimes:
        env["LD_PRELOAD"] = " ".join(runtimes)
    return env


@pytest.fixture
def plugin_env(shim_env, build):
    """For pytest without LD_PRELOAD, the normal case."""
    return plain(shim_env, build)


@pytest.fixture
def preloaded_env(plugin_env):
    env = dict(plugin_env, LD_PRELOAD=plugin_env["TEST_PRELOAD"])
    del env["PORTRES_LIB"]
    return env


@pytest.fixture
def suite(plugin_env, tmp_path):
    """suite(text, *options, env=plugin_env, passed=…, failed=…) runs the text
    as a test module and returns what pytest said; asserts the outcomes, or
    the exit status."""

    def suite(text, *options, env=None, status=None, timeout=120, **outcomes):
        path = tmp_path / "test_inner.py"
        path.write_text("import os, signal, subprocess, sys\n"
                        "import pytest, portres\n"
                        "from plugin_inner import stranger\n" + text)
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "pytest_portres",
             "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "--tb=short",
             *options, str(path)],
            env=plugin_env if env is None else env, cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=timeout,
        )
        if status is None:
            last = run.stdout.strip().splitlines()[-1]
            said = {word: int(n) for n, word in
                    re.findall(r"(\d+) (passed|failed|error|warning|skipped)", last)}
            assert said == outcomes, run.stdout
        else:
            assert run.returncode == status, run.stdout
        return run.stdout

    return suite


@pytest.fixture
def copy_env(preloaded_env, build, tmp_path):
    """Under one copy of the library, and with another in hand."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("libportres.so", "portres"):
        shutil.copy(build / name, copy)
    return dict(preloaded_env, PORTRES_LIB=str(copy / "libportres.so"))


@pytest.fixture
def script(plugin_env):
    """script(text) runs it as a program; asserts that it succeeds."""

    def script(text, env=None, **kw):
        run = subprocess.run(
            [sys.executable, "-c", "import portres, os, socket, subprocess, sys\n"
             "from plugin_inner import stranger\n" + text],
            env=plugin_env if env is None else env, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=60, **kw,
        )
        assert run.returncode == 0, run.stdout
        return run.stdout

    return script
