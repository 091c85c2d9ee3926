# SPDX-License-Identifier: MIT
"""Builds for another libc or processor: without a warning, and with the names that
hooks.def says."""

import subprocess

import pytest

from kits.compiling import without_outer_make

COMPILERS = {
    "musl-gcc": "X86-64",
    "aarch64-linux-gnu-gcc": "AArch64",
}


@pytest.mark.parametrize("compiler", COMPILERS)
def test_it_builds(other_build, root, compiler):
    out = other_build(compiler)
    for file in ("libportres.so", "portres"):
        header = subprocess.run(["readelf", "-h", out / file], check=True,
                                capture_output=True, text=True).stdout
        assert COMPILERS[compiler] in header
    subprocess.run(["make", "-s", "check-symbols", f"CC={compiler}", f"B={out}"], cwd=root,
                   check=True, env=without_outer_make())


@pytest.mark.parametrize("compiler,directory", [
    ("gcc", "build"), ("clang", "build"), ("musl-gcc", "build-musl"),
    ("/opt/bin/aarch64-linux-gnu-gcc", "build-aarch64-linux-gnu"),
])
def test_each_has_its_directory(root, compiler, directory):
    said = subprocess.run(["make", "-n", f"CC={compiler}", "check-symbols"], cwd=root,
                          check=False, capture_output=True, text=True,
                          env=without_outer_make()).stdout
    assert f">{directory}/wanted.txt" in said
