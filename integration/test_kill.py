# SPDX-License-Identifier: MIT
"""SIGKILL at random moments: the range is free at once, the books are clean."""

import struct
import subprocess
import time

import pytest

FIRST, PORTS = 25000, 1500
FUTEX_OWNER_DIED = 0x40000000


class Books:
    """What the pool file says, read as core/layout.h has it."""

    SLOTS, SEGMENTS = 8192, 128

    def __init__(self, pool):
        (path,) = pool.glob("pool-*")
        self.bytes = path.read_bytes()
        assert len(self.bytes) == 4096 + 64 * self.SLOTS + 4096 * self.SEGMENTS

    @property
    def dirty(self):
        return struct.unpack_from("=I", self.bytes, 24)[0]

    def _slots(self):
        slots = self.bytes[4096 : 4096 + 64 * self.SLOTS]
        for state, protocol, _, start, count, token in struct.iter_unpack(
            "=IBBHI12xQ32x", slots
        ):
            if state:
                yield (protocol, start, count), token

    @property
    def blocks(self):
        """(protocol, start, count) of each live slot that was not ended."""
        return sorted(block for block, token in self._slots() if not token >> 63)

    @property
    def listed(self):
        """The ended ones too, which the next one to come by will free."""
        return sorted(block for block, token in self._slots())

    @property
    def marks(self):
        """(protocol, port) of each mark."""
        found = []
        for segment in range(self.SEGMENTS):
            at = 4096 + 64 * self.SLOTS + 4096 * segment
            marks = struct.unpack_from("=1024H", self.bytes, at)
            found += [
                (i // 512, 512 * segment + i % 512) for i, m in enumerate(marks) if m
            ]
        return sorted(found)

    @property
    def binders(self):
        """Threads whose binds are still announced, the dead left out."""
        found = []
        for segment in range(self.SEGMENTS):
            at = 4096 + 64 * self.SLOTS + 4096 * segment + 2056
            words = struct.unpack_from("=510I", self.bytes, at)
            found += [w for w in words[::2] if w and not w & FUTEX_OWNER_DIED]
        return found


def sweep(pool, player):
    """Asks for every range that is still listed: so the dead are found out."""
    asker = player()
    for protocol, start, count in Books(pool).listed:
        asker.ask(f"{('tcp', 'udp')[protocol]}('x')")
        answer = asker.ask(f"acquire(S['x'], {start}, {count})")
        assert answer[0] == "(", (start, count, answer)
        assert asker.ask(f"release(S['x'], {eval(answer)[2]})") == "None"
    # Whoever enters repairs what the last victim left half done.
    asker.ask("tcp('x') and release(S['x'], 1)")


def assert_empty(pool):
    books = Books(pool)
    assert books.listed == []
    assert books.marks == []
    assert books.dirty == 0
    assert books.binders == []


def test_a_reservation_can_be_read_from_the_books(player, pool):
    owner = player()
    owner.ask("udp('a')")
    assert owner.ask(f"acquire(S['a'], {FIRST}, 3)")[0] == "("
    books = Books(pool)
    assert books.blocks == [(1, FIRST, 3)]
    assert books.marks == [(1, FIRST), (1, FIRST + 1), (1, FIRST + 2)]
    owner.ask("close('a')")
    assert Books(pool).blocks == []
    sweep(pool, player)
    assert_empty(pool)


@pytest.mark.parametrize("together", [1, 2])
def test_thousands_of_kills(compile_program, root, shim_env, pool, player, together):
    program = compile_program(root / "integration/programs/storm_kill.c", "storm_kill")
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
    program = compile_program(root / "integration/programs/storm_kill.c", "storm_kill")
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
