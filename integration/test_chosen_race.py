# SPDX-License-Identifier: MIT
"""A choice of the system's that is under way when the first reservation reaches
into the ephemeral range: it has looked, and seen none."""

import os
import signal
from errno import EADDRINUSE

import pytest

from kits.choosers import BLOCK, CHOOSERS, kind_of, unbound
from kits.playing import refused


@pytest.fixture
def where(namespace):
    return namespace


# A libc behind the library: the process is stopped in the middle of its calls.
STOP = """
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	raise(SIGSTOP);
	return (int)syscall(SYS_bind, fd, address, size);
}
int listen(int fd, int backlog)
{
	raise(SIGSTOP);
	return (int)syscall(SYS_listen, fd, backlog);
}
"""


@pytest.fixture
def stopping(player, namespace, behind):
    return player(behind(STOP), prefix=namespace)


@pytest.mark.parametrize("how", ["bind", "bind6", "listen"])
def test_no_reservation_begins_meanwhile(owner, stopping, how):
    a, x = owner.tcp(), unbound(stopping, how)
    answer = stopping.begin(x.listen) if how == "listen" else stopping.begin(x.bind, 0)
    assert os.WIFSTOPPED(os.waitpid(stopping.pid, os.WUNTRACED)[1])
    with refused(EADDRINUSE):
        a.acquire(*BLOCK)
    # Elsewhere it may.
    a.acquire(26000, 3)
    a.acquire(0, 3)
    os.kill(stopping.pid, signal.SIGCONT)
    answer()
    if BLOCK[0] <= x.port < BLOCK[0] + BLOCK[1]:
        with refused(EADDRINUSE):
            a.acquire(*BLOCK)
    else:
        a.acquire(*BLOCK)


# The same, but another thread is quicker: its call has bound the socket.
BEATEN = """
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	syscall(SYS_bind, fd, address, size);
	return (int)syscall(SYS_bind, fd, address, size);
}
"""

BOTH_MAY = [how for how in CHOOSERS if "bind" not in how and not how.startswith("mptcp")]


@pytest.mark.parametrize("how", BOTH_MAY)
def test_two_threads_call_with_one_associated_socket(player, namespace, behind, server, how):
    """The kernel binds it once for both."""
    owner = player(behind(BEATEN), prefix=namespace)
    a, x = owner.tcp() if kind_of(how) == "tcp" else owner.udp(), unbound(owner, how)
    block = a.acquire(27500, 3)
    x.associate(block)
    CHOOSERS[how](x, server.port, 1)
    assert x.port in block
