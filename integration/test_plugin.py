# SPDX-License-Identifier: MIT
"""The pytest plugin: who has its ports, and for how long."""

import os
import re
import shutil
import signal

import pytest

from plugin_inner import stranger
from kits.plugin import PLUGIN


@pytest.mark.parametrize("how", ["plugin_env", "preloaded_env"])
@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_nobody_else_gets_them(suite, listed, request, how, proto):
    """And after the test anybody may have them."""
    env = request.getfixturevalue(how)
    said = suite(
        f"""
def test_it(reserved_ports):
    r = reserved_ports(3, {proto!r})
    assert r.ports == [r.port, r.port + 1, r.port + 2]
    print("ports", *r.ports)
    for port in r.ports:
        assert stranger(port, {proto!r}) == "EADDRINUSE"
    other = {{"tcp": "udp", "udp": "tcp"}}[{proto!r}]
    assert stranger(r.port, other) == "bound"
""", "-s", env=env, passed=1,
    )
    ports = re.search(r"ports (.*)", said)[1].split()
    assert listed() == []
    assert [stranger(port, proto, env) for port in ports] == ["bound"] * 3


def test_each_test_has_its_own(suite, listed):
    """A failed test's ports are free for the next one, which wants the same."""
    said = suite(
        """

@pytest.mark.parametrize("fails", [True, False, True, False])
def test_it(reserved_ports, fails):
    r, second = reserved_ports(3, start=28000), reserved_ports(start=28003)
    assert (r.ports, second.port) == ([28000, 28001, 28002], 28003)
    sleeper = r.popen(["sleep", "600"])
    print("sleeper", sleeper.pid)
    assert not fails
""", "-s", passed=2, failed=2,
    )
    assert listed() == []
    sleepers = re.findall(r"sleeper (\d+)", said)
    assert len(sleepers) == 4
    assert not [pid for pid in sleepers if os.path.exists(f"/proc/{pid}")]


def test_the_longer_scopes(suite, listed):
    suite(
        """
@pytest.fixture(scope="module")
def module(reserved_ports_module):
    return reserved_ports_module(2, start=28000)

@pytest.fixture(scope="session")
def session(reserved_ports_session):
    return reserved_ports_session(2, "udp", start=28010)

@pytest.mark.parametrize("turn", range(2))
def test_they_stay(module, session, turn):
    assert stranger(module.port) == "EADDRINUSE"
    assert stranger(session.ports[1], "udp") == "EADDRINUSE"

""", passed=2,
    )
    assert listed() == []


def test_a_module_ends_before_the_session(suite, tmp_path, listed):
    (tmp_path / "conftest.py").write_text("""
import pytest

@pytest.fixture(scope="session")
def session(reserved_ports_session):
    return reserved_ports_session(start=28010)

@pytest.fixture(scope="module", autouse=True)
def module(session, reserved_ports_module):
    return reserved_ports_module(start=28000)
""")
    look = """
from plugin_inner import stranger

def test_look(module, session):
    assert (module.port, session.port) == (28000, 28010)
    assert [stranger(28000), stranger(28010)] == ["EADDRINUSE"] * 2
"""
    (tmp_path / "test_a.py").write_text(look)
    # It would not get the same ports if the first module still had them.
    suite(look, str(tmp_path / "test_a.py"), passed=2)
    assert listed() == []


@pytest.mark.parametrize("end,status", [
    ("os._exit(7)", 7), ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
])
@pytest.mark.parametrize("how", ["plugin_env", "preloaded_env"])
def test_pytest_dies(suite, listed, request, how, end, status):
    env = request.getfixturevalue(how)
    suite(
        f"""
def test_it(reserved_ports, reserved_ports_session):
    reserved_ports(3, start=28000), reserved_ports_session(3, start=28010)
    assert stranger(28000) == "EADDRINUSE"
    {end}
""", env=env, status=status,
    )
    assert listed() == []
    assert [stranger(port, env=env) for port in (28000, 28010)] == ["bound"] * 2


def test_the_library_is_missing(suite, plugin_env, tmp_path):
    """It is said once, without a traceback, and how to go on."""
    text = """
def test_it(reserved_ports):
    pass

def test_without():
    pass
"""
    plugin_env["PORTRES_LIB"] = str(tmp_path / "nowhere.so")
    said = suite(text, passed=1, error=1)
    assert "--portres-lib (pytest)" in said and "nowhere.so" in said
    assert "Traceback" not in said and "library.py" not in said
    plugin_env["PORTRES_LIB"] = "/lib/x86_64-linux-gnu/libc.so.6"
    if os.path.exists(plugin_env["PORTRES_LIB"]):
        assert "libc.so.6 is another library" in suite(text, passed=1, error=1)


def test_the_option(suite, plugin_env, build, tmp_path):
    """It comes before the environment; a wrong one stops everything."""
    text = """
def test_it(reserved_ports):
    r = reserved_ports()
    assert stranger(r.port) == "EADDRINUSE"
    # Programs change directory.
    assert os.path.isabs(r.env({})["LD_PRELOAD"])
"""
    plugin_env["PORTRES_LIB"] = str(tmp_path / "nowhere.so")
    suite(text, f"--portres-lib={os.path.relpath(build, tmp_path)}/libportres.so", passed=1)
    said = suite(text, "--portres-lib=nowhere.so", status=pytest.ExitCode.USAGE_ERROR)
    assert "ERROR: --portres-lib: " in said and "nowhere.so" in said


FOUND = """
def test_it(reserved_ports):
    assert stranger(reserved_ports().port) == "EADDRINUSE"
    print("found", portres.load().path)
"""


@pytest.fixture
def found(suite, plugin_env, build, tmp_path):
    """found(place for the plugin) -> the library that is found with no setting,
    beside what `make install` makes of the command."""
    for folder in "bin", "lib":
        (tmp_path / folder).mkdir()
    (tmp_path / "bin/portres").write_text("")
    (tmp_path / "bin/portres").chmod(0o755)
    shutil.copy(build / "libportres.so", tmp_path / "lib/libportres.so.1.2.3")
    for name in "libportres.so.0", "libportres.so":
        (tmp_path / "lib" / name).symlink_to("libportres.so.1.2.3")
    (tmp_path / "build").mkdir()
    shutil.copy(build / "libportres.so", tmp_path / "build")
    del plugin_env["PORTRES_LIB"]
    plugin_env["PATH"] = f"{tmp_path}/bin:{plugin_env['PATH']}"
    path = plugin_env["PYTHONPATH"]

    def found(place, **variables):
        if not (tmp_path / place).exists():
            shutil.copytree(PLUGIN, tmp_path / place)
        env = dict(plugin_env, **variables)
        env["PYTHONPATH"] = path.replace(str(PLUGIN), str(tmp_path / place))
        return re.search("found (.*)", suite(FOUND, "-s", env=env, passed=1))[1]

    return found


def test_found_beside_the_command(found, tmp_path):
    """As `make install` puts them: ../lib of the folder with the command, under
    the name that stays. The plugin is installed, whatever lies around it."""
    for place in "site-packages", "python/plugin", "integration/site-packages":
        assert found(place) == f"{tmp_path}/lib/libportres.so.0"
    (tmp_path / "lib/libportres.so.0").unlink()
    assert found("site-packages") == f"{tmp_path}/lib/libportres.so"


def test_found_in_the_checkout(found, tmp_path, shim_env):
    """Before what is installed, after what was said."""
    own = str(tmp_path / "build/libportres.so")
    assert found("integration/plugin") == own
    named = str(tmp_path / "lib/libportres.so")
    assert found("integration/plugin", PORTRES_LIB=named) == named
    preloads = shim_env["LD_PRELOAD"].split()
    assert found("integration/plugin", LD_PRELOAD=" ".join(preloads)) == preloads[-1]
    (tmp_path / "build/libportres.so").unlink()
    assert found("integration/plugin") == f"{tmp_path}/lib/libportres.so.0"


def test_it_can_be_installed(root):
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())
    packages = project["tool"]["setuptools"]["packages"]
    assert sorted(packages) == sorted(path.parent.name for path in PLUGIN.glob("*/__init__.py"))
    for package in packages:
        assert (PLUGIN / package / "py.typed").exists()
        assert project["tool"]["setuptools"]["package-data"][package] == ["py.typed"]
    entry = project["project"]["entry-points"]["pytest11"]
    assert entry == {"pytest_portres": "pytest_portres"}
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"file": "VERSION"}
    assert (PLUGIN / "VERSION").samefile(root / "VERSION")
