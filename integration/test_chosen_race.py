# SPDX-License-Identifier: MIT
"""A choice of the system's that is under way when the first reservation reaches
into the ephemeral range: whoever chooses has looked, and seen none."""

import os
import signal

import pytest

from kits.choosers import BLOCK, CHOOSERS, PORT_OF


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
    owner.ask("tcp('a')")
    acquire = f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"
    family = "socket.AF_INET6" if how.endswith("6") else "socket.AF_INET"
    stopping.ask(f"tcp('x0', {family})")
    stopping.tell(CHOOSERS[how].format(0, 9, 0))
    assert os.WIFSTOPPED(os.waitpid(stopping.pid, os.WUNTRACED)[1])
    assert owner.ask(acquire) == "EADDRINUSE"
    # Elsewhere it may.
    assert owner.ask("acquire(S['a'], 26000, 3)")[0] == "("
    assert 0 < int(owner.ask("acquire(S['a'], 0, 3)[0]"))
    os.kill(stopping.pid, signal.SIGCONT)
    assert not stopping.line().startswith("E")
    port = int(stopping.ask(PORT_OF.format("x0")))
    answer = owner.ask(acquire)
    inside = BLOCK[0] <= port < BLOCK[0] + BLOCK[1]
    assert (answer == "EADDRINUSE") == inside, (port, answer)
