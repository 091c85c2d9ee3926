# SPDX-License-Identifier: MIT
"""A program keeps the blocks that it was started with, whatever it does to its
descriptors, and to it theirs are not there."""

import errno
import fcntl
import os
import subprocess
import termios
from errno import EBADF

import pytest

from kits.inherited import FIRST, assert_its_own, guarded
from kits.playing import PYTHON, refused


def on_each(libc, name, end, *arguments):
    """A function of libc's on each descriptor, which "fd" stands for."""
    for fd in range(3, end):
        getattr(libc, name)(*[fd if a == "fd" else a for a in arguments])


def each(name, end, *arguments):
    return lambda program: program.run(on_each, program.libc, name, end, *arguments)


CLOSE_ALL = {
    "close": each("close", 2048, "fd"),
    "closerange": lambda program: program.os.closerange(3, 1 << 20),
    "close_range": lambda program: program.libc.close_range(3, 0x7fffffff, 0),
    "close_range, unshared": lambda program: program.libc.close_range(3, -1, 2),
    "closefrom": lambda program: program.libc.closefrom(3),
    "dup2": each("dup2", 1020, 0, "fd"),
    "dup3": each("dup3", 1020, 0, "fd", os.O_CLOEXEC),
    "__dup2": each("__dup2", 1020, 0, "fd"),
}
MARK_ALL = {
    "close_range, to mark": lambda program: program.libc.close_range(3, -1, 4),
    "fcntl": each("fcntl", 2048, "fd", fcntl.F_SETFD, fcntl.FD_CLOEXEC),
    "fcntl64": each("fcntl64", 2048, "fd", fcntl.F_SETFD, fcntl.FD_CLOEXEC),
    "__fcntl": each("__fcntl", 2048, "fd", fcntl.F_SETFD, fcntl.FD_CLOEXEC),
    "FIOCLEX": each("ioctl", 2048, "fd", termios.FIOCLEX),
}


@pytest.mark.parametrize("how", [*CLOSE_ALL, *MARK_ALL])
def test_closing_everything_leaves_the_block(given, stranger, how):
    program = given()
    {**CLOSE_ALL, **MARK_ALL}[how](program)
    assert_its_own(program, stranger)
    program.exec_again()
    assert_its_own(program, stranger)
    program.end()
    assert stranger() == FIRST


def test_what_it_closes_is_closed(given):
    """Around the descriptors that stay, nothing else does."""
    program = given("--tcp", "1", "--tcp", "1", "--udp", "1")
    a, b, c = guarded(program)
    for how in "close", "closerange", "close_range", "close_range, unshared", "closefrom":
        for n in (20, a - 1, a + 5, 1010):
            program.os.dup2(0, n)
        CLOSE_ALL[how](program)
        assert guarded(program) == [a, b, c], how


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EPERM])
def test_closefrom_where_there_is_no_close_range(build, cli_env, compiled, error):
    program = compiled("inherited_descriptors/sandbox.c")
    done = subprocess.run(
        [build / "portres", "run", "--tcp", "1", program, str(error)],
        env=cli_env, capture_output=True, text=True, check=True, timeout=60,
    )
    assert done.stdout == "errno 4321, left 0 1 2 900\n"


def test_to_the_program_they_are_not_there(given, stranger):
    program = given()
    (fd,) = guarded(program)
    for call in (
        lambda: program.os.close(fd),
        lambda: program.os.dup2(fd, fd),
        lambda: program.fcntl.fcntl(fd, fcntl.F_GETFD),
        lambda: program.os.dup2(fd, 5),
    ):
        with refused(EBADF):
            call()
    for first, last, flags, answer in [
        (fd, fd, 0, 0), (fd, fd, 64, -1), (fd - 1, fd, 64, -1), (fd + 1, fd, 0, -1),
    ]:
        assert program.libc.close_range(first, last, flags) == answer
    # A dup that fails leaves the number free, and so does one that is closed.
    with refused(EBADF):
        program.os.dup2(1000, fd)
    assert program.libc.dup3(0, fd, 1) == -1
    with refused(EBADF):
        program.os.close(fd)
    assert program.os.dup2(0, fd) == fd
    program.os.close(fd)
    with refused(EBADF):
        program.os.close(fd)
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
