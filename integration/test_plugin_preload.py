# SPDX-License-Identifier: MIT
"""What popen() puts into LD_PRELOAD, and that the program has the library."""

import os
import shutil
import subprocess
import sys

import pytest

from kits.plugin import PLUGIN
from kits.cli import NOBODY, SONAME, UNDER, UNSPEAKABLE

# The library must be in the program's own child too.
POPEN = f"""
with portres.reserve(start=28000) as r:
    assert r.env(r.env()) == r.env()
    child = r.popen({UNDER!r}, stdout=subprocess.PIPE, text=True)
    print(child.communicate()[0], end="")
"""


def library_in(build, folder, name="libportres.so"):
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.copy(build / "libportres.so", folder / name)


@pytest.mark.parametrize("folder", [*UNSPEAKABLE, "a\tb\n"])
def test_a_path_that_ld_preload_cannot_say(script, build, cli_env, plugin_env, pool, tmp_path,
                                           folder):
    plugin_env["PORTRES_LIB"] = str(library_in(build, tmp_path / folder))
    said = script(POPEN)
    links = list(pool.glob("libportres-*.so"))
    if folder == "a\tb\n":
        assert said.startswith("under /") and not links
        return
    assert said == f"under {links[0]}\n"
    # The command's, for the same file; made once, and anew when it is wrong.
    made = links[0].lstat()
    env = dict(cli_env, PORTRES_LIB=plugin_env["PORTRES_LIB"])
    run = [build / "portres", "run", *UNDER]
    assert subprocess.check_output(run, env=env, text=True) == said
    assert script(POPEN) == said
    assert links[0].lstat().st_ino == made.st_ino
    for elsewhere in "/nowhere", "/etc/passwd":
        links[0].unlink()
        links[0].symlink_to(elsewhere)
        assert script(POPEN) == said
    assert list(pool.glob("libportres*")) == links


@pytest.fixture
def elsewhere(build, private, shared_pool, plugin_env):
    """elsewhere(user, prepare) -> what popen() of that user says, whose pool a
    group shares, with a library in a folder with a blank."""
    pool, _ = shared_pool
    library = library_in(build, pool.parent / "My Job")
    shutil.copytree(PLUGIN, pool.parent / "plugin")
    env = dict(plugin_env, PORTRES_LIB=str(library), PORTRES_POOL=str(pool),
               PYTHONPATH=str(pool.parent / "plugin"))

    def elsewhere(user, prepare="", **variables):
        return private(user, prepare, dict(env, **variables), sys.executable, "-c",
                       "import portres, subprocess\n" + POPEN)

    return elsewhere


def test_no_link_where_others_may_write_for_python(elsewhere):
    """As test_cli_library.py has it of the command."""
    assert "under /run/libportres-" in elsewhere(0).stdout
    full = "mount -o remount,ro /run;"
    his = f"{full} mkdir -m 700 /dev/shm/his; chown {NOBODY} /dev/shm/his;"
    run = elsewhere(0, his, XDG_RUNTIME_DIR="/dev/shm/his")
    assert "under /dev/shm/portres-0/libportres-" in run.stdout
    own = f"under /dev/shm/portres-{NOBODY}/libportres-"
    mine = f"mkdir -m 700 /run/mine; chown {NOBODY} /run/mine;"
    runtime = {"XDG_RUNTIME_DIR": "/run/mine"}
    assert "under /run/mine/libportres-" in elsewhere(NOBODY, mine, **runtime).stdout
    for spoil in (
        "chmod g+w /run/mine", "chmod o+w /run/mine",
        "mv /run/mine /run/other; ln -s other /run/mine", "chmod 500 /run/mine",
        "mv /run/mine '/run/my dir'; export XDG_RUNTIME_DIR='/run/my dir'",
        "export XDG_RUNTIME_DIR=mine; cd /run",
    ):
        assert own in elsewhere(NOBODY, mine + spoil, **runtime).stdout, spoil
    taken = elsewhere(NOBODY, f"mkdir -m 755 /dev/shm/portres-{NOBODY}")
    assert taken.returncode == 1 and "under" not in taken.stdout
    assert "/My Job/libportres.so, for its blank" in taken.stderr


def test_without_a_pool_of_its_own_name(elsewhere):
    """PORTRES_POOL is not set: the user's pool, and the machine's."""
    user = f"under /dev/shm/portres-{NOBODY}/libportres-"
    assert user in elsewhere(NOBODY, "unset PORTRES_POOL").stdout
    runtime = {"XDG_RUNTIME_DIR": "/run/mine"}
    made = f"unset PORTRES_POOL; mkdir -m 700 /run/mine; chown {NOBODY} /run/mine;"
    assert user in elsewhere(NOBODY, made, **runtime).stdout
    made += f"mkdir -m 2770 /run/portres; chgrp {NOBODY} /run/portres;"
    assert "under /run/mine/libportres-" in elsewhere(NOBODY, made, **runtime).stdout


@pytest.fixture
def linked(build, plugin_env, tmp_path):
    """Where the linker finds it by its name, and nobody else does; nor is the
    plugin in a checkout."""
    library_in(build, tmp_path / "multiarch", SONAME)
    shutil.copytree(PLUGIN, tmp_path / "site-packages")
    plugin_env["PYTHONPATH"] = plugin_env["PYTHONPATH"].replace(
        str(PLUGIN), str(tmp_path / "site-packages"))
    plugin_env["LD_LIBRARY_PATH"] = str(tmp_path / "multiarch")
    plugin_env["PATH"] = "/usr/bin:/bin"
    del plugin_env["PORTRES_LIB"]
    return tmp_path / "multiarch" / SONAME


def test_found_by_the_linker(script, linked):
    """A child may look elsewhere: it is told the path."""
    assert script(POPEN) == f"under {linked}\n"
    look = f"print(portres.load('{linked}').command())"
    (linked.parent.parent.parent / "bin").mkdir()
    program = linked.parent.parent.parent / "bin/portres"
    assert str(program) not in script(look)
    program.write_text("")
    program.chmod(0o755)
    assert os.path.samefile(script(look).strip(), program)


@pytest.mark.parametrize("word", [SONAME, "{0}/libportres.so", "libportres.so"])
def test_preloaded_by_another_name(script, build, linked, plugin_env, tmp_path, word):
    """First, by that name, and without a look beside this process."""
    library_in(build, tmp_path)  # here, where the linker does not look
    (linked.parent / "libportres.so").symlink_to(SONAME)
    word = word.format("multiarch")
    plugin_env["LD_PRELOAD"] = f"libm.so.6:{word}"
    found = linked.parent / word.rpartition("/")[2]
    assert script(POPEN, cwd=tmp_path) == f"under {found}:libm.so.6\n"
