# SPDX-License-Identifier: MIT
"""Binders and an acquirer of the same two ports: never two at once.

Without announcements, without the look at the marks, without the wait for
announcements, or with the trial binds before either, each of these tests says
within a second who had a port together with whom.
"""

import subprocess

import pytest

from kits.books import Books

pytestmark = pytest.mark.long

FIRST, SECONDS = 25000, 3
# Each side does thousands in that time; a few would be luck. The program goes on
# until it has them.
MANY = 100


@pytest.fixture
def race(race_program, slow_env, namespace):
    """race(how, protocol, trouble) -> what the program counted."""
    program = race_program("race/two.c", "race/stop.c", "race/kit.c")

    def race(how, protocol, trouble):
        run = subprocess.run(
            [*namespace, program, how, protocol, str(FIRST), str(SECONDS), trouble],
            env=slow_env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        lines = (line.split() for line in run.stdout.splitlines())
        return {name: int(number) for name, number in lines}

    return race


def assert_nobody_starved(counted):
    taken = [counted[f"taken-{i}"] for i in range(5)]
    refused = [counted[f"refused-{i}"] for i in range(5)]
    assert min(taken) > MANY, counted
    # They did meet: binders by the acquirer's fault, and the acquirer by theirs.
    assert min(refused[1:]) > MANY, counted
    assert refused[0] > 0, counted


def assert_all_is_free(counted, pool):
    assert counted["last-errno"] == 0
    assert counted["last-us"] < 50_000
    books = Books(pool)
    assert books.binders == []
    assert books.dirty == 0


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("how", ["processes", "threads"])
def test_never_two_at_once(race, pool, how, protocol):
    counted = race(how, protocol, "none")
    assert_nobody_starved(counted)
    assert_all_is_free(counted, pool)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_binders_that_are_killed(race, pool, protocol):
    counted = race("processes", protocol, "kill")
    assert counted["kills"] > MANY
    assert_nobody_starved(counted)
    # The last four were killed too: what they announced is over.
    assert_all_is_free(counted, pool)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_binders_that_are_stopped(race, pool, protocol):
    counted = race("processes", protocol, "stop")
    # Fewer: every tenth or so is stopped between announcement and bind, or
    # with the port bound, and costs the acquirer its 0.1 s.
    assert counted["stops"] - counted["inside"] > 10, counted
    assert_nobody_starved(counted)
    # Two acquires with 0.1 s of patience, and what busy processors add.
    assert counted["worst-stopped-us"] < 600_000, counted
    assert_all_is_free(counted, pool)
