# SPDX-License-Identifier: MIT
"""Programs that a test compiles, and libraries beside ours."""

import errno
import os
import pathlib
import shutil
import subprocess

import pytest

import checkers

PROGRAMS = pathlib.Path(__file__).resolve().parent.parent / "programs"


def without_outer_make():
    """The environment for a make of one's own: the one that runs the tests exports its
    flags, and what its command line sets."""
    flags = os.environ.get("MAKEFLAGS", "")
    told = {word.partition("=")[0] for word in flags.split() if "=" in word}
    return {k: v for k, v in os.environ.items() if k not in told | {"MAKEFLAGS"}}


def sources(source, text_file):
    """The files of a program: one or several below programs/, a path, or a text,
    which becomes the file."""
    if isinstance(source, str) and "\n" in source:
        text_file.write_text(source)
        return [text_file]
    names = [source] if isinstance(source, (str, pathlib.Path)) else source
    return [PROGRAMS / name for name in names]


@pytest.fixture
def compile_program(build, tmp_path):
    """compile_program(source, name, lang='c', flags=[]) -> path of a program.

    `source`: see sources(). It sees the public headers and link names only.
    """

    def compile_program(source, name, lang="c", flags=()):
        suffix = {"c": ".c", "c++": ".cpp"}[lang]
        files = sources(source, tmp_path / (name + suffix))
        out = tmp_path / name
        compiler = {"c": "gcc", "c++": "g++"}[lang]
        subprocess.run(
            [compiler, f"-I{build}/include", *files, "-o", out]
            + checkers.flags(build)
            + list(flags)
            + [f"-L{build}/lib", "-lws2_32", "-liphlpapi"],
            check=True,
        )
        return out

    return compile_program


@pytest.fixture(scope="session")
def other_build(root, tmp_path_factory):
    """other_build(compiler) -> what a compiler for another libc or processor makes
    of the sources, without a warning."""
    made = {}

    def other_build(compiler):
        if not shutil.which(compiler):
            pytest.skip(f"needs {compiler}")
        if compiler not in made:
            made[compiler] = tmp_path_factory.mktemp(compiler) / "build"
            subprocess.run(
                ["make", "-s", "-j2", f"CC={compiler}", f"B={made[compiler]}",
                 "CFLAGS=-O2 -g -Werror"],
                cwd=root, check=True, env=without_outer_make())
        return made[compiler]

    return other_build


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """sandbox(errno, rule …) -> a command prefix; programs/sandbox/filter.h has the
    rules."""
    program = tmp_path_factory.mktemp("sandbox") / "sandbox"
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", PROGRAMS / "sandbox/sandbox.c",
                    "-o", program], check=True)

    def sandbox(answer, *rules):
        return [program, str(getattr(errno, answer)), *rules, "--"]

    return sandbox


@pytest.fixture
def behind(shim_env, tmp_path):
    """behind(source) -> an environment with a library of that C text behind
    ours, where libc would be."""

    def behind(source):
        beside = library(source, tmp_path / "behind.so")
        return {**shim_env, "LD_PRELOAD": f"{shim_env['LD_PRELOAD']} {beside}"}

    return behind


@pytest.fixture
def bare_env(shim_env):
    return {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}


@pytest.fixture
def compiled(build, tmp_path):
    """compiled(source, flags=()) -> a program that runs without the shim as well:
    not linked with it, as compile_program's are."""

    def compiled(source, flags=()):
        files = sources(source, tmp_path / "program.c")
        out = tmp_path / files[0].stem
        subprocess.run(
            ["gcc", "-D_GNU_SOURCE", "-Wall", "-Wextra", f"-I{build}/include"]
            + [*files, "-o", out, "-pthread", *flags],
            check=True,
        )
        return out

    return compiled


def library(source, out, *flags):
    """Compiles a shared object for a preload or a program."""
    files = sources(source, out.with_suffix(".c"))
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", *files, "-o", out, *flags],
                   check=True)
    return out
