# SPDX-License-Identifier: MIT
"""A binder that is held at each of its system calls while the port is taken, or all
that the system may choose from."""

import errno
import subprocess

import pytest

PORT = 21700


# In a namespace of our own, where the system has these ports to choose from.
RANGE = f"echo {PORT} {PORT + 1} >/proc/sys/net/ipv4/ip_local_port_range && exec \"$@\""


@pytest.mark.parametrize("choice", [[], ["2"]], ids=["a port", "any port"])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_one_of_the_two_is_refused(
    compile_program, root, shim_env, namespace, protocol, choice
):
    program = compile_program(
        "steps/steps.c",
        "steps",
        flags=["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"],
    )
    narrow = ["sh", "-c", RANGE, "sh"] if choice else []
    run = subprocess.run(
        [*namespace, *narrow, program, protocol, str(PORT), *choice],
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
