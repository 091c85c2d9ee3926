# SPDX-License-Identifier: MIT
"""A program keeps the blocks that it was started with, whatever it does to its
descriptors, and to it theirs are not there."""

import errno
import subprocess

import pytest

from kits.inherited import FIRST, PYTHON, assert_its_own, guarded

CLOSE_ALL = [
    "[C.close(fd) for fd in range(3, 2048)] and 0",
    "os.closerange(3, 1 << 20)",
    "C.close_range(3, 0x7fffffff, 0)",
    "C.close_range(3, 0xffffffff, 2)",
    "[C.closefrom(3)] and 0",
    "[os.dup2(0, fd) for fd in range(3, 1020)] and 0",
    "[C.dup3(0, fd, 0o2000000) for fd in range(3, 1020)] and 0",
    "[C.__dup2(0, fd) for fd in range(3, 1020)] and 0",
]
MARK_ALL = [
    "C.close_range(3, 0xffffffff, 4)",
    "[C.fcntl(fd, 2, 1) for fd in range(3, 2048)] and 0",
    "[C.fcntl64(fd, 2, 1) for fd in range(3, 2048)] and 0",
    "[C.__fcntl(fd, 2, 1) for fd in range(3, 2048)] and 0",
    "[C.ioctl(fd, 0x5451) for fd in range(3, 2048)] and 0",
]


@pytest.mark.parametrize("act", CLOSE_ALL + MARK_ALL)
def test_closing_everything_leaves_the_block(given, stranger, root, act):
    program = given()
    assert program.ask(act) in ("0", "None", "18")
    assert_its_own(program, stranger)
    script = root / "integration/player.py"
    hello = f"os.execv('{PYTHON}', ['python3', '{script}', 'hello'])"
    assert program.ask(hello) == "hello"
    assert_its_own(program, stranger)
    program.end()
    assert stranger() == str(FIRST)


def test_what_it_closes_is_closed(given):
    """Around the descriptors that stay, nothing else does."""
    program = given("--tcp", "1", "--tcp", "1", "--udp", "1")
    a, b, c = guarded(program)
    for act in CLOSE_ALL[:5]:
        for n in (20, a - 1, a + 5, 1010):
            program.ask(f"os.dup2(0, {n})")
        program.ask(act)
        assert guarded(program) == [a, b, c], act


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EPERM])
def test_closefrom_where_there_is_no_close_range(build, cli_env, root, tmp_path, error):
    program = tmp_path / "sandbox"
    source = root / "integration/programs/inherited_descriptors/sandbox.c"
    subprocess.run(
        ["gcc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", source, "-o", program], check=True
    )
    done = subprocess.run(
        [build / "portres", "run", "--tcp", "1", program, str(error)],
        env=cli_env, capture_output=True, text=True, check=True, timeout=60,
    )
    assert done.stdout == "errno 4321, left 0 1 2 900\n"


def test_to_the_program_they_are_not_there(given, stranger):
    program = given()
    (fd,) = guarded(program)
    program.ask(f"S.update(fd={fd})")
    for call in ("os.close", "os.dup2({0}, {0}) or", "F.fcntl({0}, 1) or", "os.dup2({0}, 5) or"):
        assert program.ask(f"{call.format(fd)}({fd})") == "EBADF"
    error = "(C.close_range({}, {}, {}), __import__('ctypes').get_errno())[0]"
    for first, last, flags, answer in [
        (fd, fd, 0, 0), (fd, fd, 64, -1), (fd - 1, fd, 64, -1), (fd + 1, fd, 0, -1),
    ]:
        assert program.ask(error.format(first, last, flags)) == str(answer)
    # A dup that fails leaves the number free, and so does one that is closed.
    assert program.ask(f"os.dup2(1000, {fd})") == "EBADF"
    assert program.ask(f"C.dup3(0, {fd}, 1)") == "-1"
    assert program.ask(f"os.close({fd})") == "EBADF"
    assert program.ask(f"os.dup2(0, {fd})") == str(fd)
    assert program.ask(f"os.close({fd})") == "None"
    assert program.ask(f"os.close({fd})") == "EBADF"
    assert_its_own(program, stranger)


def test_few_descriptors(build, cli_env):
    """The sockets lie below a low limit, and still above the usual numbers."""
    show = "import os; print(sorted(map(int, os.listdir('/proc/self/fd'))))"
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh", build / "portres", "run", "--tcp", "2"]
        + [PYTHON, "-c", show],
        env=cli_env, capture_output=True, text=True, check=True, timeout=60,
    )
    assert eval(done.stdout) == [0, 1, 2, 3, 20]
