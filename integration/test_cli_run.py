# SPDX-License-Identifier: MIT
"""portres run: a command that has its ports from the start."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
from errno import EADDRINUSE

import pytest

from kits.playing import PYTHON, SCRIPT, Player, refused
from kits.real import until


@pytest.fixture
def run(build, cli_env):
    """run(*arguments) -> what the command printed."""

    def run(*arguments):
        done = subprocess.run(
            [build / "portres", "run", *map(str, arguments)],
            env=cli_env, capture_output=True, text=True, check=False, timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_arguments_and_environment(run, build):
    said = run(
        "--tcp", "28000+2", "--udp", "28100+1", "--", "sh", "-c",
        'echo "{1} {3},{2} {4} {0} {01} {x} {} $PORTRES_PORT/$PORTRES_PORTS/$PORTRES_RANGES";'
        " echo $LD_PRELOAD",
    )
    assert said == (
        "28000 28100,28001 {4} {0} {01} {x} {} 28000/28000 28001 28100/tcp:28000+2 udp:28100+1\n"
        f"{build}/libportres.so\n"
    )


def test_any_port(run):
    first, second = run("--tcp", 2, "sh", "-c", "echo {1} {2}").split()
    assert int(second) == int(first) + 1


BIND = """
import os, socket, sys
for name in "tcp", "udp":
    kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[name]
    for port in map(int, sys.argv[1:]):
        with socket.socket(type=kind) as s:
            s.bind(("127.0.0.1", port))
print(sys.argv[1:], os.environ["PORTRES_RANGES"], os.environ.get("PORTRES_PORTS"))
"""


def test_all_ports(namespace, build, cli_env):
    """Those that anybody may bind, which are too many to be listed. The list
    of a run around this one is not theirs."""
    run = subprocess.run(
        [*namespace, build / "portres", "run", "--tcp", "1024+64512", "--udp", "1024+64512",
         "/usr/bin/python3", "-c", BIND, "{1}", "{64512}", "{64513}", "{129024}"],
        env=dict(cli_env, PORTRES_PORTS="1000"), capture_output=True, text=True, check=False,
        timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    ports = ["1024", "65535"] * 2
    assert run.stdout == f"{ports} tcp:1024+64512 udp:1024+64512 None\n"


@pytest.mark.parametrize("count,there", [(10922, True), (10923, False)])
def test_the_longest_list(namespace, build, cli_env, count, there):
    """A number and a blank have six characters, the last number five; 65,536
    are too many."""
    first = 65536 - count
    run = subprocess.run(
        [*namespace, build / "portres", "run", "--udp", f"{first}+{count}", "env"],
        env=cli_env, capture_output=True, text=True, check=True, timeout=60)
    env = dict(line.split("=", 1) for line in run.stdout.splitlines() if "=" in line)
    assert env["PORTRES_RANGES"] == f"udp:{first}+{count}"
    if there:
        assert env["PORTRES_PORTS"] == " ".join(map(str, range(first, 65536)))
    assert ("PORTRES_PORTS" in env) == there


def test_arguments_that_become_too_long(cli):
    said = cli("run", "--tcp", "28000+1", "echo", "{1}" * 40000, status=126)
    assert "echo cannot be run: Argument list too long: shorten" in said


def test_a_pool_named_by_a_relative_path(build, cli_env, pool):
    """A command that goes elsewhere has the same one."""
    run = subprocess.run(
        [build / "portres", "run", "--tcp", "28000+1", "sh", "-c",
         'cd / && "$0" list && echo "$PORTRES_POOL"', build / "portres"],
        cwd=pool.parent, env=dict(cli_env, PORTRES_POOL=f"./{pool.name}"),
        capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    assert re.search(r"tcp +28000 +28000", run.stdout)
    assert os.path.samefile(run.stdout.splitlines()[-1], pool)


def test_the_shim_comes_first(run, cli_env, build):
    cli_env["LD_PRELOAD"] = "/usr/lib/x86_64-linux-gnu/libm.so.6"
    assert run("sh", "-c", "echo $LD_PRELOAD") == (
        f"{build}/libportres.so:/usr/lib/x86_64-linux-gnu/libm.so.6\n"
    )
    cli_env["LD_PRELOAD"] = f"{build}/libportres.so"
    assert run("sh", "-c", "echo $LD_PRELOAD") == f"{build}/libportres.so\n"


def test_in_its_own_place_and_as_long_as_it_lives(start, cli_env, listed, player, build):
    program = start([build / "portres", "run", "--tcp", "28000+3", "cat"], cli_env)
    assert program.ask("hello") == "hello"
    (entry,) = listed()
    assert (entry["pid"], entry["start"], entry["count"]) == (program.pid, 28000, 3)
    assert entry["command"] == "cat"
    stranger = player()
    a = stranger.tcp()
    with refused(EADDRINUSE):
        a.bind(28001)
    program.kill()
    assert a.bind(28001) == 28001


def test_descendants_keep_it(start, cli_env, listed, build):
    """The shell ends; the child that it left behind has the block."""
    program = start(
        [build / "portres", "run", "--tcp", "28000+3", "sh", "-c",
         "sleep 600 >/dev/null 2>&1 & echo $!"],
        cli_env,
    )
    child = int(program.line())
    try:
        assert program.popen.wait() == 0
        assert [(e["start"], e["pid"]) for e in listed()] == [(28000, child)]
    finally:
        os.kill(child, signal.SIGKILL)


def test_the_token_associates(start, cli_env, build):
    one = start([build / "portres", "run", "--tcp", "28000+3", PYTHON, SCRIPT, "{2}"],
                cli_env, kind=Player)
    assert one.line() == "28001"
    a = one.tcp()
    a.associate(int(one.os.environ["PORTRES_TOKENS"]))
    assert a.bind(28001) == 28001


def test_exit_statuses(cli, build, cli_env, tmp_path, pool):
    def status(*arguments):
        return subprocess.run(
            [build / "portres", "run", *arguments], env=cli_env, check=False
        ).returncode

    assert status("sh", "-c", "exit 7") == 7
    assert status("sh", "-c", "kill -KILL $$") == -signal.SIGKILL
    assert "nonono cannot be run: No such file" in cli("run", "nonono", status=127)
    plain = tmp_path / "plain"
    plain.write_text("")
    assert f"{plain} cannot be run: Permission denied" in cli("run", plain, status=126)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o755)
    assert f"{fifo} cannot be run: Permission denied" in cli("run", fifo, status=126)
    foreign = tmp_path / "foreign"
    true = pathlib.Path(shutil.which("true")).read_bytes()
    foreign.write_bytes(true.replace(b"/ld-linux-", b"/ld-musl--"))
    foreign.chmod(0o755)
    assert "a program of another C library" in cli("run", foreign, status=1)
    nowhere = cli("run", "--tcp", 1, "--ports-file", tmp_path / "no/ports", "true", status=1)
    assert "the ports cannot be written" in nowhere
    assert "say N, or START+N" in cli("run", "--tcp", "+", "true", status=2)
    shutil.rmtree(pool)
    assert "no pool directory" in cli("run", "--tcp", 1, "true", status=75)
    # Ports or none: the pool is what the library would look for.
    assert "no pool directory" in cli("run", "true", status=75)


@pytest.mark.parametrize("name", ["x" * 2000, "\u00fc" * 1000], ids=["long", "wide"])
def test_a_long_name_leaves_room_for_the_way_out(cli, cli_env, name):
    said = cli("run", f"./{name}", status=126)
    assert said.endswith(": File name too long: give the path of a program\n")
    said = cli("run", "/".join(["", *["y" * 200] * 18, "no"]), status=127)
    assert said.endswith("yy/no cannot be run: No such file or directory: give the path of a program\n")


@pytest.mark.parametrize("how", ["a script", "a program"])
def test_an_interpreter_that_is_not_there(cli, cli_env, tmp_path, how):
    """The command itself is: that it is not found says nothing."""
    lame = tmp_path / "lame"
    true = pathlib.Path(shutil.which("true")).read_bytes()
    lame.write_bytes(b"#!/nowhere/sh\n" if how == "a script"
                     else re.sub(rb"/ld-linux-", b"/ld-lynux-", true))
    lame.chmod(0o755)
    env = dict(cli_env, PATH=str(tmp_path))
    for command in lame, "lame":
        assert cli("run", command, env=env, status=126) == (
            f"portres: {command} cannot be run: the interpreter that it names is not there: "
            "install that, or mend its first line\n")


def test_exit_statuses_are_told(run, root):
    """By the help and by the page, in the order of what happens."""
    told = " ".join(run("--help").partition("The exit")[2].split())
    assert "1 no library for it, or no ports file" in told
    assert "75 no ports or no pool" in told
    page = (root / "docs/portres.1").read_text().partition(".SH EXIT STATUS")[2]
    page = " ".join(page.partition(".SH ENVIRONMENT")[0].split())
    one, seventy_five = re.search(r"\.B 1 when (.*), \.B 75 when (.*), \.B 126 ", page).groups()
    for cause in ("library", "another C library", "file of ports"):
        assert cause in one
    assert "ports" in seventy_five and "pool" in seventy_five


def test_no_ports(cli, player):
    one = player()
    one.tcp().acquire(28000, 5)
    said = cli("run", "--tcp", "28003+3", "true", status=75)
    assert f"overlap 28000-28004, held by pid {one.pid} (python3)" in said
    assert "no 65535 free tcp ports" in cli("run", "--tcp", "0+65535", "true", status=75)


def sleeping(pid):
    """In nanosleep: 35 on x86-64, 101 on ARM."""
    with open(f"/proc/{pid}/syscall") as file:
        return file.read().split()[0] in ("35", "101")


def test_waiting(start, cli, cli_env, player, build):
    one = player()
    a = one.tcp()
    a.acquire(28000, 5)
    assert "overlap" in cli("run", "--wait", 1, "--tcp", "28000+5", "true", status=75)
    waiter = start(
        [build / "portres", "run", "--wait", "60", "--tcp", "28000+5", "echo", "{1}"], cli_env
    )
    until(lambda: sleeping(waiter.pid), "it does not wait")
    a.close()
    assert waiter.line() == "28000"


def test_the_plan(run, listed, build):
    assert run("--print", "--tcp", "28000+3", "nginx", "-p", "{2}") == (
        f"tcp 28000-28002\nLD_PRELOAD={build}/libportres.so\nnginx -p 28001\n"
    )
    assert listed() == []


@pytest.mark.parametrize(
    "line,names",
    [
        ("", "what to run"),
        ("--tcp", "--tcp"),
        ("--tcp 0 true", "'0'"),
        ("--tcp x true", "'x'"),
        ("--tcp 65535+2 true", "65535"),
        ("--tcp 65536 true", "65536"),
        ("--tcp 123456789+1 true", "'123456789'"),
        (f"--tcp {'1' * 40}+1 true", f"'{'1' * 40}'"),
        ("--tcp +5 true", "'+5'"),
        ("--udp 5000+ true", "'5000+'"),
        ("--tcp= true", "no ports ''"),
        (f"{'--tcp 1 ' * 64} --tcp 5000+1 true", "5000+1 is one block"),
        ("--wait x true", "no number of seconds 'x': say one from 0 on;"),
        ("--align -2 true", "no multiple '-2' for --align: say a number from 1 to 65535;"),
        ("--align 0 true", "no multiple '0' for --align"),
        ("--align 65536 true", "no multiple '65536' for --align"),
        ("--tcp x+3 true", "'x': say a number from 1 to 65535, or 0 for any;"),
        ("--tcp 00+3 true", "'00': say a number from 1 to 65535, or 0 for any;"),
        ("--fly true", "--fly"),
    ],
)
def test_bad_usage(cli, line, names):
    assert names in cli("run", *line.split(), status=2)


def test_more_tokens_than_a_variable_holds(cli, cli_env):
    """Without all of them the program would be refused its own ports."""
    held = " ".join(["1" * 19] * 3276)  # with one more of 19 digits: 64 KiB
    assert cli("run", "--tcp", "1", "echo", "ran", env=dict(
        cli_env, PORTRES_TOKENS=held[:-20])) == "ran\n"
    said = cli("run", "--tcp", "1", "echo", "ran", status=75, env=dict(
        cli_env, PORTRES_TOKENS=held))
    assert "PORTRES_TOKENS" in said and "outside of" in said


def test_options_of_the_command_are_its_own(run):
    assert run("echo", "--tcp", "3") == "--tcp 3\n"
