# SPDX-License-Identifier: MIT
"""portres doctor: a healthy system, and each way to spoil it."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from checkers import sanitizer
from kits.cli import NOBODY, lines


def test_healthy(doctor, build, shim_env, pool):
    text = doctor(env=shim_env)
    assert lines(text, "error") == []
    good = " ".join(" ".join(lines(text, "ok")).split())
    assert f"{build}/libportres.so: LD_PRELOAD names it" in good
    assert "a program that preloads it is answered" in good
    assert re.search(r"it acquired port \d+ and gave it back", good)
    assert f"pool {pool}/pool-" in good and "PORTRES_POOL says so" in good
    assert f"store {pool}/persistent: 0 blocks; you may change it" in good
    assert "sockets carry file locks" in good
    assert "0 living, 0 stale swept" in good


def test_not_preloaded_is_a_warning_with_the_line_to_type(doctor, build):
    text = doctor()
    assert f"export LD_PRELOAD={build}/libportres.so" in " ".join(lines(text, "warning"))
    assert f"{build}/libportres.so: next to the command" in text


def test_installed_layout(doctor, build, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib").mkdir()
    program = shutil.copy(build / "portres", tmp_path / "bin")
    library = shutil.copy(build / "libportres.so", tmp_path / "lib")
    text = doctor(program=program)
    assert f"{library}: in the library folder" in text
    pathlib.Path(library).unlink()
    assert "libportres.so is not found" in doctor(1, program=program)


def test_a_library_that_is_none(doctor, cli_env, tmp_path):
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"\x7fELF nonsense")
    (error,) = lines(doctor(1, env=dict(cli_env, PORTRES_LIB=str(broken))), "error")
    assert f"{broken} (PORTRES_LIB names it) cannot be preloaded: file too short" in error
    (error,) = lines(doctor(1, env=dict(cli_env, PORTRES_LIB="/none")), "error")
    assert "PORTRES_LIB names no file" in error


def pool_file(pool):
    (file,) = pool.glob("pool-*")
    return file


def missing(pool):
    pool.rmdir()
    return "there is no pool directory"


def no_directory(pool):
    pool.rmdir()
    pool.write_text("")
    return "is not a directory"


def open_to_all(pool):
    pool.chmod(0o777)
    return f"may be written by anybody (chosen: PORTRES_POOL says so): chmod o-w {pool}"


def foreign(pool):
    if os.geteuid() != 0:
        pytest.skip("needs root, to give it away")
    os.chown(pool, NOBODY, NOBODY)
    return f"belongs to user {NOBODY}"


SPOIL_DIRECTORY = [missing, no_directory, open_to_all, foreign]


@pytest.mark.parametrize("spoil", SPOIL_DIRECTORY, ids=lambda f: f.__name__)
def test_a_spoiled_directory(doctor, cli, pool, spoil):
    cause = spoil(pool)
    errors = " ".join(lines(doctor(1), "error"))
    assert cause in errors
    assert "it could not acquire a port: Network is down" in errors
    # The same cause and way out where a command needs the pool.
    assert cause.split(" (chosen")[0] in cli("list", status=1)


def truncated(file):
    os.truncate(file, 5000)
    return "it has 5000 bytes, not"


def garbage(file):
    with open(file, "r+b") as f:
        f.write(b"garbage!")
    return "its header is not ours"


def other_layout(file):
    with open(file, "r+b") as f:
        f.seek(8)
        f.write(b"\x63")
    return "its header is not ours"


def link(file):
    file.rename(file.parent / "elsewhere")
    file.symlink_to(file.parent / "elsewhere")
    return "is a symbolic link"


def writable(file):
    file.chmod(0o666)
    return "may be written by anybody"


SPOIL_FILE = [truncated, garbage, other_layout, link, writable]


@pytest.mark.parametrize("spoil", SPOIL_FILE, ids=lambda f: f.__name__)
def test_a_spoiled_file(doctor, cli, pool, spoil):
    cli("list")
    file = pool_file(pool)
    cause = spoil(file)
    text = " ".join(lines(doctor(1), "error"))
    assert str(file) in text and cause in text
    assert cause in cli("list", status=1)


def a_directory(file):
    file.unlink()
    file.mkdir()


ODD_NAMES = ["my pool", "it's $HOME;`a`&b\\", "gr\u00f6\u00dfe", "esc\x1b 'x'\\41\n", "~"]


@pytest.mark.parametrize("spoil", [missing, open_to_all, link, a_directory],
                         ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_way_out_is_typed_as_it_stands(doctor, cli, cli_env, tmp_path, has, spoil, name):
    """A name that a shell would part or read is in quotes."""
    if not has("bash"):
        pytest.skip("needs a shell that reads $'...'")
    pool = tmp_path / "pools" / name
    pool.mkdir(parents=True, mode=0o700)
    env = dict(cli_env, PORTRES_POOL=str(pool))
    if spoil in (missing, open_to_all):
        spoil(pool)
    else:
        cli("list", env=env)
        spoil(pool_file(pool))
    text = doctor(1, env=env)
    typed = re.sub(", or set PORTRES_POOL.*", "", cli("list", env=env, status=1))
    typed = re.search(r"(mkdir|chmod|rm|rmdir) .*$", typed)[0]
    assert typed in text
    subprocess.run(["bash", "-c", typed], cwd=tmp_path, check=True)
    doctor(env=env)
    assert os.listdir(tmp_path / "pools") == [name]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_group_bit_is_typed_as_it_stands(doctor, cli_env, tmp_path, has, name):
    if not has("bash"):
        pytest.skip("needs a shell that reads $'...'")
    pool = tmp_path / name
    pool.mkdir()
    pool.chmod(0o770)
    env = dict(cli_env, PORTRES_POOL=str(pool))
    (typed,) = re.findall(r"chmod g\+s .*", doctor(env=env))
    subprocess.run(["bash", "-c", typed], check=True)
    assert "shares it (mode 2770)" in doctor(env=env)


def test_a_lock_that_is_held(cli, doctor, pool, start):
    """Looking takes no lock. A call that wants it hears whom to continue or to end."""
    cli("list")
    text = "import fcntl, sys\nf = open(sys.argv[1])\nfcntl.flock(f, 2)\nprint(1, flush=True)\ninput()"
    holder = start(["/usr/bin/python3", "-c", text, pool_file(pool)])
    assert holder.line() == "1"
    os.kill(holder.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED)
    who = f"locked by pid {holder.pid} (python3), which is stopped"
    assert "PROTO" in cli("list")
    assert "nobody" in cli("who", "5000", status=1, answer=True)
    assert who in " ".join(lines(doctor(1), "warning"))
    who = who.replace("locked", "locked for too long")
    assert who in cli("run", "--tcp", "1", "true", status=75)
    holder.kill()
    cli("run", "--tcp", "1", "true")


# No pool is there, and there is no room to make one.
NO_ROOM = {
    "bytes": ("mount -t tmpfs -o size=64k,mode=700 none", "", " is full: make room in "),
    "inodes": ("mount -t tmpfs -o nr_inodes=1,mode=700 none", "",
               " has no inode left: remove files there"),
    "limit": ("true", "ulimit -f 0;",
              "bytes, and your limit is 0: raise ulimit -f, or have it made without the limit"),
}


@pytest.mark.parametrize("lacking", NO_ROOM)
@pytest.mark.parametrize("whose", ["named", "own"])
def test_no_room_for_a_pool(build, cli_env, need, pool, lacking, whose):
    """Nobody has locked it: there is none."""
    need("mount")
    prepare, limit, cause = NO_ROOM[lacking]
    env = dict(cli_env)
    place = pool if whose == "named" else "/dev/shm"
    if whose == "own":
        del env["PORTRES_POOL"]
        if os.path.isdir("/run/portres"):
            pytest.skip("this machine has a pool for all")
        prepare = prepare.replace("true", "mount -t tmpfs none")
    text = f'{prepare} "$1" || exit 9; {limit} for c in list doctor; do "$0" $c; done'
    run = subprocess.run(["unshare", "-m", "sh", "-c", text, build / "portres", place],
                         env=env, capture_output=True, text=True, check=False, timeout=60)
    if run.returncode == 9:
        pytest.skip("may not mount here")
    said = run.stderr.splitlines()
    assert len(said) == 1 and cause in said[0], run
    assert [cause in line or "(chosen: " in line and cause.split(":")[0] in line
            for line in lines(run.stdout, "error")] == [False, True], run
    assert "locked" not in run.stdout + run.stderr


def test_not_in_the_group(doctor, cli, shared_pool):
    pool, as_nobody = shared_pool
    os.chown(pool, 0, 0)
    text = cli("list", status=1, **as_nobody)
    assert f"{pool} cannot be opened: Permission denied" in text


def test_the_group_bit(doctor, cli_env, shared_pool):
    pool, _ = shared_pool
    env = dict(cli_env, PORTRES_POOL=str(pool))
    assert "shares it (mode 2770)" in doctor(env=env)
    pool.chmod(0o770)
    assert f"chmod g+s {pool}" in " ".join(lines(doctor(env=env), "warning"))


def test_stale_and_ephemeral(doctor, player, namespace):
    """In a network of its own: elsewhere the kernel may have picked that port."""
    one = player(prefix=namespace)
    a = one.tcp()
    setting = one.pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    low = int(setting.split()[0])
    a.acquire(low, 1)
    text = doctor(prefix=namespace)
    assert "1 living, 0 stale" in text
    assert f"1 reservation ({low}) where the kernel picks ports" in text
    a.close()
    text = doctor(prefix=namespace)
    assert "0 living, 1 stale swept" in text and "where the kernel picks" in text
    assert "0 living, 0 stale swept" in doctor(prefix=namespace)


def test_files_of_other_namespaces(build, cli, cli_env, doctor, pool, need):
    """That of one which has ended is counted; that it has ended nobody says."""
    need("make a network namespace")
    assert "more file" not in doctor()
    for left in 1, 2:
        subprocess.run(["unshare", "-n", build / "portres", "list"], env=cli_env, check=True,
                       capture_output=True)
        assert len(list(pool.glob("pool-*"))) == left + 1
        s = "s" * (left > 1)
        (line,) = [line for line in lines(doctor(), "ok") if "more file" in line]
        assert f"{left} more file{s} in it, of other network namespaces, {left}" in line
        assert "stay, see portres(7)" in line
    (pool / "pool-x").write_text("")
    assert " 2 more files in it" in doctor()


def test_settings_that_make_no_sense(doctor, cli_env):
    env = dict(cli_env, PORTRES_WILDCARD="9-1")
    assert "PORTRES_WILDCARD=9-1 makes no sense" in " ".join(lines(doctor(env=env), "warning"))


def test_bad_lines_of_the_store(doctor, pool):
    (pool / "persistent").write_text("# mine\nnonsense\ntcp 28000 5\ntcp 0 1\n")
    assert "make no sense: 2, 4" in " ".join(lines(doctor(), "warning"))


# Lines of /etc/ld.so.preload, of which {0} is the library's path: is every program
# under it?
EVERYWHERE = [
    ("{0}", True), ("/none.so {0}", True), ("/none.so:{0}", True), ("\t{0}\n", True),
    ("{1}/link.so", True), ("{0} # ours", True), ("# none\n\n{0}", True),
    ("# {0}", False), ("/none.so # {0}", False), ("/none.so #\t{0}", False),
    ("/none/libportres.so", False), ("{0}.gone", False), ("{1}/libportres_other.so", False),
    ("libportres.so.7", False), ("", False),
]


@pytest.mark.parametrize("text,everywhere", EVERYWHERE)
def test_preloaded_everywhere(build, shared_pool, private, text, everywhere):
    if sanitizer(build):
        pytest.skip("programs of others have no runtime before the library")
    pool, as_nobody = shared_pool
    top = pool.parent
    library = shutil.copy(build / "libportres.so", top)
    (top / "link.so").symlink_to(library)
    subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-o", top / "libportres_other.so"],
                   check=True)
    (top / "preload").write_text(text.format(library, top) + "\n")
    run = private(NOBODY, f"""
        cp /etc/passwd /run && mount -t tmpfs -o mode=755 none /etc && mv /run/passwd /etc
        cp {top}/preload /etc/ld.so.preload""", as_nobody["env"], as_nobody["program"], "doctor")
    assert ("every program is under portres" in run.stdout) == everywhere, run
    assert ("LD_PRELOAD does not have it" in run.stdout) != everywhere, run


# /etc, with the users, and /var/lib of a machine that has systemd.
MACHINE = """
cp /etc/passwd /run
mount -t tmpfs -o mode=755 none /etc
mount -t tmpfs -o mode=755 none /var/lib
mv /run/passwd /etc
mkdir -p /run/systemd/system /run/systemd/logind.conf.d /var/lib/systemd/linger
mkdir -p /etc/systemd/logind.conf.d
cd /etc/systemd
"""
OFF = "printf '[Login]\\nRemoveIPC=no\\n' >"
LOGIND = [
    ("", NOBODY, True),
    ("printf '#RemoveIPC=yes\\n' > logind.conf", NOBODY, True),
    ("", 0, False), ("", 1, False),
    ("rmdir /run/systemd/system", NOBODY, False),
    ("touch /var/lib/systemd/linger/nobody", NOBODY, False),
    ("touch /var/lib/systemd/linger/daemon", NOBODY, True),
    (f"{OFF} logind.conf", NOBODY, False),
    (f"{OFF} logind.conf.d/x.conf", NOBODY, False),
    (f"{OFF} /run/systemd/logind.conf.d/x.conf", NOBODY, False),
    (f"{OFF} logind.conf.d/x", NOBODY, True),
    # The later one counts, and comments nowhere but without it.
    (f"{OFF} logind.conf; echo RemoveIPC=1 > logind.conf.d/x.conf", NOBODY, True),
    ("echo RemoveIPC=1 > logind.conf.d/a.conf; echo 'RemoveIPC = OFF ' > logind.conf.d/b.conf",
     NOBODY, False),
    # By name over all directories; of one name, that of the first directory alone.
    ("echo RemoveIPC=1 > /run/systemd/logind.conf.d/20.conf; "
     "echo RemoveIPC=0 > logind.conf.d/10.conf", NOBODY, True),
    ("echo RemoveIPC=0 > /run/systemd/logind.conf.d/20.conf; "
     "echo RemoveIPC=1 > logind.conf.d/10.conf", NOBODY, False),
    ("echo RemoveIPC=0 > /run/systemd/logind.conf.d/a.conf; ln -s /dev/null logind.conf.d/a.conf",
     NOBODY, True),
    ("echo RemoveIPC=0 > logind.conf.d/a.conf; "
     "echo RemoveIPC=1 > /run/systemd/logind.conf.d/a.conf", NOBODY, False),
    ("echo RemoveIPC=0 > /run/systemd/logind.conf", NOBODY, False),
    ("echo RemoveIPC=0 > /run/systemd/logind.conf; echo > logind.conf", NOBODY, True),
    ("printf 'RemoveIPC=true\\n#RemoveIPC=no\\n' > logind.conf", NOBODY, True),
    ("printf '#RemoveIPC=no\\n' > logind.conf", NOBODY, False),
    ("printf 'RemoveIPC=no\\nRemoveIPCs=yes\\n' > logind.conf", NOBODY, False),
    ("printf 'RemoveIPC=nonsense\\n' > logind.conf", NOBODY, True),
    ("mkdir -m 700 /run/pool; chown 65534 /run/pool; export PORTRES_POOL=/run/pool",
     NOBODY, False),
    ("mkdir -m 700 /dev/shm/pool; chown 65534 /dev/shm/pool; export PORTRES_POOL=/dev/shm/pool",
     NOBODY, True),
    ("mkdir /run/portres; chmod 2770 /run/portres; chgrp 65534 /run/portres", NOBODY, False),
]


@pytest.mark.parametrize("prepare,user,warns", LOGIND)
def test_logind_removes_the_pool(shared_pool, private, prepare, user, warns):
    _, as_nobody = shared_pool
    run = private(user, f"unset PORTRES_POOL; {MACHINE} {prepare}", as_nobody["env"],
                  as_nobody["program"], "doctor")
    said = [line for line in lines(run.stdout, "warning") if "logind" in line]
    assert len(said) == warns, run
    if warns:
        assert "pool" in said[0] and "loginctl enable-linger nobody, or" in said[0]
