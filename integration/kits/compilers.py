# SPDX-License-Identifier: MIT
"""Programs as Windows programmers write them, in programs/winsock_windows: built on our
headers by every compiler, as C and as C++, and by mingw-w64 on its own."""

import re
import shutil
import subprocess

import pytest

import checkers
from kits.compiling import PROGRAMS

WARNINGS = ["-Wall", "-Wextra", "-Werror"]
COMPILERS = [("c", "gcc"), ("c++", "g++"), ("c", "clang"), ("c++", "clang++")]
FOUND = [pair for pair in COMPILERS if shutil.which(pair[1])]
MINGW = "x86_64-w64-mingw32-gcc"


def table(text):
    """{what: number or text} of the lines that a program says; as rows of
    several, with ';' between them, a test has them."""
    rows = re.split(r"\s*[;\n]\s*", text.strip())
    return dict(re.fullmatch(r"(.*?) (-?\d+|\[.*\])", row).groups() for row in rows)


@pytest.fixture
def by_compiler(build, tmp_path):
    """by_compiler(name, language, compiler, *flags) -> its path; no warning."""

    def by_compiler(name, language="c", compiler="gcc", *flags):
        out = tmp_path / f"{name}-{compiler}"
        # The sanitizers' runtimes that are preloaded are gcc's.
        checker = checkers.flags(build) if compiler in ("gcc", "g++") else []
        if checkers.sanitizer(build) and not checker:
            pytest.skip("another compiler's sanitizer")
        subprocess.run(
            [compiler, *WARNINGS, *flags, f"-I{build}/include", "-x", language,
             PROGRAMS / "winsock_windows" / f"{name}.c", "-x", "none", "-o", out, *checker,
             f"-L{build}/lib", "-lws2_32", "-liphlpapi"], check=True)
        return out

    return by_compiler


@pytest.fixture
def mingw(tmp_path):
    """mingw(name) -> the path of the same program, compiled for Windows; its runtime
    has not all that its headers have. It may warn: it knows printf's formats."""
    if not shutil.which(MINGW):
        pytest.skip(f"no {MINGW}")

    def mingw(name):
        out = tmp_path / f"{name}.o"
        subprocess.run(
            [MINGW, "-w", "-c", PROGRAMS / "winsock_windows" / f"{name}.c", "-o", out],
            check=True)
        return out

    return mingw
