# SPDX-License-Identifier: MIT
"""A reservation dies with its owning socket, and with nothing else."""

import os
import subprocess
import sys
from errno import EADDRINUSE

import pytest

from kits.books import Books
from kits.playing import refused

START, COUNT = 22000, 4


@pytest.fixture
def a(owner):
    """The owning socket of the block."""
    return owner.tcp()


@pytest.fixture
def block(a):
    return a.acquire(START, COUNT)


@pytest.fixture
def free(is_free):
    """free(): is the block free for another process?"""
    return lambda: is_free(START, COUNT)


def test_close(a, block, free):
    assert not free()
    a.close()
    assert free()


def test_exit(owner, block, free):
    owner.end()
    assert free()


def test_sigkill(owner, block, free):
    owner.kill()
    assert free()


def test_a_duplicate_keeps_it(a, block, free):
    b = a.dup()
    a.close()
    assert not free()
    b.close()
    assert free()


def test_dup2_over_it(owner, a, block, free):
    owner.os.dup2(0, a.fileno())
    assert free()


def test_close_by_a_raw_system_call_and_its_number_again(owner, a, block, other):
    fd = a.fileno()
    a.close_unseen()
    # socket() hands the number out again: from now on the block is free, even
    # to a judge that looks into the pool only.
    assert owner.tcp().fileno() == fd
    assert other.tcp().bind(START + 1) == START + 1


def test_fork_child_keeps_it_when_the_parent_dies(owner, a, block, free):
    owner.become_child()
    assert not free()
    # The child owns it: it may associate.
    with owner.tcp() as x:
        x.associate(block)
        assert x.bind(0) == START
    a.close()
    assert free()


def test_fork_child_that_closes_its_copy_leaves_the_parents(owner, a, block, free):
    def close_all(sock):
        sock.close()
        os.closerange(3, 4096)

    owner.in_child(close_all, a)
    assert not free()
    a.close()
    assert free()


VFORK = """
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "portres.h"

int main(void)
{
	struct portres_instance block = {htons(22000), 4, {0}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t child;

	if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0)
		return 1;
	child = vfork();
	if (child == 0) {
		close(fd);
		_exit(0);
	}
	if (waitpid(child, NULL, 0) != child)
		return 2;
	puts("left");
	fflush(stdout);
	getchar();
	close(fd);
	puts("closed");
	fflush(stdout);
	getchar();
	return 0;
}
"""


def test_vfork_child_that_closes_its_copy_leaves_the_parents_table(
    compile_program, start, pool, under
):
    """It has its parent's memory and descriptors of its own: that none of these
    is the socket says nothing of the parent, whose close ends the block at once."""
    program = start([*under, compile_program(VFORK, "vfork")])
    assert program.line() == "left"
    assert Books(pool).blocks == [(0, START, COUNT)]
    assert program.ask("") == "closed"
    assert Books(pool).blocks == []


def test_pass_fds_child_keeps_it_alone(owner, a, block, free):
    pipe = owner.subprocess.PIPE
    child = owner.subprocess.Popen(["/bin/cat"], stdin=pipe, pass_fds=[a.fileno()])
    a.close()
    assert not free()
    child.kill()
    child.wait()
    assert free()


def test_exec_without_close_on_exec_keeps_it_and_owns_it(owner, a, block, free):
    a.set_inheritable(True)
    fd = a.fileno()
    owner.exec_again()
    assert not free()
    a, x = owner.socket_at(fd), owner.tcp()
    x.associate(block)
    a.close()
    x.close()
    assert free()


def test_exec_with_close_on_exec_ends_it(owner, block, free):
    owner.exec_again()
    assert free()


def test_bound_sockets_outlive_the_block(owner, a, block, free):
    x = owner.tcp()
    x.associate(block)
    assert x.bind(START + 2) == START + 2
    a.close()
    assert not free()
    b = owner.tcp()
    b.acquire(START, 2)
    b.acquire(START + 3, 1)
    with refused(EADDRINUSE):
        b.acquire(START + 2, 1)
    x.close()
    b.acquire(START + 2, 1)


def test_a_message_in_flight_keeps_it(owner, a, block, free):
    here, there = owner.socket.socketpair()
    owner.socket.send_fds(here, [b"x"], [a.fileno()])
    a.close()
    assert not free()
    here.close()
    there.close()
    assert free()


@pytest.mark.parametrize("inside", ["owner", "judge", "both"])
def test_across_pid_namespaces(player, inside, need):
    """As between containers that share a network: no pid means anything."""
    need("make a pid namespace")
    apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    owner = player(prefix=apart if inside != "judge" else ())
    judge = player(prefix=apart if inside != "owner" else ())
    owner.tcp().acquire(START, COUNT)
    assert (owner.os.getpid() == 1) == (inside != "judge")
    sock = judge.tcp()
    with refused(EADDRINUSE):
        sock.acquire(START + 3, 4)
    with refused(EADDRINUSE):
        sock.bind(START + 3)
    owner.begin(owner.os._exit, 0)
    owner.popen.wait()
    sock.acquire(START + 3, 4)


def test_a_thousand_children_leave_the_parents_reservation(owner, a, block, free):
    def statuses():
        return {subprocess.run(["/bin/true"]).returncode for _ in range(100)}

    for _ in range(10):
        assert owner.run(statuses) == {0}
    assert not free()
    a.close()
    assert free()


def test_descriptors_are_the_same_with_and_without_us(bare_env, shim_env):
    script = (
        "import os, socket;"
        "s = socket.socket(); s.bind(('127.0.0.1', 0));"
        "print(sorted(os.listdir('/proc/self/fd')), s.fileno())"
    )
    bare, ours = [
        subprocess.run([sys.executable, "-c", script], env=env, check=True,
                       capture_output=True, text=True).stdout
        for env in (bare_env, shim_env)
    ]
    assert bare == ours


def test_owning_takes_no_descriptor(owner, a):
    before = sorted(owner.os.listdir("/proc/self/fd"))
    a.acquire(START, COUNT)
    assert sorted(owner.os.listdir("/proc/self/fd")) == before
