# SPDX-License-Identifier: MIT
"""SIGKILL at random moments: the range is free at once, the books are clean."""

import subprocess
import time

import pytest

from kits.books import Books, assert_empty, sweep

pytestmark = pytest.mark.long

FIRST, PORTS = 25000, 1500


def test_a_reservation_can_be_read_from_the_books(owner, player, pool):
    a = owner.udp()
    a.acquire(FIRST, 3)
    books = Books(pool)
    assert books.blocks == [(1, FIRST, 3)]
    assert books.marks == [(1, FIRST), (1, FIRST + 1), (1, FIRST + 2)]
    a.close()
    assert Books(pool).blocks == []
    sweep(pool, player)
    assert_empty(pool)


@pytest.mark.parametrize("together", [1, 2])
def test_thousands_of_kills(compile_program, root, shim_env, pool, player, together):
    program = compile_program("kill/kill.c", "kill")
    seconds = 5
    storms = [
        subprocess.Popen(
            [program, "loop", str(seconds)]
            + [str(FIRST + PORTS * i), str(PORTS), str(time.time_ns())],
            env=shim_env,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(together)
    ]
    said = [storm.communicate(timeout=60)[0] for storm in storms]
    assert [storm.returncode for storm in storms] == [0] * together, said
    kills = sum(int(text.split()[-1]) for text in said)
    print(f"{kills} kills")
    assert kills >= 250 * together
    sweep(pool, player)
    assert_empty(pool)


def test_kills_while_the_pool_is_made(compile_program, root, shim_env, tmp_path):
    program = compile_program("kill/kill.c", "kill")
    pools = tmp_path / "pools"
    pools.mkdir()
    run = subprocess.run(
        [program, "fresh", "300", str(FIRST), str(PORTS), str(time.time_ns()), pools],
        env=shim_env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout
