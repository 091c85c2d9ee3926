# SPDX-License-Identifier: MIT
"""Binders and forks: one in a child that dies in the middle of a bind, and one
that has a child in the middle of a bind.

What a thread remembers of itself came along with the child's memory and is its
parent's: an announcement in that name would outlive the child, and an
announcement that the parent has made is not the child's to end.
"""

import ctypes
import os
import signal
from errno import EADDRINUSE

import pytest

from kits.playing import refused

DEADLY, FORKING = 21800, 21810

# A libc behind the library; a bind to one port is the process' last, in one to
# another a handler comes that forks, and then the process is stopped.
BIND = f"""
#include <netinet/in.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int bind(int fd, const struct sockaddr *address, socklen_t size)
{{
	unsigned short port = ((const struct sockaddr_in *)address)->sin_port;
	pid_t child;
	if (port == htons({DEADLY}))
		kill(getpid(), SIGKILL);
	if (port == htons({FORKING})) {{
		child = fork();
		if (child == 0)
			return 0;
		waitpid(child, NULL, 0);
		raise(SIGSTOP);
	}}
	return (int)syscall(SYS_bind, fd, address, size);
}}
"""


@pytest.fixture
def parent(player, behind):
    return player(behind(BIND))


@pytest.mark.parametrize("how", ["fork", "_Fork", "clone"])
def test_its_announcement_dies_with_it(parent, how):
    def bind_in_child(how, sock, port):
        """Returns the child's status."""
        libc = ctypes.CDLL(None)
        clone = 56 if os.uname().machine == "x86_64" else 220
        child = {
            "fork": os.fork,
            "_Fork": libc._Fork,
            "clone": lambda: libc.syscall(clone, signal.SIGCHLD, 0, 0, 0, 0),
        }[how]()
        if child == 0:
            sock.bind(port)
        return os.waitpid(child, 0)[1]

    assert parent.tcp().bind(DEADLY + 1) == DEADLY + 1
    assert parent.run(bind_in_child, how, parent.tcp(), DEADLY) == signal.SIGKILL
    parent.tcp().acquire(DEADLY, 1)


def test_its_announcement_does_not_end_with_a_childs(parent, other):
    def bind(sock, port, parent):
        sock.bind(port)
        if os.getpid() != parent:
            os._exit(0)

    x, a = parent.tcp(), other.tcp()
    answer = parent.begin(bind, x, FORKING, parent.pid)
    assert os.WIFSTOPPED(os.waitpid(parent.pid, os.WUNTRACED)[1])
    with refused(EADDRINUSE):
        a.acquire(FORKING, 1)
    os.kill(parent.pid, signal.SIGCONT)
    answer()
    assert x.port == FORKING
