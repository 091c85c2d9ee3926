# SPDX-License-Identifier: MIT
"""Where no descriptor is left the command says so, and nothing else."""

import json
import subprocess

import pytest

from checkers import sanitizer

LEFT = "no descriptor is left: Too many open files: raise ulimit -n, or close some"
COMMANDS = {
    "run": ["run", "--tcp", "1", "true"],
    "run in a certain block": ["run", "--both", "28000+20", "true"],
    "run with a file": ["run", "--tcp", "1", "--ports-file", "/dev/shm/none/ports", "true"],
    "list": ["list"],
    "who": ["who", "28000"],
    "persistent list": ["persistent", "list"],
    "add": ["persistent", "add", "tcp", "28000", "2"],
    "reload": ["persistent", "reload"],
    "delete": ["persistent", "delete", "tcp", "28100", "2"],
    "doctor": ["doctor"],
}
DONE = {"who": 1, "run with a file": 1}  # where there are enough


@pytest.fixture
def with_few(build, cli_env):
    """with_few(limit, command) -> how it ends, with so many descriptors and three of
    them taken."""

    if sanitizer(build):
        pytest.skip("a sanitizer's runtime has files open by itself")

    def with_few(limit, *command):
        return subprocess.run(
            ["sh", "-c", 'ulimit -n "$0" && exec "$@"', str(limit), build / "portres", *command],
            env=cli_env, capture_output=True, text=True, check=False, timeout=60)

    return with_few


@pytest.mark.parametrize("what", COMMANDS)
def test_few_descriptors(cli, with_few, pool, what):
    lacked = 0
    for limit in range(12, 3, -1):
        (pool / "persistent").write_text("tcp 28100 2\n")
        cli("persistent", "reload")
        run = with_few(limit, *COMMANDS[what])
        said = run.stdout if what == "doctor" else run.stderr
        if LEFT not in said:
            # It had enough, and so had those before.
            assert lacked == 0 and run.returncode == DONE.get(what, 0), (limit, run)
            continue
        lacked += 1
        assert run.returncode in ((1, 75) if what.startswith("run") else (1,)), (limit, run)
        assert said.count("\n") == 1 and said.count(": ") <= 4, (limit, run)
    assert lacked


def test_doctor_has_nothing_else_to_say(with_few):
    (error,) = json.loads(with_few(4, "doctor", "--json").stdout)
    assert error == {"verdict": "error", "subject": "environment", "message": LEFT}


@pytest.mark.parametrize("what", ["list", "run", "persistent list", "add", "who", "doctor"])
def test_the_machine_has_none(build, cli_env, has, what):
    """ENFILE, which root's processes do not meet: strace says it."""
    if not has("strace"):
        pytest.skip("needs strace")
    inject = (["-P", "/", "-einject=openat:error=ENFILE"] if what == "doctor"
              else ["-einject=socket,pipe2:error=ENFILE"])
    run = subprocess.run(
        ["strace", "-o/dev/null", *inject, build / "portres", *COMMANDS[what]],
        env=cli_env, capture_output=True, text=True, check=False, timeout=60)
    said = run.stdout if what == "doctor" else run.stderr
    assert run.returncode in (1, 75), run
    assert ("no descriptor is left: Too many open files in system: "
            "end programs, or raise fs.file-max") in said
