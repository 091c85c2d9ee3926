# SPDX-License-Identifier: MIT
"""portres persistent: the store and the pool by hand."""

import json
import os
import socket
import subprocess
from errno import EADDRINUSE

import pytest

from kits.cli import lines
from kits.playing import refused


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_add_and_delete(cli, listed, player, pool, proto):
    one = player()
    a = one.sock(proto)
    token = int(cli("persistent", "add", proto, 28000, 5).split()[-1])
    with refused(EADDRINUSE):
        a.bind(28004)
    (entry,) = listed()
    assert entry.pop("since") and entry.pop("guarded") in (True, False)
    assert entry == {
        "protocol": proto, "start": 28000, "count": 5, "kind": "persistent",
        "pid": None, "user": None, "command": None, "users": [], "token": str(token),
    }
    assert (pool / "persistent").read_text() == f"{proto} 28000 5\n"
    assert "by the persistent store" in cli("who", 28003)
    # The token is the real one: it associates.
    b = one.sock(proto)
    b.associate(token)
    assert b.bind(0) == 28000
    assert cli("persistent", "delete", proto, 28000, 5) == (
        f"{proto} 28000-28004 is no longer reserved\n"
    )
    assert a.bind(28004) == 28004
    assert (pool / "persistent").read_text() == "" and listed() == []


def test_list(cli, pool):
    cli("persistent", "add", "udp", 28000, 5)
    (pool / "persistent").write_text("# mine\nudp 28000 5\n\ntcp 28100 1 # new\n")
    heading, *rows = [line.split(None, 4) for line in cli("persistent", "list").splitlines()]
    assert heading == ["PROTO", "START", "END", "COUNT", "STATE"]
    assert rows == [
        ["udp", "28000", "28004", "5", "reserved"],
        ["tcp", "28100", "28100", "1", "not yet"],
    ]
    assert cli("persistent", "reload") == "1 added, 0 removed, 1 kept\n"
    assert [e["reserved"] for e in json.loads(cli("persistent", "list", "--json"))] == [True] * 2


def test_nothing_to_list(cli):
    assert json.loads(cli("persistent", "list", "--json")) == []
    assert len(cli("persistent", "list").splitlines()) == 1


def test_what_is_in_the_way_is_named(cli, player, pool):
    one = player()
    one.tcp().acquire(28010, 5)
    said = cli("persistent", "add", "tcp", 28000, 20, status=1)
    assert said == (
        f"portres: tcp ports 28000-28019 overlap 28010-28014, held by pid {one.pid}"
        " (python3): stop it, or take other ports\n"
    )
    cli("persistent", "add", "udp", 28000, 20)
    said = cli("persistent", "add", "udp", 28019, 1, status=1)
    assert "overlap 28000-28019, held by the persistent store: delete that" in said
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", 28030))
        said = cli("persistent", "add", "tcp", 28030, 1, status=1)
        assert f"tcp port 28030 is in use by pid {os.getpid()} (" in said
    assert (pool / "persistent").read_text() == "udp 28000 20\n"


def test_delete_wants_the_very_block(cli, pool):
    cli("persistent", "add", "tcp", 28000, 20)
    for block in (["tcp", 28000, 19], ["tcp", 28001, 19], ["udp", 28000, 20]):
        said = cli("persistent", "delete", *block, status=1)
        assert "no persistent reservation of exactly" in said
    assert (pool / "persistent").read_text() == "tcp 28000 20\n"


def test_garbage_is_kept_and_named(cli, listed, pool):
    store = pool / "persistent"
    good = "tcp 28000 5\n"
    bad = "nonsense\ntcp 70000 1\ntcp 28001 x\n\x80\xff\n"
    store.write_bytes(("# c\n\n" + good + bad).encode("latin-1"))
    assert [e["start"] for e in listed()] == [28000]
    out, said = cli("persistent", "list", status=1, quiet=False)
    assert out.splitlines()[1].split()[1] == "28000"
    assert f"4 lines of {store} make no sense, the first is line 4" in said
    out, said = cli("persistent", "reload", status=1, quiet=False)
    assert out == "0 added, 0 removed, 1 kept\n"
    assert f"portres: 4 lines of {store} could not be followed: line 4 makes no sense: write " in said
    assert "; line 6 makes no sense" in said and "; and 1 more: see portres doctor\n" in said
    store.write_text(good + "nonsense\n")
    _, said = cli("persistent", "list", status=1, quiet=False)
    assert f"1 line of {store} makes no sense, the first is line 2" in said
    store.write_bytes(("# c\n\n" + good + bad).encode("latin-1"))
    cli("persistent", "add", "udp", 28000, 5)
    assert store.read_bytes() == ("# c\n\n" + good + bad + "udp 28000 5\n").encode("latin-1")
    assert [e["start"] for e in listed()] == [28000, 28000]


def test_reload_names_what_is_in_the_way(cli, doctor, listed, player, pool):
    """Which line, which block, whose; and doctor does, after it."""
    store = pool / "persistent"
    one = player()
    a = one.tcp()
    a.acquire(28010, 5)
    store.write_text("tcp 28000 20\nudp 28000 5\nudp 28004 2 # again\n")
    for _ in range(2):
        out, said = cli("persistent", "reload", status=1, quiet=False)
        assert said == (
            f"portres: 2 lines of {store} could not be followed: "
            f"line 1, tcp 28000-28019, overlaps 28010-28014, held by pid {one.pid} (python3): "
            "stop it, then portres persistent reload, or take other ports; line 3, udp 28004-28005, overlaps "
            "28000-28004, held by the persistent store: take one of the two lines out\n")
    assert out == "0 added, 0 removed, 1 kept\n"
    warnings = " ".join(lines(doctor(), "warning"))
    assert f"line 1, tcp 28000-28019, overlaps 28010-28014, held by pid {one.pid} (" in warnings
    assert "line 3, udp 28004-28005, overlaps 28000-28004, held by the persistent" in warnings
    assert "the pool does not have" not in warnings
    a.close()
    assert "of the store: portres persistent reload (line 1, tcp 28000-28019)" in doctor()
    store.write_text("tcp 28000 20\n")
    assert cli("persistent", "reload") == "1 added, 1 removed, 0 kept\n"
    assert "overlaps" not in doctor()


def test_reload_and_doctor_name_the_first_of_many(cli, doctor, pool):
    many = [f"tcp {start} 2\n" for start in range(28001, 28021)]
    (pool / "persistent").write_text("tcp 28000 30\n" + "".join(many))
    _, said = cli("persistent", "reload", status=1, quiet=False)
    assert "; line 4, tcp 28003-28004, overlaps 28000-28029, held by " in said
    assert "line 5" not in said and said.endswith("; and 17 more: see portres doctor\n")
    text = doctor()
    assert "line 9, tcp 28008-28009, overlaps" in text and "line 10" not in text
    assert "in the way of 12 lines more" in text
    (pool / "persistent").write_text("".join(many[::2]))
    assert "not have 10 blocks of the store: portres persistent reload (line 1, tcp" in doctor()


def test_reload_into_a_full_pool(cli, doctor, pool):
    text = "".join(f"{proto} {port} 1\n" for proto in ("tcp", "udp")
                   for port in range(20000, 24097))
    (pool / "persistent").write_text(text)
    _, said = cli("persistent", "reload", status=1, quiet=False)
    full = "udp 24095, is not reserved, for the pool is full: end some of its 8192 reservations"
    assert full in said
    assert full in doctor(1)


def test_reload_removes_what_was_deleted(cli, listed, pool):
    cli("persistent", "add", "tcp", 28000, 5)
    cli("persistent", "add", "tcp", 28010, 5)
    (pool / "persistent").write_text("tcp 28010 5\n")
    assert cli("persistent", "reload") == "0 added, 1 removed, 1 kept\n"
    assert [e["start"] for e in listed()] == [28010]


def test_a_reboot(cli, listed, player, pool):
    cli("persistent", "add", "tcp", 28000, 5)
    one = player()
    one.tcp().acquire(28010, 5)
    one.kill()
    for file in pool.glob("pool-*"):
        file.unlink()
    assert [(e["start"], e["kind"]) for e in listed()] == [(28000, "persistent")]


def test_who_may_not_write_the_store(cli, listed, shared_pool):
    """The pool is for the group; the store, in PORTRES_POOL here, must not be."""
    pool, as_nobody = shared_pool
    env = as_nobody["env"]
    cli("persistent", "add", "tcp", 28000, 5, env=env)
    pool.chmod(0o2750)
    for args in (
        ["delete", "tcp", "28000", "5"], ["add", "tcp", "28100", "5"], ["reload"],
    ):
        said = cli("persistent", *args, status=1, **as_nobody)
        assert said.startswith(f"portres: you may not write the store {pool}: ")
    (entry,) = listed(**as_nobody)
    assert entry["start"] == 28000 and "token" not in entry
    assert "reserved" in cli("persistent", "list", **as_nobody)
    assert "token" in listed(env=env)[0]


def test_no_place_for_a_store(cli, cli_env):
    env = {k: v for k, v in cli_env.items() if k not in ("HOME", "PORTRES_POOL")}
    env["XDG_STATE_HOME"] = ""
    if os.path.isdir("/run/portres"):
        pytest.skip("this machine has a pool for all")
    assert "set HOME or PORTRES_POOL" in cli("persistent", "list", status=1, env=env)


FULL_DISK = """
mount -t tmpfs -o size=4m,mode=700 none "$PORTRES_POOL" || exit 9
"$0" persistent add tcp 28100 5 >/dev/null || exit 8
dd if=/dev/zero of="$PORTRES_POOL/full" bs=4k 2>/dev/null
"$0" persistent "$@"
echo $?
cat "$PORTRES_POOL/persistent"
ls "$PORTRES_POOL" | grep -c new
rm "$PORTRES_POOL/full"
"$0" persistent delete tcp 28100 5 >/dev/null
"""


def test_a_full_disk(build, cli_env, need):
    need("mount")
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", FULL_DISK, build / "portres", "add", "tcp", "28000", "5"],
        env=cli_env, capture_output=True, text=True, check=False,
    )
    if run.returncode == 9:
        pytest.skip("may not mount here")
    assert run.stdout == "1\ntcp 28100 5\n0\n", run
    said = run.stderr
    assert "is full: make room there; nothing was changed" in said
    assert said.count("\n") == 1
