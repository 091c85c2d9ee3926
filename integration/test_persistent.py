# SPDX-License-Identifier: MIT
"""Persistent blocks: Create, Lookup, Delete from a program; store and reboot."""

import ctypes
import os
import random
import socket
import subprocess
from errno import EACCES, EADDRINUSE, EINVAL

import pytest

import checkers
from kits.playing import refused

DENIED, WRITE_FAULT, SHARING, PARAMETER, NOT_FOUND = 5, 29, 32, 87, 1168


def call_there(library, verb, proto, start, count, token):
    """In a player: the code, and the token."""
    winsock = ctypes.CDLL(library)
    function = getattr(winsock, f"{verb}Persistent{proto.capitalize()}PortReservation")
    place = ctypes.c_ulonglong()
    arguments = [socket.htons(start), count]
    if verb != "Delete":
        arguments.append(ctypes.byref(place) if token else None)
    return function(*arguments), place.value


@pytest.fixture(scope="session")
def iphlpapi(build, tmp_path_factory, let_in):
    """The functions as a library, which other users may open too."""
    folder = tmp_path_factory.mktemp("iphlpapi")
    let_in(folder)
    path = folder / "iphlpapi.so"
    subprocess.run(
        ["gcc", "-shared", *checkers.flags(build), "-o", path, f"-L{build}/lib",
         "-Wl,-u,CreatePersistentTcpPortReservation", "-liphlpapi"],
        check=True)
    return str(path)


@pytest.fixture
def windows(iphlpapi):
    """windows(program) -> functions of iphlpapi, called in that program."""

    def windows(program):
        def call(verb, proto, start, count, token=True):
            return program.run(call_there, iphlpapi, verb, proto, start, count, token)

        return call

    return windows


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_the_documented_flow(player, windows, proto, pool):
    one, two = player(), player()
    first, second = windows(one), windows(two)
    code, token = first("Create", proto, 28000, 5)
    assert code == 0 and token != 0
    assert second("Lookup", proto, 28000, 5) == (0, token)
    x = one.sock(proto)
    with refused(EADDRINUSE):
        x.bind(28002)  # not associated
    y = two.sock(proto)
    y.associate(token)
    assert y.bind(0) == 28000
    with refused(EINVAL):
        y.release(token)  # persistent
    assert second("Delete", proto, 28000, 5)[0] == 0
    assert x.bind(28002) == 28002
    assert first("Lookup", proto, 28000, 5)[0] == NOT_FOUND


def test_it_outlives_every_process_and_a_reboot(player, windows, pool):
    one = player()
    token = windows(one)("Create", "tcp", 28000, 5)[1]
    one.tcp().acquire(28010, 5)
    one.kill()
    two = player()
    assert windows(two)("Lookup", "tcp", 28000, 5) == (0, token)
    two.end()
    for file in pool.glob("pool-*"):
        file.unlink()
    three = player()
    code, again = windows(three)("Lookup", "tcp", 28000, 5)
    assert code == 0 and again != token
    b = three.tcp()
    with refused(EADDRINUSE):
        b.bind(28003)
    assert b.bind(28012) == 28012  # runtime: gone


@pytest.mark.parametrize(
    "first,count", [(0, 5), (28000, 0), (65535, 2)], ids=["start", "count", "end"]
)
def test_bad_parameters(player, windows, first, count):
    call = windows(player())
    for verb in ("Create", "Lookup", "Delete"):
        assert call(verb, "tcp", first, count)[0] == PARAMETER
    assert call("Create", "tcp", 28000, 1, token=False)[0] == PARAMETER
    assert call("Lookup", "tcp", 28000, 1, token=False)[0] == PARAMETER
    assert call("Lookup", "tcp", 28000, 1)[0] == NOT_FOUND


def test_conflicts_and_exact_matches(player, windows):
    program = player()
    call = windows(program)
    program.tcp().acquire(28000, 5)
    program.tcp().bind(28010)
    assert call("Create", "tcp", 28004, 2)[0] == SHARING
    assert call("Create", "tcp", 28008, 5)[0] == SHARING
    assert call("Create", "udp", 28004, 2)[0] == 0
    assert call("Create", "udp", 28005, 2)[0] == SHARING
    with refused(EADDRINUSE):
        program.udp().acquire(28005, 1)
    for start, count in ((28004, 1), (28005, 1), (28003, 3)):
        assert call("Lookup", "udp", start, count)[0] == NOT_FOUND
        assert call("Delete", "udp", start, count)[0] == NOT_FOUND
    assert call("Delete", "tcp", 28004, 2)[0] == NOT_FOUND
    assert call("Delete", "udp", 28004, 2)[0] == 0


def test_without_the_right_to_the_store(player, windows, pool, let_in, need):
    need("become another user")
    token = windows(player())("Create", "tcp", 28000, 5)[1]
    let_in(pool)
    for file in pool.glob("pool-*"):
        os.chmod(file, 0o664)
        os.chown(file, 0, 65534)
    os.chown(pool, 0, 65534)
    nobody = player(user=65534, group=65534)
    call = windows(nobody)
    assert call("Lookup", "tcp", 28000, 5) == (0, token)
    assert call("Create", "tcp", 28010, 5)[0] == DENIED
    assert call("Delete", "tcp", 28000, 5)[0] == DENIED
    with refused(EACCES):
        nobody.tcp().associate(token)


def test_a_store_that_was_edited_by_hand(player, windows, pool):
    store = pool / "persistent"
    text = (
        "# ours\n\n"
        "tcp 28000 5 # web\n"
        "  udp\t28000\t5\n"
        "sctp 28000 5\n"
        "tcp 28000\n"
        "tcp 28003 5\n"  # overlaps
        "tcp 99999999999 1\n"
        "tcp 28020 1 1\n"
        "\f\n"
        "\x80\xff garbage"
    )
    store.write_text(text, encoding="latin-1")
    call = windows(player())
    assert call("Lookup", "tcp", 28000, 5)[0] == 0
    assert call("Lookup", "udp", 28000, 5)[0] == 0
    assert call("Lookup", "tcp", 28003, 5)[0] == NOT_FOUND
    assert call("Lookup", "tcp", 28020, 1)[0] == NOT_FOUND
    # A change keeps every line, even those that it cannot read.
    assert call("Create", "tcp", 28030, 2)[0] == 0
    assert store.read_text("latin-1") == text + "\ntcp 28030 2\n"
    assert call("Delete", "tcp", 28030, 2)[0] == 0
    assert store.read_text("latin-1") == text + "\n"


@pytest.mark.parametrize("kind", ["fifo", "binary", "directory"])
def test_a_store_that_is_none_holds_up_no_bind(player, windows, pool, kind):
    store = pool / "persistent"
    if kind == "fifo":
        os.mkfifo(store)
    elif kind == "binary":
        store.write_bytes(b"tcp 28000 5\n\0")
    else:
        store.mkdir()
    program = player()
    assert program.tcp().bind(28001) == 28001
    call = windows(program)
    assert call("Create", "tcp", 28010, 5)[0] == WRITE_FAULT
    assert call("Delete", "tcp", 28000, 5)[0] == WRITE_FAULT
    assert call("Lookup", "tcp", 28000, 5)[0] == NOT_FOUND
    assert [f.name for f in pool.glob("persistent*") if f.name != "persistent.lock"] == [
        "persistent"
    ]


def parse(text):
    blocks = []
    for line in text.splitlines():
        proto, start, count = line.split()
        blocks.append((proto, int(start), int(count)))
    return blocks


def test_two_writers_killed_at_random(player, windows, pool):
    """The store always parses, and is what their answers say it is."""
    store = pool / "persistent"
    known = {}  # block -> present, absent, or unknown after a kill
    writers = [player(), player()]
    calls = [windows(w) for w in writers]
    rng = random.Random(4711)
    killed = 0
    for step in range(300):
        i = rng.randrange(2)
        # Each writer has its own blocks, so each answer is predictable.
        block = ("tcp", 28100 + 20 * i + rng.randrange(10) * 2, 2)
        verb = rng.choice(("Create", "Delete"))
        if rng.random() < 0.1:
            writers[i].begin(call_there, verb, *block, True)
            for _ in range(rng.randrange(20000)):
                pass
            writers[i].kill()
            killed += 1
            known[block] = None
            writers[i] = player()
            calls[i] = windows(writers[i])
        else:
            code = calls[i](verb, *block)[0]
            before = known.get(block, False)
            if before is not None:
                wanted = {
                    ("Create", False): 0,
                    ("Create", True): SHARING,
                    ("Delete", True): 0,
                    ("Delete", False): NOT_FOUND,
                }[verb, before]
                assert code == wanted, (step, verb, block)
            known[block] = verb == "Create"
        blocks = parse(store.read_text()) if store.exists() else []
        assert len(set(blocks)) == len(blocks)
        for block, present in known.items():
            if present is not None:
                assert (block in blocks) == present, (step, block)
    assert killed > 10
    assert [f.name for f in pool.iterdir() if f.name.endswith(".new")] in (
        [],
        ["persistent.new"],
    )


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_the_flow_from_a_winsock_program(compile_program, root, run, proto):
    program = compile_program(
        "persistent/persistent.cpp", "persistent", "c++"
    )
    ended = run(program, proto, 28050, 5)
    assert ended.returncode == 0, ended
    assert ended.stdout.splitlines() == [
        "create 0",
        "lookup 0 same",
        "bound 28050",
        "delete 0",
        f"lookup {NOT_FOUND}",
    ]


def test_a_disk_that_does_not_confirm(compile_program, shim_env, bare_env, has, pool):
    """The second fsync of each change is the directory's. Windows has no word
    for it: done."""
    if not has("strace"):
        pytest.skip("needs strace")
    program = compile_program(
        "persistent/persistent.cpp", "persistent", "c++"
    )
    run = subprocess.run(
        ["strace", "-f", "-o/dev/null", "-einject=fsync:error=EIO:when=2+2",
         f"-ELD_PRELOAD={shim_env['LD_PRELOAD']}", program, "tcp", "28650", "5"],
        env=bare_env, capture_output=True, text=True, check=False, timeout=60,
    )
    if "PTRACE_TRACEME" in run.stderr:
        pytest.skip("ptrace is not allowed here")
    assert run.stdout.splitlines() == [
        "create 0", "lookup 0 same", "bound 28650", "delete 0", f"lookup {NOT_FOUND}",
    ]
    assert (pool / "persistent").read_text() == ""
