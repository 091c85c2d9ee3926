# SPDX-License-Identifier: MIT
"""A `guard on` that somebody keeps waiting ends in time, and says so."""

import os
import pathlib
import signal
import subprocess

import pytest

ENDED = "the search for blocks of running programs was ended: some process kept it waiting"


def mount_fuse(place):
    """A file system that nobody answers for, but for its beginning. For a player, which
    ends soon: others that meet it wait as well."""
    signal.alarm(30)
    device = os.open("/dev/fuse", os.O_RDWR)
    portio.must(libc.mount(b"none", place.encode(), b"fuse", 6,
                           f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()) == 0)
    (unique,) = struct.unpack_from("=8xQ", os.read(device, 1 << 17))
    os.write(device, struct.pack("=IiQIIIIHHI40x", 80, 0, unique, 7, 31, 0, 0, 12, 9, 4096))
    return device


def asks(device):
    """The process that waits for its next answer. For a player."""
    return struct.unpack_from("=32xI", os.read(device, 1 << 17))[0]


def parent(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except FileNotFoundError:
        return 0


@pytest.fixture
def waiting(arena, has, shim_env, tmp_path):
    """waiting(*prefix) -> a `guard on` that waits, in its search, for a directory that a
    program names as its pool's, and that nobody ever answers for."""
    begun, programs = [], []

    def waiting(*prefix):
        place = tmp_path / "silent"
        place.mkdir()
        env = {**arena.env, "PORTRES_POOL": str(place)}
        program = arena.player(env=env, prefix=[*arena.inside, "unshare", "-m"])
        programs.append(program)
        try:
            device = program.run(mount_fuse, str(place))
        except OSError as error:
            pytest.skip(f"no file system of a program's own here: {error}")
        command = subprocess.Popen(
            [*arena.outside, *prefix, arena.build / "portres", "guard", "on", "--cgroup",
             arena.cgroup], env=arena.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        begun.append(command)
        # Searchers of other tests come there too.
        while parent(program.run(asks, device)) != command.pid:
            pass
        return command

    yield waiting
    for program in programs:
        program.kill()
    for command in begun:
        command.kill()
        command.communicate()


@pytest.mark.parametrize("prefix", [
    [], ["env", "--ignore-signal=ALRM", "--block-signal=ALRM"],
], ids=["as it is", "ignored and blocked"])
def test_its_time_is_up(arena, waiting, prefix):
    """By the alarm that it sets itself. Its searcher is in a call of the kernel that no
    signal ends, not the last one either."""
    command = waiting(*prefix)
    os.kill(command.pid, signal.SIGALRM)
    _, said = command.communicate(timeout=15)
    assert command.returncode == 0 and ENDED in said, said
    assert arena.status()["attached"]
    # Its searcher has no lock that the next one needs.
    arena.off()


def test_the_time_that_it_has(arena, has, tmp_path):
    """Twenty seconds, of which a search that comes to its end takes nothing."""
    if not has("strace"):
        pytest.skip("no strace")
    log = tmp_path / "log"
    arena.on(prefix=["strace", "-e", "trace=alarm,setitimer", "-o", log])
    said = log.read_text()
    assert "alarm(20)" in said or "tv_sec=20" in said, said
