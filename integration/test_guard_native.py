# SPDX-License-Identifier: MIT
"""The examples of portres(7): programs that reserve without the library."""

import os
import re
import shutil
import subprocess
from errno import EADDRINUSE

import pytest

from kits.playing import refused

SAID = "5000 to 5002 are reserved, 5001 listens"


@pytest.fixture
def example(root):
    """example(first words) -> the text of that example."""
    page = (root / "docs" / "portres.7").read_text()
    texts = [text.replace("\\-", "-") for text in re.findall(r"\.EX\n(.*?)\.EE", page, re.S)]

    def example(first):
        (text,) = [text for text in texts if text.startswith(first)]
        return text

    return example


@pytest.fixture(params=["C", "Go"])
def program(request, example, build, tmp_path):
    out = tmp_path / "example"
    if request.param == "C":
        source = tmp_path / "example.c"
        source.write_text(example("#include"))
        subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-static", f"-I{build}/include",
                        source, "-o", out], check=True)
        return out
    if not shutil.which("go"):
        pytest.skip("no go here")
    source = tmp_path / "example.go"
    source.write_text(example("package main"))
    subprocess.run(["go", "build", "-o", out, source], check=True,
                   env={**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"})
    return out


def test_it_reserves(guarded, program, start):
    running = start([*guarded.inside, program], guarded.env)
    assert running.line() == SAID
    stranger = guarded.player()
    for port in 5000, 5001, 5002:
        with refused(EADDRINUSE):
            stranger.tcp().bind(port)
    with stranger.tcp() as client:
        client.connect(5001)
    again = subprocess.run([*guarded.inside, program], env=guarded.env, capture_output=True,
                           text=True, check=False, stdin=subprocess.DEVNULL)
    assert "address already in use" in (again.stdout + again.stderr).lower()
    running.kill()
    assert stranger.tcp().bind(5000) == 5000


def test_it_is_told_that_a_port_is_in_use(guarded, program):
    stranger = guarded.player()
    stranger.tcp().bind(5002)
    said = subprocess.run([*guarded.inside, program], env=guarded.env, capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL)
    assert "address already in use" in (said.stdout + said.stderr).lower()
    assert guarded.status()["blocks"] == 0


def test_without_a_guard_it_says_so(arena, program):
    said = subprocess.run([*arena.inside, program], env=arena.env, capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL)
    assert "protocol not available" in (said.stdout + said.stderr).lower()
