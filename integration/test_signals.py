# SPDX-License-Identifier: MIT
"""Signal handlers that make the same calls as the code they interrupt."""

import errno
import fcntl
import select
import subprocess

import pytest

from kits.books import assert_empty, sweep

pytestmark = pytest.mark.long

START, COUNT = 24500, 4
UNTOUCHED = 12345


@pytest.fixture
def program(compile_program, root):
    return compile_program("signals/signals.c", "signals", flags=["-D_GNU_SOURCE"])


@pytest.mark.parametrize("how", ["restart", "interrupt"])
@pytest.mark.parametrize("together", [1, 2])
def test_storm(program, shim_env, pool, player, how, together):
    storms = [
        subprocess.Popen(
            [program, "storm", "3", str(START + 20 * i), how],
            env=shim_env,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(together)
    ]
    for storm in storms:
        try:
            said = storm.communicate(timeout=30)[0]
        except subprocess.TimeoutExpired:
            storm.kill()
            raise
        assert storm.returncode == 0, said
        words = said.split()
        assert int(words[1]) > 100 and int(words[3]) > 100, said
    # The last rounds were not over: their blocks are listed, and dead.
    sweep(pool, player)
    assert_empty(pool)


@pytest.fixture
def locked(pool):
    """Holds the pool's lock, as a stopped process would."""
    held = []

    def lock():
        (path,) = pool.glob("pool-*")
        held.append(path.open("r+"))
        fcntl.flock(held[0], fcntl.LOCK_EX)

    def unlock():
        fcntl.flock(held[0], fcntl.LOCK_UN)

    yield lock, unlock
    for file in held:
        file.close()


def silent(program, seconds):
    ready, _, _ = select.select([program.popen.stdout], [], [], seconds)
    return not ready


@pytest.mark.parametrize("what", ["acquire", "bind", "associated"])
@pytest.mark.parametrize("how", ["restart", "interrupt"])
def test_interrupted_while_the_pool_is_busy(program, start, other, locked, what, how):
    lock, unlock = locked
    sock = other.tcp()
    if what == "bind":
        sock.acquire(START, COUNT)
    waiting = start([program, "wait", what, START, how])
    assert waiting.line() == "ready"
    lock()
    waiting.popen.stdin.write(b"x")
    if how == "interrupt" and what == "acquire":
        # By the first signal, and not by the pool's end of patience.
        assert waiting.line() == f"-1 {errno.EINTR} 0"
        return
    interrupted = not silent(waiting, 1)
    unlock()
    answer, error, port = map(int, waiting.line().split())
    if how == "restart" and what == "acquire":
        assert not interrupted and error == UNTOUCHED
    # Never a port that is somebody else's, or outside of one's own block.
    if what == "bind":
        assert (answer, error, port) == (-1, errno.EADDRINUSE, 0)
    if what == "associated":
        assert (answer == 0) == (START <= port < START + COUNT)
        assert answer == 0 or error == errno.ENETDOWN
