# SPDX-License-Identifier: MIT
"""A binder that is held at each of its system calls while the port is taken."""

import errno
import subprocess

import pytest

PORT = 21700


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_one_of_the_two_is_refused(
    compile_program, root, shim_env, namespace, protocol
):
    program = compile_program(
        root / "integration/programs/race_steps.c",
        "race_steps",
        flags=["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"],
    )
    run = subprocess.run(
        [*namespace, program, protocol, str(PORT)],
        env=shim_env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if run.returncode == 3:
        pytest.skip("ptrace is not allowed here")
    assert run.returncode == 0, run.stdout + run.stderr
    seen = [tuple(map(int, line.split())) for line in run.stdout.splitlines()]
    acquirer, binder = (0, errno.EADDRINUSE), (errno.EADDRINUSE, 0)
    assert set(seen) == {acquirer, binder}, seen
    # The acquirer was in time at first, and then no longer.
    assert seen == sorted(seen)
