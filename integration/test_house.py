# SPDX-License-Identifier: MIT
"""What CONTRIBUTING.md says of the tree is true."""

import graphlib
import re

import pytest
from conftest import ROOT
from kits.sources import comments

FLOORS = {
    "core/kernel": {"core/kernel"},
    "core/pool": {"core/kernel", "core/pool"},
    "shim": {"core/kernel", "core/pool", "shim"},
    "cli": {"core/kernel", "core/pool", "shim", "cli", "guard"},
    "guard": {"guard", "include"},
    "winsock": {"winsock"},
    "winsock/crt": {"winsock/crt"},
}


def files(folder, pattern="*.[ch]"):
    found = sorted((ROOT / folder).glob(pattern))
    assert found, folder
    return found


def included(file):
    """What it includes of ours, from the top of the tree."""
    return re.findall(r'^#include "([\w/]+)\.(?:h|def)"$', file.read_text(), re.M)


def unit(file):
    """A .c with its .h."""
    return file.relative_to(ROOT).with_suffix("").as_posix()


@pytest.mark.parametrize("folder", FLOORS)
def test_a_floor_stands_on_those_below(folder):
    for file in files(folder):
        for name in included(file):
            above = name.rpartition("/")[0]
            assert not above or above in FLOORS[folder], f"{file}: {name}"


def test_no_unit_stands_on_itself():
    stands_on = {}
    for folder in FLOORS:
        for file in files(folder):
            below = set(included(file)) - {unit(file)}
            stands_on.setdefault(unit(file), set()).update(below)
    order = list(graphlib.TopologicalSorter(stands_on).static_order())
    assert order.index("core/kernel/sys") < order.index("shim/steer")


@pytest.mark.parametrize("folder", FLOORS)
def test_a_header_is_its_units(folder):
    for file in files(folder, "*.h"):
        assert not file.stem.endswith("_inside"), file
    for file in files(folder, "*.c"):
        header = file.with_suffix(".h")
        if header.exists():
            assert included(file)[0] == unit(file), f"{file}: its own header first"


def test_errno_is_written_at_the_edge():
    writers = [
        file.relative_to(ROOT).as_posix()
        for folder in ("core/kernel", "core/pool", "shim")
        for file in files(folder)
        if re.search(r"\berrno\s*=[^=]", file.read_text())
    ]
    assert len(writers) <= 3 and "shim/shim.h" in writers, writers


SPOKEN = {
    "core/kernel": "*.[ch]",
    "core/pool": "*.[ch]",
    "shim": "*.[ch]",
    "cli": "*.[ch]",
    "bench": "*.[ch]",
    "guard": "*.[ch]",
    "winsock": "**/*.[ch]",
    "include": "*.h",
    "tests": "*.[ch]",
    "integration/programs": "**/*.[ch]*",
}


def test_a_sentence_begins_with_a_thing():
    """Not with a riddle, to be solved before the verb comes."""
    riddle = re.compile(
        r"(?:^|[.;:?!] )\(?"
        r"(?:Who|Whoever|What|Where|Of|The same(?=[.,]| of| for| in))\b"
    )
    found = [
        f"{file}: {comment}"
        for folder, pattern in SPOKEN.items()
        for file in files(folder, pattern)
        for comment in comments(file)
        if riddle.search(comment)
    ]
    assert not found, "\n".join(found)


def test_valgrind_is_told_functions_that_there_are(root):
    told = re.findall(r"fun:(\w+)$", (root / "integration/valgrind.supp").read_text(), re.M)
    made = {name for folder in ("core/kernel", "shim", "winsock", "winsock/win32")
            for file in files(folder, "*.c")
            for name in re.findall(r"(?m)^(\w+)\(", file.read_text())}
    assert set(told) - made <= {"process_vm_writev", "syscall"}
