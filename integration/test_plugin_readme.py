# SPDX-License-Identifier: MIT
"""The recipes of the plugin's README, each as a test module of its own."""

import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

from conftest import ROOT
from kits.plugin import PLUGIN
from kits.rights import RIGHTS, works

README = (ROOT / "integration/plugin/README.md").read_text()
RECIPES = dict(re.findall(r"^## (.+)\n(?:(?!##).*\n)*?```python\n((?:.*\n)*?)```", README, re.M))

NEEDED = {
    "redis": ["redis-server"],
    "PostgreSQL": ["psql", *(glob.glob("/usr/lib/postgresql/*/bin/postgres") or ["postgres"])],
}


@pytest.fixture
def folder(plugin_env, build, own_wildcard):
    """A folder of the user who runs it: nobody where we are root, because
    PostgreSQL does not run as root."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="portres-test-"))
    shutil.copytree(PLUGIN, top / "plugin")
    shutil.copy(build / "libportres.so", top)
    (top / "pool").mkdir(mode=0o700)
    plugin_env.update(PORTRES_LIB=str(top / "libportres.so"), PORTRES_POOL=str(top / "pool"),
                      PYTHONPATH=str(top / "plugin"), HOME=str(top), TMPDIR=str(top))
    plugin_env.update(own_wildcard)
    top.chmod(0o755)
    yield top
    shutil.rmtree(top)


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe(recipe, folder, plugin_env, has):
    for program in NEEDED.get(recipe, []):
        if not has(program):
            pytest.skip(f"needs {program}: see tests/packages")
    prefix = []
    if os.geteuid() == 0 and works(*RIGHTS["become another user"]):
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534)
    elif os.geteuid() == 0 and recipe == "PostgreSQL":
        pytest.skip("PostgreSQL does not run as root")
    (folder / "test_recipe.py").write_text(RECIPES[recipe])
    run = subprocess.run(
        [*prefix, sys.executable, "-m", "pytest", "-q", "-p", "pytest_portres", "-W", "error",
         "-p", "no:cacheprovider", f"--rootdir={folder}", "test_recipe.py"],
        cwd=folder, env=plugin_env, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr


def test_all_are_run():
    """Each block of Python that is one."""
    assert sorted(RECIPES) == sorted(
        ["asyncio", "http.server, and any server with a --port", "redis", "PostgreSQL",
         "multiprocessing"])
    assert README.count("```python\n") == len(RECIPES)


TRAIN = """
import os, socket
address = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
with socket.create_server(address):
    print("trains on", address[1])
"""


def test_the_launcher(folder, plugin_env):
    """torch itself is too large to be had here: what it does with the port is not."""
    (text,) = re.findall(r"^## torch.distributed\n(?:(?!##).*\n)*?```py\n((?:.*\n)*?)```", README,
                         re.M)
    (folder / "train.py").write_text(TRAIN)
    (folder / "launch.py").write_text(f"import os, portres, sys\n{text}")
    (folder / "python").symlink_to(sys.executable)
    plugin_env["PATH"] = f"{folder}:{plugin_env.get('PATH', os.defpath)}"
    run = subprocess.run([sys.executable, "launch.py"], cwd=folder, env=plugin_env,
                         capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    assert re.fullmatch(r"trains on \d+\n", run.stdout)


def test_what_it_names_is_there():
    for name in re.findall(r"\]\((\S+)\)", README):
        assert (PLUGIN / name).exists(), name
