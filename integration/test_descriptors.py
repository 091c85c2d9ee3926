# SPDX-License-Identifier: MIT
"""Descriptors: the kernel's own answers, the program's own numbers, none left."""

import errno
import os
import resource
import subprocess

import pytest

from kits.books import Books

START, COUNT, TAKEN = 24300, 4, 24310


@pytest.fixture
def judge(player):
    other = player()

    def free(start=START, count=COUNT):
        other.ask("tcp('j')")
        answer = other.ask(f"acquire(S['j'], {start}, {count})")
        assert answer == "EADDRINUSE" or answer[0] == "("
        other.ask("close('j')")
        return answer != "EADDRINUSE"

    return free


def take(owner, start=START):
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {start}, {COUNT})")[0] == "("


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


@pytest.mark.parametrize(
    "close_all",
    [
        "[C.close(fd) for fd in range(3, 4096)] and 0",
        "os.closerange(3, 1 << 20)",
        "C.close_range(3, 0x7fffffff, 0)",
        "C.closefrom(3)",
        "[os.dup2(0, fd) for fd in range(3, 256)] and 0",
    ],
)
def test_closing_everything_leaves_what_others_hold(owner, judge, close_all):
    take(owner)
    owner.ask("S.update(p=os.pipe())")
    owner.ask("__import__('builtins').__dict__.update(C=__import__('ctypes').CDLL(None))")
    child = int(owner.ask("(lambda p: p or os.read(S['p'][0], 1))(os.fork())"))
    owner.ask(close_all)
    assert not judge()
    # The pipe's other end went with the rest; the child's own keeps it reading.
    os.kill(child, 9)
    owner.ask(f"os.waitpid({child}, 0)")
    assert judge()


def test_closing_everything_in_a_child_leaves_the_parents(owner, judge):
    take(owner)
    child = "(lambda p: p or (os.closerange(3, 4096), os._exit(0)))(os.fork())"
    assert owner.ask(f"os.waitpid({child}, 0)[1]") == "0"
    assert not judge()
    owner.ask("close('a')")
    assert judge()


def test_a_socket_above_65536(owner, judge):
    try:
        resource.prlimit(owner.pid, resource.RLIMIT_NOFILE, (70500, 70500))
    except (PermissionError, ValueError):
        pytest.skip("may not raise RLIMIT_NOFILE")
    owner.ask("tcp('low')")
    owner.ask("__import__('builtins').__dict__.update(fcntl=__import__('fcntl').fcntl)")
    owner.ask("S.update(a=socket.socket(fileno=fcntl(S['low'].fileno(), 0, 70000)))")
    owner.ask("close('low')")
    assert owner.ask(f"acquire(S['a'], {START}, {COUNT})")[0] == "("
    assert not judge()
    assert owner.ask("S['a'].fileno()") == "70000"
    owner.ask("close('a')")
    assert judge()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_owning_socket_as_a_standard_descriptor(start, judge, number):
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
    assert not judge()
    owner.popen.stdin.write(b"x")
    assert owner.line() == "closed"
    assert judge()


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


@pytest.fixture
def scarce(compiled, start, player):
    """Runs emfile.c beside a neighbour's block and gives its lines."""
    neighbour = player()
    neighbour.ask("tcp('n')")
    assert neighbour.ask(f"acquire(S['n'], {TAKEN}, 2)")[0] == "("
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
        take(victim)
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


def test_close_with_no_descriptor_left(scarce, judge, pool):
    running, words = scarce()
    assert lines_of(words, "close") == [(0, 0)]
    assert not judge()
    running.popen.stdin.write(b"\n")
    assert [running.line(), running.line()] == ["close 0 0", "none is left"]
    assert Books(pool).blocks == [(0, TAKEN, 2)]  # at once, asked by nobody
    assert judge()


@pytest.mark.long
def test_handing_over_for_ever(compiled, shim_env):
    """More sockets passed on to others than a process can keep in mind."""
    program = compiled("descriptors/handover.c")
    done = run(program, shim_env, 17000, START, COUNT * 5)
    assert done.stdout == "ok\n"
