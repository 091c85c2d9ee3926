# SPDX-License-Identifier: MIT
"""Binders and forks: one in a child that dies in the middle of a bind, and one
that has a child in the middle of a bind.

What a thread remembers of itself came along with the child's memory and is its
parent's: an announcement in that name would outlive the child, and an
announcement that the parent has made is not the child's to end.
"""

import os
import signal

import pytest

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
FORKS = {
    "fork": "os.fork()",
    "_Fork": "C._Fork()",
    # SYS_clone, of x86-64 or ARM, with SIGCHLD.
    "clone": "C.syscall(56 if os.uname().machine == 'x86_64' else 220, 17, 0, 0, 0, 0)",
}


@pytest.fixture
def parent(player, behind):
    return player(behind(BIND))


@pytest.mark.parametrize("how", FORKS)
def test_its_announcement_dies_with_it(parent, how):
    parent.ask("__import__('builtins').__dict__.update(C=__import__('ctypes').CDLL(None))")
    parent.ask("tcp('x') and tcp('y') and tcp('a')")
    assert parent.ask(f"bind('x', {DEADLY + 1})") == str(DEADLY + 1)
    child = f"(lambda p: p or bind('y', {DEADLY}))({FORKS[how]})"
    assert parent.ask(f"os.waitpid({child}, 0)[1]") == "9"
    assert parent.ask(f"acquire(S['a'], {DEADLY}, 1)")[0] == "("


def test_its_announcement_does_not_end_with_a_childs(parent, player):
    other = player()
    other.ask("tcp('a')")
    parent.ask("tcp('x') and S.update(pid=os.getpid())")
    end = "os.getpid() == S['pid'] or os._exit(0)"
    parent.tell(f"(bind('x', {FORKING}), {end})[0]")
    assert os.WIFSTOPPED(os.waitpid(parent.pid, os.WUNTRACED)[1])
    assert other.ask(f"acquire(S['a'], {FORKING}, 1)") == "EADDRINUSE"
    os.kill(parent.pid, signal.SIGCONT)
    assert parent.line() == str(FORKING)
