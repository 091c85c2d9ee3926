# SPDX-License-Identifier: MIT
"""Processes that use portres from Python."""

import os
import shutil

import pytest

from conftest import ROOT, sanitizer

PLUGIN = ROOT / "integration" / "plugin"


def plain(shim_env, build):
    """The environment of a process that has the plugin, and not the shim."""
    env = dict(shim_env, TEST_PRELOAD=shim_env["LD_PRELOAD"])
    env["PYTHONPATH"] = os.pathsep.join([str(PLUGIN), shim_env["PYTHONPATH"]])
    env["PORTRES_LIB"] = str(build / "libportres.so")
    runtimes = sanitizer(build)
    del env["LD_PRELOAD"]
    if runtimes:
        env["LD_PRELOAD"] = " ".join(runtimes)
        # The library goes first into what a child preloads.
        env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
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
def copy_env(preloaded_env, build, tmp_path):
    """Under one copy of the library, and with another in hand."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("libportres.so", "portres"):
        shutil.copy(build / name, copy)
    return dict(preloaded_env, PORTRES_LIB=str(copy / "libportres.so"))
