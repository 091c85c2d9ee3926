# SPDX-License-Identifier: MIT
"""Descriptors: the kernel's own answers, the program's own numbers, none left."""

import ctypes
import errno
import fcntl
import os
import resource
import subprocess

import pytest

from kits.books import Books

START, COUNT, TAKEN = 24300, 4, 24310
EPHEMERAL = 45000


@pytest.fixture
def free(is_free):
    """free(): is the block free for another process?"""
    return lambda: is_free(START, COUNT)


def run(program, env, *args, **kw):
    return subprocess.run(
        [program, *map(str, args)],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        **kw,
    )


@pytest.mark.parametrize("owning", [False, True])
def test_answers_errno_and_numbers_are_the_kernels(
    compiled, shim_env, bare_env, owning
):
    program = compiled("descriptors/descriptors.c")
    args = (START, COUNT) if owning else ()
    bare, ours = run(program, bare_env, *args), run(program, shim_env, *args)
    assert (bare.stderr, ours.stderr) == (("no owner\n", "owner\n") if owning else ("", ""))
    assert len(bare.stdout.splitlines()) > 80
    assert ours.stdout.splitlines() == bare.stdout.splitlines()


def close_each():
    for fd in range(3, 4096):
        ctypes.CDLL(None).close(fd)


def dup_over_each():
    for fd in range(3, 256):
        os.dup2(0, fd)


CLOSE_ALL = {
    "close": lambda program: program.run(close_each),
    "closerange": lambda program: program.os.closerange(3, 1 << 20),
    "close_range": lambda program: program.libc.close_range(3, 0x7fffffff, 0),
    "closefrom": lambda program: program.libc.closefrom(3),
    "dup2": lambda program: program.run(dup_over_each),
}


@pytest.mark.parametrize("how", CLOSE_ALL)
def test_closing_everything_leaves_what_others_hold(owner, free, how):
    def child_that_waits():
        """The pipe's other end is its own: nobody ends its reading."""
        reading, _ = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.read(reading, 1)
        return pid

    owner.tcp().acquire(START, COUNT)
    child = owner.run(child_that_waits)
    CLOSE_ALL[how](owner)
    assert not free()
    os.kill(child, 9)
    owner.os.waitpid(child, 0)
    assert free()


def test_closing_everything_in_a_child_leaves_the_parents(owner, free):
    a = owner.tcp()
    a.acquire(START, COUNT)
    owner.in_child(owner.os.closerange, 3, 4096)
    assert not free()
    a.close()
    assert free()


def test_a_socket_above_65536(owner, free):
    try:
        resource.prlimit(owner.pid, resource.RLIMIT_NOFILE, (70500, 70500))
    except (PermissionError, ValueError):
        pytest.skip("may not raise RLIMIT_NOFILE")
    low = owner.tcp()
    a = owner.socket_at(owner.fcntl.fcntl(low.fileno(), fcntl.F_DUPFD, 70000))
    low.close()
    assert a.fileno() == 70000
    a.acquire(START, COUNT)
    assert not free()
    a.close()
    assert free()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_owning_socket_as_a_standard_descriptor(start, free, number):
    script = (
        "import os, socket, sys; from portio import acquire; N = int(sys.argv[1])\n"
        "talk = [os.dup(0), os.dup(1)]\n"
        "os.close(N)\n"
        "s = socket.socket(); assert s.fileno() == N\n"
        f"acquire(s, {START}, {COUNT})\n"
        "os.write(talk[1], b'owned\\n'); os.read(talk[0], 1)\n"
        "s.close(); os.write(talk[1], b'closed\\n'); os.read(talk[0], 1)\n"
    )
    owner = start(["/usr/bin/python3", "-c", script, number])
    assert owner.line() == "owned"
    assert not free()
    owner.popen.stdin.write(b"x")
    assert owner.line() == "closed"
    assert free()


ONE_FILE = r"""
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = open("/dev/null", O_RDONLY), r;

	printf("open %d close %d\n", fd, close(fd));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	printf("socket %d\n", fd);
	at.sin_port = htons(23998);
	r = bind(fd, (struct sockaddr *)&at, sizeof(at));
	printf("bind %d dup %d close %d\n", r, dup(fd), close(fd));
	return 0;
}
"""


def test_a_program_with_four_descriptors(compiled, shim_env, bare_env):
    program = compiled(ONE_FILE)
    said = [
        subprocess.run(
            ["sh", "-c", 'ulimit -n 4; exec "$0"', program],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for env in (bare_env, shim_env)
    ]
    assert said[0].startswith("open 3 close 0\nsocket 3\nbind 0 dup -1")
    assert said[1] == said[0]


def test_a_fork_goes_before_threads_that_come_again(compiled, shim_env):
    """Its child has no lock and no socket of those that are inside."""
    said = run(compiled("descriptors/starved_fork.c"), shim_env, START, 10).stdout.split()
    turns, inherited = said[::2], said[1::2]
    assert inherited == ["0"] * 10
    assert max(map(int, turns)) < 20


def test_what_is_written_to_closed_streams_is_not_ours(compiled, shim_env, pool):
    """By another thread, while the pool is made, locked and searched for ports."""
    program = compiled("descriptors/closed_streams.c")
    assert run(program, shim_env, START, COUNT * 5).stdout == ""
    (file,) = pool.glob("pool-*")
    assert file.read_bytes()[:8] == b"PRPOOL1\n"
    assert Books(pool).blocks == []


def test_nor_while_a_port_is_picked(compiled, shim_env, sandbox):
    """As before Linux 6.3, where sockets have no IP_LOCAL_PORT_RANGE."""
    program = compiled("descriptors/closed_streams.c")
    first, *words = sandbox("ENOPROTOOPT", "getsockopt:2:51")
    assert run(first, shim_env, *words, program, EPHEMERAL, COUNT, "choose").stdout == ""


@pytest.fixture
def scarce(compiled, start, player):
    """Runs emfile.c beside a neighbour's block and gives its lines."""
    neighbour = player()
    neighbour.tcp().acquire(TAKEN, 2)
    program = compiled("descriptors/emfile.c")

    def scarce():
        running = start([program, START, COUNT, TAKEN])
        lines = []
        while not lines or lines[-1] != "one is left":
            lines.append(running.line())
        return running, [line.split() for line in lines]

    return scarce


def lines_of(words, name):
    return [tuple(map(int, w[1:])) for w in words if w[0] == name]


@pytest.mark.parametrize("dead", [False, True])
def test_acquire_with_no_descriptor_left(scarce, player, dead):
    if dead:
        # Somebody died over the block: to find that out takes descriptors.
        victim = player()
        victim.tcp().acquire(START, COUNT)
        victim.kill()
    _, words = scarce()
    answers = lines_of(words, "acquire")
    failed = [a for a in answers if a[1]]
    assert failed and failed == answers[: len(failed)]
    assert {error for _, error, _ in failed} == {errno.EMFILE}
    assert {locks for _, _, locks in failed} == {0}
    assert {(error, locks) for _, error, locks in answers[len(failed) :]} == {(0, 1)}


def test_bind_to_anothers_port_with_no_descriptor_left(scarce):
    answers = lines_of(scarce()[1], "bind")
    assert len(answers) == 7
    assert {error for _, error in answers} == {errno.EADDRINUSE}


def test_associated_bind_with_no_descriptor_left(scarce):
    """Whatever it answers, never a port outside of the block."""
    answers = lines_of(scarce()[1], "associated")
    assert len(answers) == 7
    for free, error, port in answers:
        assert (error == 0) == (START <= port < START + COUNT), (free, error, port)
        assert error or port


def test_close_with_no_descriptor_left(scarce, free, pool):
    running, words = scarce()
    assert lines_of(words, "close") == [(0, 0)]
    assert not free()
    running.popen.stdin.write(b"\n")
    assert [running.line(), running.line()] == ["close 0 0", "none is left"]
    assert Books(pool).blocks == [(0, TAKEN, 2)]  # at once, asked by nobody
    assert free()


@pytest.mark.long
def test_handing_over_for_ever(compiled, shim_env):
    """More sockets passed on to others than a process can keep in mind."""
    program = compiled("descriptors/handover.c")
    done = run(program, shim_env, 17000, START, COUNT * 5)
    assert done.stdout == "ok\n"
