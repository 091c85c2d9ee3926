# SPDX-License-Identifier: MIT
"""The plugin installed, beside a checkout, and under other Pythons."""

import glob
import os
import re
import shutil
import subprocess
import sys
import sysconfig

import pytest

from kits.plugin import PLUGIN

VERSION = (PLUGIN / "VERSION").read_text().strip()
METADATA = f"""Metadata-Version: 2.1
Name: pytest-portres
Version: {VERSION}
"""

ONE = """
def test_it(reserved_ports):
    assert stranger(reserved_ports().port) == "EADDRINUSE"
"""


def described(place):
    """As `pip install` leaves it there, or `setup.py egg_info`."""
    folder = place / f"pytest_portres-{VERSION}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA)
    text = (PLUGIN / "pyproject.toml").read_text()
    points = re.search(r"\[project.entry-points.pytest11\]\n((?:.+\n)+)", text)[1]
    (folder / "entry_points.txt").write_text("[pytest11]\n" + points.replace('"', ""))


@pytest.fixture
def found(plugin_env, tmp_path):
    """The plugin is found by its metadata, in a copy of the checkout's folder."""
    copy = tmp_path / "copy"
    shutil.copytree(PLUGIN, copy)
    described(copy)
    del plugin_env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
    plugin_env["PYTHONPATH"] = plugin_env["PYTHONPATH"].replace(str(PLUGIN), str(copy))
    return plugin_env


def test_found_twice(suite, found, tmp_path):
    """By -p and by its metadata: it is registered once."""
    suite(ONE, passed=1)
    other = tmp_path / "other"
    other.mkdir()
    described(other)
    found["PYTHONPATH"] += os.pathsep + str(other)
    suite(ONE, passed=1)


def pythons():
    """Other versions that are here."""
    # pyenv has others in its own place; what is in the path is a script.
    places = [*glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin")), *os.get_exec_path()]
    seen = {}
    for place in places:
        for path in glob.glob(f"{place}/python3.*"):
            version = re.fullmatch(r"python3\.(\d+)", os.path.basename(path))
            if version and 8 <= int(version[1]):
                seen.setdefault(int(version[1]), path)
    return seen


EVERYWHERE = """
import portres, socket, subprocess, sys
with portres.reserve(2, "both", align=2) as r:
    assert r.port % 2 == 0
    with r.socket() as s:
        s.listen()
        r.wait_listening(10, proto="tcp")
        assert r.popen([sys.executable, "-c", "print(1)"], stdout=subprocess.DEVNULL).wait() == 0
    code = "import socket, sys; s = socket.create_server(('', int(sys.argv[1]))); s.accept()"
    r.popen([sys.executable, "-c", code, str(r.ports[1])])
    r.wait_listening(10, index=1, proto="tcp")
    r.stop()
assert isinstance(portres.port(), int)
print("fine")
"""


@pytest.mark.parametrize("minor", range(8, 14))
def test_other_pythons(plugin_env, minor):
    python = pythons().get(minor)
    if not python:
        pytest.skip(f"no Python 3.{minor}")
    run = subprocess.run([python, "-W", "error", "-c", EVERYWHERE], env=plugin_env,
                         capture_output=True, text=True, check=False, timeout=120)
    assert run.stdout == "fine\n", run.stderr


def test_in_a_virtual_environment(plugin_env, tmp_path):
    """Installed by pip, with what is here; the network is not asked."""
    made = subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", tmp_path / "v"],
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip("no venv: python3-venv is missing")
    source = tmp_path / "plugin"
    shutil.copytree(PLUGIN, source)
    python = tmp_path / "v/bin/python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "--no-index", "--no-build-isolation", "--no-deps", source],
        capture_output=True, text=True, check=False)
    if "setuptools" in done.stderr and done.returncode != 0:
        pytest.skip("no setuptools to build with")
    assert done.returncode == 0, done.stderr
    test = tmp_path / "test_inner.py"
    test.write_text("def test_it(reserved_ports):\n    assert reserved_ports().port > 0\n")
    env = {k: v for k, v in plugin_env.items()
           if k not in ("PYTHONPATH", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")}
    run = subprocess.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", test], env=env,
                         cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert "1 passed" in run.stdout, run.stdout + run.stderr
    where = subprocess.run([python, "-c", "import portres; print(portres.__file__)"], env=env,
                           capture_output=True, text=True, check=True).stdout
    assert where.startswith(str(tmp_path / "v"))
    assert os.path.exists(os.path.join(os.path.dirname(where.strip()), "py.typed"))


def test_types(plugin_env, has):
    """Strictly, the plugin itself and a program that uses it."""
    if not has("mypy"):
        pytest.skip("no mypy")
    version = sysconfig.get_python_version()
    run = subprocess.run(
        ["mypy", "--strict", "--cache-dir=/dev/null", f"--python-version={version}",
         PLUGIN / "portres", PLUGIN / "pytest_portres"],
        cwd=PLUGIN, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout
