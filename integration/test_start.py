# SPDX-License-Identifier: MIT
"""Costs of the library in a program that does nothing with sockets."""

import re
import struct
import subprocess

import pytest

from checkers import sanitizer

PAGE = 4096
PRESENT = 1 << 63


@pytest.fixture
def started(shim_env, build, under):
    """A program that does nothing with sockets, and has begun."""
    if sanitizer(build) or under:
        pytest.skip("a checker has memory of its own")
    with subprocess.Popen(
        ["/bin/cat"], env=shim_env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        program.stdin.write(b"begun\n")
        program.stdin.flush()
        assert program.stdout.readline() == b"begun\n"
        yield program
        program.stdin.close()


@pytest.fixture
def mapped(started):
    """(start, end, permissions) of each mapping of our file."""
    with open(f"/proc/{started.pid}/maps") as maps:
        lines = re.findall(r"^(\w+)-(\w+) (...).*/libportres\.so", maps.read(), re.M)
    return [(int(start, 16), int(end, 16), mode) for start, end, mode in lines]


def test_code_and_constants_are_one_mapping(mapped):
    assert [mode for _, _, mode in mapped] == ["r-x", "r--", "rw-"]


def test_all_that_is_written_at_start_is_in_one_page(started, mapped, build):
    start, end, _ = mapped[-1]
    assert end - start == PAGE
    headers = subprocess.check_output(["readelf", "-lW", build / "libportres.so"], text=True)
    tables = max(int(size, 16) for size in re.findall(r"LOAD(?: +0x\w+){4} 0x(\w+)", headers))
    assert tables > 64 * PAGE
    with open(f"/proc/{started.pid}/pagemap", "rb", buffering=0) as pagemap:
        pagemap.seek(end // PAGE * 8)
        pages = pagemap.read((tables // PAGE - 2) * 8)
    assert [i for i, (page,) in enumerate(struct.iter_unpack("Q", pages)) if page & PRESENT] == []
