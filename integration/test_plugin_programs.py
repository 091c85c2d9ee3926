# SPDX-License-Identifier: MIT
"""What a test leaves running is killed, with what that has started."""

import os
import pty
import re
import select
import signal
import subprocess
import sys

import pytest


# A server that is started by a shell, as many are; it says both their pids.
SHELL = """
def start(r, end="wait", **kw):
    shell = r.popen(["sh", "-c", "sleep 600 & echo $!; " + end], text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **kw)
    print("\\npids", shell.pid, shell.stdout.readline(), flush=True)
    return shell
"""


def pids(said):
    """[shell, server], and perhaps the same of other tests."""
    return [int(pid) for pair in re.findall(r"pids (\d+) (\d+)", said) for pid in pair]


def lives(pid):
    """A zombie does not; its init may not look after it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def ended(said, count=2):
    seen = pids(said)
    assert len(seen) == count, said
    left = [pid for pid in seen if lives(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return not left


@pytest.mark.parametrize("then", [
    "", "assert False", "shell.kill()", "shell.kill(), shell.wait()",
    "os.kill(shell.pid, signal.SIGKILL), os.waitpid(shell.pid, 0)",
])
def test_a_servers_shell(suite, then):
    outcome = {"failed": 1} if "assert" in then else {"passed": 1}
    assert ended(suite(SHELL + f"""
def test_it(reserved_ports):
    shell = start(reserved_ports())
    {then or 'pass'}
""", "-s", **outcome))


def test_its_port_is_free_for_the_next_test(suite):
    """Which may come at once: what was killed has closed its sockets. A server
    of some size takes a while for that."""
    server = "import socket, time; a = b'x' * (200 << 20); s = socket.create_server(" \
        "('127.0.0.1', 28000)); print('up', flush=True); time.sleep(600)"
    suite(f"""
@pytest.mark.parametrize("turn", range(10))
def test_it(reserved_ports, turn):
    r = reserved_ports(start=28000)
    shell = r.popen(["sh", "-c", '"$@" & wait', "sh", sys.executable, "-c", {server!r}],
                    stdout=subprocess.PIPE, text=True)
    assert shell.stdout.readline() == "up\\n"
""", passed=10)


SAID = [
    ("start_new_session=True", True), ("start_new_session=False", False),
    ("process_group=0", True), ("process_group=None", False),
    ("preexec_fn=os.setsid", True), ("preexec_fn=os.setpgrp", True),
    ("preexec_fn=lambda: None", False),
]


@pytest.mark.parametrize("said,apart", SAID, ids=[said for said, _ in SAID])
def test_what_the_caller_says_stays(suite, said, apart):
    """In pytest's group nobody but the shell is killed."""
    if "process_group" in said and sys.version_info < (3, 11):
        pytest.skip("Popen does not know process_group")
    out = suite(SHELL + f"""
def test_it(reserved_ports):
    shell = start(reserved_ports(), {said})
    assert os.getpgid(shell.pid) == (shell.pid if {apart} else os.getpgid(0))
    assert os.getsid(shell.pid) == (shell.pid if "s" + "id" in {said!r} or "True" in {said!r}
                                    else os.getsid(0))
""", "-s", passed=1)
    lived = [lives(pid) for pid in pids(out)]
    ended(out)
    assert lived == [False, not apart]


WAITS = SHELL + """
@pytest.mark.parametrize("turn", range(2))
def test_it(reserved_ports, turn):
    start(reserved_ports()).wait()
"""


@pytest.fixture
def waiting(start, plugin_env, tmp_path):
    """waiting(text, *options) -> pytest, in a test that waits for its program,
    and descriptors that tell when that and its server have ended."""
    opened = []

    def waiting(text, *options):
        (tmp_path / "test_inner.py").write_text("import os, pytest, subprocess, sys\n" + text)
        program = start(
            [sys.executable, "-m", "pytest", "-p", "pytest_portres", "-p", "no:cacheprovider",
             f"--rootdir={tmp_path}", *options, "test_inner.py"], plugin_env, cwd=tmp_path,
            stderr=subprocess.STDOUT, start_new_session=True)
        return program

    def line(program):
        while not pids(said := program.line()):
            pass
        opened.extend(os.pidfd_open(pid) for pid in pids(said))
        return pids(said)

    waiting.line = line
    waiting.opened = opened
    yield waiting
    for end in opened:
        try:
            signal.pidfd_send_signal(end, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(end)


def all_end(waiting):
    return all(select.select([end], [], [], 30)[0] for end in waiting.opened)


def test_ctrl_c(waiting):
    """The terminal's SIGINT goes to pytest's group, where they are not."""
    program = waiting(WAITS, "-s")
    waiting.line(program)
    os.killpg(program.pid, signal.SIGINT)
    assert program.popen.wait(60) == pytest.ExitCode.INTERRUPTED
    assert all_end(waiting)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_pytest_is_ended(waiting, number):
    """A closed terminal, timeout(1): pytest dies as ever, and they with it."""
    program = waiting(WAITS, "-s")
    waiting.line(program)
    os.killpg(program.pid, number)
    assert program.popen.wait(60) == -number
    assert all_end(waiting)


def test_with_workers(waiting, tmp_path):
    pytest.importorskip("xdist")
    # Workers' output goes nowhere.
    text = WAITS.replace("print(", "print(file=open('said', 'a'), *(").replace(", flush=True)", "))")
    os.mkfifo(tmp_path / "said")
    program = waiting(text, "-p", "xdist.plugin", "-n2")
    with open(tmp_path / "said") as said:
        seen = []
        while len(seen) < 4:
            seen += pids(said.readline())
    waiting.opened.extend(map(os.pidfd_open, seen))
    os.killpg(program.pid, signal.SIGINT)
    assert program.popen.wait(60) == pytest.ExitCode.INTERRUPTED
    assert all_end(waiting)


def test_a_child_of_fork_ends_nothing(suite):
    """multiprocessing's are ended by SIGTERM."""
    suite(SHELL + """
def test_it(reserved_ports):
    shell = start(reserved_ports())
    # At once, and in the middle of something.
    for waits in [False] * 20 + [True]:
        ends = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(ends[1], b"x")
            signal.pause()
        if waits:
            os.read(ends[0], 1)
        os.kill(child, signal.SIGTERM)
        assert os.waitpid(child, 0)[1] == signal.SIGTERM
    assert shell.poll() is None
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
""", passed=1)


def test_handlers_of_others_stay(suite):
    suite("""
def handler(*_):
    pass

@pytest.fixture
def mine():
    signal.signal(signal.SIGTERM, handler)
    yield
    assert signal.getsignal(signal.SIGTERM) is handler
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL

def test_it(mine, reserved_ports):
    reserved_ports()
    assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL
""", passed=1)


def test_a_number_that_is_anothers_by_now(script):
    """A program that has been waited for may have left a group behind; when its
    number is taken again, it has not."""
    script("""
import portres.programs, signal, types
stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
had_it = types.SimpleNamespace(pid=stranger.pid, poll=lambda: 0)
portres.programs.Program(had_it).end()
assert stranger.poll() is None
stranger.kill()
""")


def test_nobody_looks_after_the_dead(script):
    """As in a container without an init: here the script is in its place."""
    said = script(SHELL + """
import ctypes, time
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
with portres.reserve() as r:
    shell = start(r, start_new_session=True)
    begin = time.monotonic()
    r.kill()
    assert time.monotonic() - begin < 5
    os.killpg(shell.pid, 0)
""")
    assert ended(said)


def test_a_scripts_programs_stay_with_it(script):
    """Ctrl-C is to reach them; their groups, if they have some, end by kill()."""
    said = script(SHELL + """
with portres.reserve() as r:
    assert os.getpgid(start(r).pid) == os.getpgid(0)
    start(r, start_new_session=True)
    r.kill()
""")
    shell, server, second, its_server = pids(said)
    lived = [lives(pid) for pid in (shell, server, second, its_server)]
    ended(said, 4)
    assert lived == [False, True, False, False]


def test_at_a_terminal(plugin_env, tmp_path):
    """A program that reads from it is not stopped, as one in a group in the
    background would be."""
    (tmp_path / "test_inner.py").write_text("""
def test_it(reserved_ports):
    reader = reserved_ports().popen(["sh", "-c", "echo ready; read x; test $x = hello"])
    assert reader.wait(30) == 0
""")
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, "-m", "pytest", "-s", "-p", "pytest_portres",
                                   "-p", "no:cacheprovider", "test_inner.py"], plugin_env)
    said = b""
    try:
        while more := os.read(terminal, 65536):
            said += more
            if b"ready" in more:
                os.write(terminal, b"hello\n")
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    assert os.waitpid(child, 0)[1] == 0, said
