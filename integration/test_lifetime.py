"""A reservation dies with its owning socket, and with nothing else."""

import subprocess
import sys

import pytest

EXEC = "os.execv('/usr/bin/python3', ['python3'"


@pytest.fixture
def judge(player):
    """judge() -> is the block 22000+4 free for another process?"""
    other = player()

    def free():
        other.ask("tcp('j')")
        answer = other.ask("acquire(S['j'], 22000, 4)")
        assert answer == "EADDRINUSE" or answer[0] == "("
        other.ask("close('j')")
        return answer != "EADDRINUSE"

    return free


def take(owner):
    owner.ask("tcp('a')")
    answer = owner.ask("acquire(S['a'], 22000, 4)")
    assert answer[0] == "("
    return eval(answer)[2]


def test_close(owner, judge):
    take(owner)
    assert not judge()
    owner.ask("close('a')")
    assert judge()


def test_exit(owner, judge):
    take(owner)
    owner.end()
    assert judge()


def test_sigkill(owner, judge):
    take(owner)
    owner.kill()
    assert judge()


def test_a_duplicate_keeps_it(owner, judge):
    take(owner)
    owner.ask("S.update(b=S['a'].dup())")
    owner.ask("close('a')")
    assert not judge()
    owner.ask("close('b')")
    assert judge()


def test_dup2_over_it(owner, judge):
    take(owner)
    owner.ask("os.dup2(0, S['a'].fileno())")
    assert judge()


def test_close_by_a_raw_system_call_and_its_number_again(owner, player):
    take(owner)
    raw = "__import__('ctypes').CDLL(None).syscall(3, S['a'].detach())"
    fd = owner.ask("S['a'].fileno()")
    assert owner.ask(raw) == "0"
    # socket() hands the number out again: from now on the block is free, even
    # to a judge that looks into the pool only.
    assert owner.ask("tcp('again') and S['again'].fileno()") == fd
    other = player()
    other.ask("tcp('x')")
    assert other.ask("bind('x', 22001)") == "22001"


def test_fork_child_keeps_it_when_the_parent_dies(owner, judge):
    token = take(owner)
    # The parent leaves; its child goes on reading our lines.
    owner.tell("os.fork() and os._exit(0)")
    assert owner.line() == "0"
    owner.popen.wait()
    assert not judge()
    # The child owns it: it may associate.
    assert owner.ask(f"tcp('n') and associate(S['n'], {token})") == "None"
    assert owner.ask("bind('n', 0)") == "22000"
    owner.ask("close('n')")
    owner.ask("close('a')")
    assert judge()


def test_fork_child_that_closes_its_copy_leaves_the_parents(owner, judge):
    take(owner)
    child = "(lambda p: p or (S['a'].close(), os.closerange(3, 4096), os._exit(0)))"
    assert owner.ask(f"os.waitpid({child}(os.fork()), 0)[1]") == "0"
    assert not judge()
    owner.ask("close('a')")
    assert judge()


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


def ended(pool):
    """Is the pool's first slot one that a close has ended? See core/layout.h."""
    (path,) = pool.glob("pool-*")
    state, token = struct.unpack_from("=I20xQ", path.read_bytes(), 4096)
    assert state == 1
    return token >> 63 == 1


def test_vfork_child_that_closes_its_copy_leaves_the_parents_table(
    compile_program, start, pool, under
):
    """It has its parent's memory and descriptors of its own: that none of these
    is the socket says nothing of the parent, whose close ends the block at once."""
    program = start([*under, compile_program(VFORK, "vfork")])
    assert program.line() == "left"
    assert not ended(pool)
    assert program.ask("") == "closed"
    assert ended(pool)


def test_pass_fds_child_keeps_it_alone(owner, judge):
    take(owner)
    owner.ask("__import__('builtins').__dict__.update(sp=__import__('subprocess'))")
    owner.ask(
        "S.update(child=sp.Popen(['/bin/cat'], stdin=sp.PIPE,"
        " pass_fds=[S['a'].fileno()])) or 0"
    )
    owner.ask("close('a')")
    assert not judge()
    owner.ask("S['child'].kill() or S['child'].wait()")
    assert judge()


def test_exec_without_close_on_exec_keeps_it_and_owns_it(owner, judge, root):
    token = take(owner)
    player = root / "integration" / "player.py"
    fd = owner.ask("S['a'].set_inheritable(True) or S['a'].fileno()")
    assert owner.ask(f"{EXEC}, '{player}', 'hello'])") == "hello"
    assert owner.ask(f"S.update(a=socket.socket(fileno={fd}))") == "None"
    assert not judge()
    assert owner.ask(f"tcp('n') and associate(S['n'], {token})") == "None"
    owner.ask("close('a')")
    owner.ask("close('n')")
    assert judge()


def test_exec_with_close_on_exec_ends_it(owner, judge, root):
    take(owner)
    player = root / "integration" / "player.py"
    assert owner.ask(f"{EXEC}, '{player}', 'hello'])") == "hello"
    assert judge()


def test_bound_sockets_outlive_the_block(owner, judge):
    token = take(owner)
    owner.ask("tcp('x')")
    owner.ask(f"associate(S['x'], {token})")
    assert owner.ask("bind('x', 22002)") == "22002"
    owner.ask("close('a')")
    assert not judge()
    owner.ask("tcp('b')")
    assert owner.ask("acquire(S['b'], 22000, 2)")[0] == "("
    assert owner.ask("acquire(S['b'], 22003, 1)")[0] == "("
    assert owner.ask("acquire(S['b'], 22002, 1)") == "EADDRINUSE"
    owner.ask("close('x')")
    assert owner.ask("acquire(S['b'], 22002, 1)")[0] == "("


def test_a_message_in_flight_keeps_it(owner, judge):
    take(owner)
    owner.ask("S.update(p=socket.socketpair())")
    owner.ask("socket.send_fds(S['p'][0], [b'x'], [S['a'].fileno()])")
    owner.ask("close('a')")
    assert not judge()
    owner.ask("S['p'][0].close() or S['p'][1].close()")
    assert judge()


@pytest.mark.parametrize("inside", ["owner", "judge", "both"])
def test_across_pid_namespaces(player, inside, need):
    """As between containers that share a network: no pid means anything."""
    need("make a pid namespace")
    apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    owner = player(prefix=apart if inside != "judge" else ())
    judge = player(prefix=apart if inside != "owner" else ())
    take(owner)
    assert (owner.ask("os.getpid()") == "1") == (inside != "judge")
    judge.ask("tcp('j')")
    assert judge.ask("acquire(S['j'], 22003, 4)") == "EADDRINUSE"
    assert judge.ask("bind('j', 22003)") == "EADDRINUSE"
    owner.tell("os._exit(0)")
    owner.popen.wait()
    assert judge.ask("acquire(S['j'], 22003, 4)")[0] == "("


def test_a_thousand_children_leave_the_parents_reservation(owner, judge):
    take(owner)
    owner.ask("__import__('builtins').__dict__.update(sp=__import__('subprocess'))")
    hundred = "sum(sp.run(['/bin/true']).returncode for _ in range(100))"
    assert [owner.ask(hundred) for _ in range(10)] == ["0"] * 10
    assert not judge()
    owner.ask("close('a')")
    assert judge()


def test_descriptors_are_the_same_with_and_without_us(build, shim_env):
    script = (
        "import os, socket;"
        "s = socket.socket(); s.bind(('127.0.0.1', 0));"
        "print(sorted(os.listdir('/proc/self/fd')), s.fileno())"
    )
    bare = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for env in (bare, shim_env)
    ]
    assert outputs[0] == outputs[1]


def test_owning_takes_no_descriptor(owner):
    before = owner.ask("tcp('a') and sorted(os.listdir('/proc/self/fd'))")
    owner.ask("acquire(S['a'], 22000, 4)")
    assert owner.ask("sorted(os.listdir('/proc/self/fd'))") == before
