# SPDX-License-Identifier: MIT
"""Each function that the headers of Winsock declare is called by a program of ours."""

import ctypes
import re

import pytest

# Words before declarations and types, which look like functions.
NO_FUNCTIONS = {"sal.h", "sdkddkver.h", "portres_words.h", "portres.h"}
# Not to be called: the words of declarations, and what the headers need themselves.
NOT_CALLED = {"DECLSPEC_ALIGN", "__WSAFDIsSet"}


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)


def is_libcs(name):
    """Or what every program has itself."""
    return hasattr(ctypes.CDLL("libc.so.6"), name) or name in ("main", "wmain")


@pytest.fixture(scope="module")
def declared(root):
    """{name: the header}, of functions, and of macros that stand for functions."""
    found, aliases = {}, {}
    for path in (root / "include").glob("*.h"):
        if path.name in NO_FUNCTIONS:
            continue
        text = without_comments(path.read_text()).replace("\\\n", " ")
        macros = re.findall(r"^#\s*define +(\w+)\(", text, re.M)
        aliases.update({name: (to, path.name) for name, to in re.findall(
            r"^#\s*define +(\w+) +(\w+)\s*$", text, re.M)})
        text = re.sub(r"^#.*", "", text, flags=re.M)
        functions = re.findall(
            r"(?:\b\w*_API\b|\bWINSOCK_API_LINKAGE\b|\bextern\b|\binline\b|\b__inline\b"
            r"|\bFORCEINLINE\b)[^;{(=]*?(?:\bWSAAPI\()?\b(\w+)\)?\s*\(", text)
        found.update(dict.fromkeys(macros + functions, path.name))
    # A name for another name is one for what that is.
    for _ in range(3):
        found.update({name: header for name, (to, header) in aliases.items()
                      if to in found or is_libcs(to)})
    return {name: header for name, header in found.items()
            if not re.match("_?portres|__", name, re.I) and name not in NOT_CALLED}


@pytest.fixture(scope="module")
def named(root):
    """The words of our programs, and of those that tests have in them."""
    folder = root / "integration"
    programs = [without_comments(path.read_text()) for path in (folder / "programs").glob("**/*")
                if path.suffix in (".c", ".h", ".cpp")]
    tests = [re.sub(r"^\s*#(?! *(?:include|define)).*", "", path.read_text(), flags=re.M)
             for path in [*folder.glob("test_*.py"), *(folder / "kits").glob("*.py")]
             if path.name != "test_winsock_names.py"]
    words = set(re.findall(r"\w+", "\n".join(programs + tests)))
    # The name without a letter is the narrow one, where nobody has said UNICODE.
    return words | {f"{word}A" for word in words}


def test_it_finds_functions_of_every_kind(declared):
    assert {"WSASend", "bind", "_snprintf_s", "_dup2", "_tcscpy", "CopyMemory",
            "SecureZeroMemory", "InterlockedExchange64", "getch", "StringCbCat",
            "ioctlsocket", "gethostname", "IN6ADDR_ISV4MAPPED", "InetNtopW"} <= declared.keys()
    assert len(declared) > 500


def test_a_program_calls_each(declared, named):
    missing = {}
    for name, header in sorted(declared.items()):
        if name not in named:
            missing.setdefault(header, []).append(name)
    assert missing == {}
