# SPDX-License-Identifier: MIT
"""A process forks while another of its threads is at work in the library: the
child has no descriptor that the program did not open."""

import ctypes
import os
import threading

import pytest


@pytest.mark.parametrize("what", ["close", "linger", "refused", "connect", "close large"])
def test_no_descriptor_of_ours_is_inherited(compile_program, start, namespace, what):
    program = compile_program("fork_beside/forks.c", "forks", flags=["-D_GNU_SOURCE", "-pthread"])
    forks = start([*namespace, program, *what.split()])
    assert forks.line() == "0 busy"
    assert forks.end() == 0


# A libc behind the library: in the close of one number a handler comes that
# forks. Its child goes on with the close, or becomes a daemon: that has other
# descriptors, and children, which have them too.
CLOSE = """
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int forking = -1, daemons, answer;
static void become_a_daemon(void)
{
	int n = 0, status;
	for (int fd = 3; fd < 60; fd++)
		syscall(SYS_close, fd);
	for (int fd = 3; fd < 40; fd++)
		dup(0);
	if (fork()) {
		wait(&status);
		_exit(WEXITSTATUS(status));
	}
	for (int fd = 3; fd < 40; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	_exit(n);
}
int close(int fd)
{
	if (fd == forking) {
		pid_t child = fork();

		forking = -1;
		if (child) {
			waitpid(child, &answer, 0);
			answer = WEXITSTATUS(answer);
		} else if (daemons) {
			become_a_daemon();
		} else {
			dup(0);
		}
	}
	return (int)syscall(SYS_close, fd);
}
"""


@pytest.fixture
def one(player, behind):
    """It has two threads."""
    def begin_a_thread():
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    one = player(behind(CLOSE))
    one.run(begin_a_thread)
    return one


@pytest.fixture
def a(one):
    a = one.tcp()
    a.acquire(27330, 2)
    return a


def set_variable(name, value):
    ctypes.c_int.in_dll(ctypes.CDLL(None), name).value = value


def get_variable(name):
    return ctypes.c_int.in_dll(ctypes.CDLL(None), name).value


def count_descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_a_handler_that_forks_in_the_middle_of_a_close(one, a, other, tmp_path):
    def close(sock, parent, said):
        sock.close()
        if os.getpid() != parent:
            with open(said, "w") as file:
                file.write(str(len(os.listdir("/proc/self/fd"))))
            os._exit(0)

    before = one.run(count_descriptors)
    one.run(set_variable, "forking", a.fileno())
    said = tmp_path / "said"
    one.run(close, a, one.pid, str(said))
    other.tcp().acquire(27330, 2)
    # One closed, the duplicate, and one opened to be written to.
    assert int(said.read_text()) == before + 1
    assert one.run(count_descriptors) == before - 1


def test_a_daemon_that_begins_in_the_middle_of_a_close(one, a):
    one.run(set_variable, "daemons", 1)
    one.run(set_variable, "forking", a.fileno())
    a.close()
    assert one.run(get_variable, "answer") == 40 - 3
