# SPDX-License-Identifier: MIT
"""A process is stopped inside the pool's lock. Nobody waits for it who did not
ask the pool for something, and nobody gets a port that is not his."""

import os
import re
import signal
import struct

import pytest

START, COUNT = 25300, 4
LOW = 40000
HOLDER = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, 2); print(1, flush=True); input()"
WAITS = "flock,nanosleep,futex_waitv,timerfd_create"


@pytest.fixture
def owner(player, namespace):
    owner = player(prefix=namespace)
    owner.ask("tcp('a')")
    return owner


@pytest.fixture
def take(owner):
    """take(start, count) -> the token of a block of the owner's."""
    def take(start=START, count=COUNT):
        answer = owner.ask(f"acquire(S['a'], {start}, {count})")
        assert answer[0] == "(", answer
        return eval(answer)[2]

    return take


@pytest.fixture
def stop(start, pool):
    """stop() -> another process has the pool's lock, and is stopped."""
    def stop():
        (file,) = pool.glob("pool-*")
        holder = start(["/usr/bin/python3", "-c", HOLDER, file])
        assert holder.line() == "1"
        os.kill(holder.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, holder.pid, os.WSTOPPED)
        return holder

    return stop


@pytest.fixture
def fresh(player, namespace, tmp_path, shim_env, has):
    """fresh() -> a player that has not bound yet, under strace, which says
    whether it waited."""
    if not has("strace"):
        pytest.skip("needs strace")
    out = tmp_path / "trace"

    def fresh():
        traced = ["strace", "-f", "-o", out, "-e", f"trace={WAITS}",
                  f"-ELD_PRELOAD={shim_env['LD_PRELOAD']}"]
        bare = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
        one = player(bare, prefix=[*namespace, *traced])
        one.ask("tcp('x') and udp('u')")
        return one

    def waited(one):
        one.end()
        return re.findall(rf"\b({WAITS.replace(',', '|')})\(.*", out.read_text())

    fresh.waited = waited
    return fresh


def test_a_first_bind(take, stop, fresh):
    take()
    stop()
    one = fresh()
    assert one.ask(f"bind('x', {START + 1})") == "EADDRINUSE"
    assert one.ask(f"bind('x', {START + COUNT})") == str(START + COUNT)
    # The other protocol's ports are not reserved.
    assert one.ask(f"bind('u', {START + 1})") == str(START + 1)
    assert fresh.waited(one) == []


CHOICES = {
    "bind": "bind('x', 0)",
    "listen": "S['x'].listen() or S['x'].getsockname()[1]",
    "sendto": "S['u'].sendto(b'', ('127.0.0.1', 9)) and 0 or S['u'].getsockname()[1]",
    "connect": "S['u'].connect(('127.0.0.1', 9)) or S['u'].getsockname()[1]",
}


@pytest.mark.parametrize("how", CHOICES)
def test_a_port_that_the_system_chooses(owner, take, stop, fresh, how):
    take(LOW, 20000)
    owner.ask("udp('a')")
    take(LOW, 20000)
    stop()
    one = fresh()
    assert not LOW <= int(one.ask(CHOICES[how])) < LOW + 20000
    assert fresh.waited(one) == []


def test_a_dead_owners_port(owner, take, stop, fresh):
    take()
    stop()
    owner.kill()
    one = fresh()
    assert one.ask(f"bind('x', {START})") == str(START)
    assert fresh.waited(one) == []


def associate(owner, name, kind, token):
    owner.ask(f"{kind}('{name}')")
    assert owner.ask(f"associate(S['{name}'], {token})") == "None"


@pytest.mark.parametrize("how", ["bind", "listen"])
def test_an_associated_socket_never_leaves_its_block(owner, take, stop, how):
    token = take()
    associate(owner, "x", "tcp", token)
    holder = stop()
    assert owner.ask(CHOICES[how]) == "ENETDOWN"
    assert owner.ask("S['x'].getsockname()[1]") == "0"
    assert owner.ask("bind('x', 25390)") == "EADDRNOTAVAIL"
    holder.kill()
    # It is associated all the same.
    assert owner.ask(CHOICES[how]) == str(START)


@pytest.mark.parametrize("how", ["sendto", "connect"])
def test_nor_does_one_of_udp(owner, take, stop, how):
    owner.ask("udp('a')")
    associate(owner, "u", "udp", take())
    stop()
    assert owner.ask(CHOICES[how]) == "ENETDOWN"
    assert owner.ask("S['u'].getsockname()[1]") == "0"


def test_an_associated_socket_binds_to_one_of_its_ports(owner, take, stop):
    associate(owner, "x", "tcp", take())
    stop()
    assert owner.ask(f"bind('x', {START + 2})") == str(START + 2)


def test_what_asks_for_the_pool_hears_of_it(owner, take, stop):
    token = take()
    owner.ask("tcp('x')")
    stop()
    assert owner.ask(f"acquire(S['x'], {START + 50}, 1)") == "ENETDOWN"
    assert owner.ask(f"associate(S['x'], {token})") == "ENETDOWN"
    assert owner.ask(f"release(S['a'], {token})") == "ENETDOWN"


def test_programs_start_under_portres_run(build, start, stop, take, shim_env, tmp_path, namespace):
    """Each finds its inherited block at its start, and waits for nobody."""
    out = tmp_path / "trace"
    bare = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
    take()
    shell = start([*namespace, build / "portres", "run", "--tcp", "1", "sh", "-c",
                   f"echo $PORTRES_PORT; read x; strace -f -o {out} -e trace={WAITS} /bin/true; echo $?"],
                  bare)
    assert shell.line().isdigit()
    stop()
    assert shell.ask("go on") == "0"
    assert re.findall(rf"\b({WAITS.replace(',', '|')})\(", out.read_text()) == []


def mark_of(pool, port):
    """Where the pool's file has the mark of a TCP port: (path, offset)."""
    (file,) = pool.glob("pool-*")
    header = file.read_bytes()[:24]
    slot_size, segment_size = struct.unpack("<II", header[16:24])
    return file, 4096 + 8192 * slot_size + port // 512 * segment_size + port % 512 * 2


def write_mark(pool, port, mark):
    file, at = mark_of(pool, port)
    with file.open("r+b") as f:
        f.seek(at)
        f.write(struct.pack("<H", mark))


def test_a_port_that_is_being_reserved_is_refused(take, stop, pool, player, namespace):
    """By the stopped process, perhaps: it is marked, and no slot has it yet."""
    take()
    write_mark(pool, START + 60, 77)
    holder = stop()
    other = player(prefix=namespace)
    other.ask("tcp('x')")
    assert other.ask(f"bind('x', {START + 60})") == "EADDRINUSE"
    holder.kill()
    assert other.ask(f"bind('x', {START + 60})") == str(START + 60)


def test_a_pool_named_by_a_relative_path(start, shim_env, root, tmp_path, pool, player):
    """It is where it was when the program began."""
    owner = player()
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {START}, {COUNT})")[0] == "("
    env = {**shim_env, "PORTRES_POOL": pool.name}
    one = player(env, cwd=pool.parent)
    one.ask("os.chdir('/') or tcp('x')")
    assert one.ask(f"bind('x', {START})") == "EADDRINUSE"
