# SPDX-License-Identifier: MIT
"""The count of `make trace`: docs/design.md has the numbers."""

import json
import subprocess

import pytest


@pytest.fixture
def trace(root, shim_env, has, tmp_path):
    """trace(way) -> the row of one way, system calls only."""
    if not has("strace"):
        pytest.skip("needs strace")

    def trace(way):
        bare = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
        run = subprocess.run(
            ["/usr/bin/python3", root / "bench/trace.py", "--json"]
            + [f"--preload={shim_env['LD_PRELOAD']}", tmp_path, way],
            env=bare, capture_output=True, text=True, timeout=60, check=False,
        )
        if "PTRACE_TRACEME" in run.stderr:
            pytest.skip("ptrace is not allowed here")
        assert run.returncode == 0, run.stderr
        (row,) = json.loads(run.stdout)
        return row

    return trace


def test_an_unreserved_bind_takes_one_more_system_call(trace):
    row = trace("bind, unreserved")
    assert row["calls"] == 1, row["called"]
