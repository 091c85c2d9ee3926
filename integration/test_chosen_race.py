# SPDX-License-Identifier: MIT
"""A choice of the system's that is under way when the first reservation reaches
into the ephemeral range: whoever chooses has looked, and seen none."""

import os
import signal
import subprocess

import pytest

from test_chosen import BLOCK, CHOOSERS
from test_enforce import PORT_OF, other, owner  # noqa: F401

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
ssize_t sendto(int fd, const void *from, size_t n, int flags,
	       const struct sockaddr *address, socklen_t size)
{
	raise(SIGSTOP);
	return syscall(SYS_sendto, fd, from, n, flags, address, size);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	raise(SIGSTOP);
	return syscall(SYS_sendmsg, fd, message, flags);
}
"""


@pytest.fixture
def stopping(player, namespace, shim_env, tmp_path):
    (tmp_path / "stop.c").write_text(STOP)
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "stop.c", "-o", "stop.so"],
                   cwd=tmp_path, check=True)
    preload = f"{shim_env['LD_PRELOAD']} {tmp_path}/stop.so"
    return player({**shim_env, "LD_PRELOAD": preload}, prefix=namespace)


@pytest.mark.parametrize("how", ["bind", "listen", "udp-sendto", "udp-sendmsg"])
def test_no_reservation_begins_meanwhile(owner, stopping, how):  # noqa: F811
    kind = "udp" if how.startswith("udp") else "tcp"
    owner.ask(f"{kind}('a')")
    acquire = f"acquire(S['a'], {BLOCK[0]}, {BLOCK[1]})"
    stopping.ask(f"{kind}('x0')")
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
