# SPDX-License-Identifier: MIT
"""portres persistent and doctor on what may stand where the store belongs, and
on what a killed change or a doubtful disk leaves behind."""

import fcntl
import os
import signal
import subprocess

import pytest

from kits.cli import NOBODY, lines

LINE = "tcp 28600 5\n"
BLOCK = ("tcp", 28600, 5)


def fifo(store):
    os.mkfifo(store)
    return "is no file, but a link, a directory, a FIFO, a socket or a device: move it away"


def directory(store):
    store.mkdir()
    return "is no file"


def link(store):
    (store.parent / "elsewhere").write_text(LINE)
    store.symlink_to("elsewhere")
    return "is no file"


def hard_link(store):
    (store.parent / "elsewhere").write_text(LINE)
    os.link(store.parent / "elsewhere", store)
    return "is a hard link: that file has another name, too: put a copy of it there"


def large(store):
    store.write_bytes(b"#" * (1 << 20) + b"\n")
    return "is larger than 1 MiB"


def program(store):
    store.write_bytes(b"\x7fELF\1\1\1\0\0")
    store.chmod(0o4755)
    return "is no text: control characters are in it: take them out, or move it away"


NO_STORES = [fifo, directory, link, hard_link, large, program]


@pytest.mark.parametrize("make", NO_STORES, ids=lambda f: f.__name__)
def test_what_is_no_store_is_named_and_left_alone(cli, doctor, pool, make):
    store = pool / "persistent"
    cause = make(store)
    before = store.lstat()
    for verb in (["add", *BLOCK], ["delete", *BLOCK], ["reload"], ["list"]):
        said = cli("persistent", *verb, status=1)
        assert f"{store} {cause}" in said
    (error,) = lines(doctor(1), "error")
    assert f"{store} {cause}" in error
    for field in ("st_ino", "st_mode", "st_size", "st_mtime_ns"):
        assert getattr(store.lstat(), field) == getattr(before, field)
    assert not (pool / "persistent.new").exists()


@pytest.mark.parametrize("name", ["persistent.lock", "persistent.new"])
def test_a_directory_in_the_way(cli, pool, name):
    (pool / name).mkdir()
    said = cli("persistent", "add", *BLOCK, status=1)
    assert f"{pool}/persistent.lock or persistent.new is a directory" in said
    assert not (pool / "persistent").exists()


def test_who_may_read_it_only(cli, shared_pool):
    pool, as_nobody = shared_pool
    (pool / "persistent").write_text("")
    (pool / "persistent").chmod(0o600)
    said = cli("persistent", "list", status=1, **as_nobody)
    assert said.startswith(f"portres: you may not read {pool}/persistent: ")


def test_what_a_member_of_the_group_made_of_it(cli, shared_pool):
    """Root does not hand out set-id programs of its own."""
    pool, as_nobody = shared_pool
    store = pool / "persistent"
    store.write_text("#!/bin/sh\n# id\n")
    os.chown(store, NOBODY, NOBODY)
    store.chmod(0o6755)
    cli("persistent", "add", *BLOCK, env=as_nobody["env"])
    assert store.read_text() == "#!/bin/sh\n# id\n" + LINE
    assert store.stat().st_mode & 0o7777 == 0o664
    assert (store.stat().st_uid, store.stat().st_gid) == (0, NOBODY)
    # After the first one the others may go on, and nobody else.
    lock = pool / "persistent.lock"
    assert (lock.stat().st_mode & 0o7777, lock.stat().st_gid) == (0o660, NOBODY)
    cli("persistent", "add", "udp", 28600, 5, **as_nobody)
    assert store.stat().st_mode & 0o7777 == 0o664
    cli("persistent", "delete", "udp", 28600, 5, env=as_nobody["env"])


def test_who_may_only_read_holds_up_nobody(cli, pool):
    (pool / "persistent").write_text("")
    held = [os.open(p, os.O_RDONLY) for p in (pool, pool / "persistent")]
    for fd in held:
        fcntl.flock(fd, fcntl.LOCK_EX)
    cli("persistent", "add", *BLOCK)
    for fd in held:
        os.close(fd)
    assert (pool / "persistent.lock").stat().st_mode & 0o7777 == 0o600


@pytest.fixture
def injured(build, cli_env, has):
    """injured(inject, *arguments) -> how `portres persistent` ends when strace
    does that to its system calls."""
    if not has("strace"):
        pytest.skip("needs strace")

    def injured(inject, *arguments):
        run = subprocess.run(
            ["strace", "-o/dev/null", f"-einject={inject}", build / "portres",
             "persistent", *map(str, arguments)],
            env=cli_env, capture_output=True, text=True, check=False, timeout=60,
        )
        if "PTRACE_TRACEME" in run.stderr:
            pytest.skip("ptrace is not allowed here")
        return run

    return injured


# The pool has the block, the store not yet or no more.
KILLED = {
    "add": "renameat2:error=EIO:signal=KILL",
    "delete": "fsync:signal=KILL:when=2",
}


@pytest.fixture(params=KILLED)
def left_over(request, cli, injured, listed, pool):
    verb = request.param
    if verb == "delete":
        cli("persistent", "add", *BLOCK)
    killed = injured(KILLED[verb], verb, *BLOCK)
    assert killed.returncode == -signal.SIGKILL, killed
    assert [e["start"] for e in listed()] == [28600]
    store = pool / "persistent"
    assert not store.exists() or store.read_text() == ""
    return store


def test_added_after_a_killed_change(left_over, cli, doctor):
    cli("persistent", "add", *BLOCK)
    assert left_over.read_text() == LINE
    assert "put right" not in doctor()
    cli("persistent", "delete", *BLOCK)


def test_deleted_after_a_killed_change(left_over, cli, listed):
    assert "is no longer reserved" in cli("persistent", "delete", *BLOCK)
    assert listed() == []
    assert "no persistent reservation" in cli("persistent", "delete", *BLOCK, status=1)


def test_doctor_after_a_killed_change(left_over, doctor, listed):
    good = " ".join(lines(doctor(), "ok"))
    assert "put right: dropped 1 block that a killed add or delete had left" in good
    assert listed() == []
    assert "put right" not in doctor()


def test_doctor_without_the_right(cli, doctor, shared_pool, listed):
    pool, as_nobody = shared_pool
    env = as_nobody["env"]
    cli("persistent", "add", *BLOCK, env=env)
    pool.chmod(0o2750)
    (pool / "persistent").write_text("udp 28600 5\n")
    # 1, because that copy of the command has no library.
    warnings = " ".join(lines(doctor(1, **as_nobody), "warning"))
    assert (
        "the pool has 1 block that a killed add or delete left there, or a reload is"
        " due: portres persistent reload, as the owner of the store"
    ) in warnings
    assert "the pool does not have 1 block of the store: portres persistent reload" in warnings
    assert [e["protocol"] for e in listed(**as_nobody)] == ["tcp"]


def test_doctor_drops_and_adds_nothing(cli, doctor, listed, pool):
    cli("persistent", "add", *BLOCK)
    cli("persistent", "add", "tcp", 28610, 5)
    (pool / "persistent").write_text(LINE + "tcp 28620 5\nudp 28620 5\n")
    text = doctor()
    assert "put right: dropped 1 block" in " ".join(lines(text, "ok"))
    (warning,) = [line for line in lines(text, "warning") if line.startswith("store")]
    assert "the pool does not have 2 blocks of the store: portres persistent reload" in warning
    assert [e["start"] for e in listed()] == [28600]
    cli("persistent", "reload")
    assert "persistent reload" not in doctor()


def test_doctor_makes_no_files(doctor, pool):
    doctor()
    assert list(pool.glob("persistent*")) == []


def test_a_disk_that_does_not_confirm(cli, injured, listed, pool):
    """The second fsync is the directory's."""
    added = injured("fsync:error=EIO:when=2", "add", *BLOCK)
    assert added.returncode == 0, added
    assert added.stdout.startswith("tcp 28600-28604 is reserved for good, token ")
    assert added.stderr == (
        "portres: that is done, but the disk has not confirmed it: a power failure may"
        " undo it\n"
    )
    assert (pool / "persistent").read_text() == LINE
    assert [e["start"] for e in listed()] == [28600]
    deleted = injured("fsync:error=EIO:when=2", "delete", *BLOCK)
    assert deleted.returncode == 0
    assert "a power failure may undo it" in deleted.stderr
    assert (pool / "persistent").read_text() == "" and listed() == []
    # The first is the file's: then nothing has happened.
    refused = injured("fsync:error=EIO:when=1", "add", *BLOCK)
    assert refused.returncode == 1 and refused.stdout == ""
    assert refused.stderr.endswith("nothing was changed\n")
    assert (pool / "persistent").read_text() == "" and listed() == []
