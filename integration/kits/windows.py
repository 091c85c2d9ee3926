# SPDX-License-Identifier: MIT
"""Programs as Windows programmers write them: built here by each compiler, without
a warning, and for Windows where mingw-w64 is."""

import shutil
import subprocess

import pytest

import checkers
from kits.compiling import PROGRAMS

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"]
COMPILERS = [("c", "gcc"), ("c", "clang"), ("c++", "g++"), ("c++", "clang++")]
WINDOWS = {"c": "x86_64-w64-mingw32-gcc", "c++": "x86_64-w64-mingw32-g++"}

LIBRARIES = ["-lws2_32", "-lmswsock", "-liphlpapi"]


def language_of(source):
    return "c++" if source.endswith("pp") else "c"


def sentence(command):
    """Runs it; its complaints, which should be none."""
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                         check=False)
    assert ran.returncode == 0 and not ran.stderr, ran.stderr


@pytest.fixture
def windows_program(build, tmp_path):
    """windows_program(source, flags=[]) -> that program below programs/. A source in
    C is built as C++ too, and by each compiler that this machine has."""

    def windows_program(source, flags=()):
        out = tmp_path / (source.rpartition("/")[2].partition(".")[0])
        runs = {"c": "gcc", "c++": "g++"}[language_of(source)]
        for language, compiler in COMPILERS:
            if language_of(source) == "c++" != language or not shutil.which(compiler):
                continue
            made = out if compiler == runs else tmp_path / f"by-{compiler}"
            # A checker's archive wants that checker in the program.
            checked = checkers.flags(build) if made == out else \
                ["-c"] if checkers.sanitizer(build) else []
            libraries = [] if "-c" in checked else [f"-L{build}/lib", *LIBRARIES]
            sentence([compiler, "-x", language, f"-I{build}/include", PROGRAMS / source,
                      "-x", "none", "-o", made, "-pthread", *WARNINGS, *checked, *flags,
                      *libraries])
        return out

    return windows_program


@pytest.fixture
def builds_for_windows(tmp_path):
    """builds_for_windows(source): it does, with the headers of mingw-w64."""

    def builds_for_windows(source):
        compiler = WINDOWS[language_of(source)]
        if not shutil.which(compiler):
            pytest.skip(f"no {compiler} here, which is mingw-w64")
        sentence([compiler, "-Wall", "-Wextra", "-Wno-unknown-pragmas",
                  "-D_WIN32_WINNT=0x0602", PROGRAMS / source, "-o",
                  tmp_path / "program.exe", *LIBRARIES])

    return builds_for_windows
