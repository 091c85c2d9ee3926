# SPDX-License-Identifier: MIT
"""portres doctor where the kernel, or a sandbox, lacks something: each line that says
so, with the way out."""

import errno
import os
import platform
import subprocess
import sys

import pytest

from kits.cli import lines

# x86-64's numbers.
SOCKET, BIND, GETSOCKOPT, FCNTL, GET_ROBUST_LIST = 41, 49, 55, 72, 274
FORBID = """
import os, sys, sandboxed
for rule in sys.argv[1].split(";"):
    sandboxed.forbid(*map(int, rule.split()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def without(*rules):
    """A prefix: what is forbidden there is answered by EPERM."""
    rules = ";".join(" ".join(map(str, [rule[0], errno.EPERM, *rule[1:]])) for rule in rules)
    return [sys.executable, "-c", FORBID, rules]


LACKING = {
    "file locks": (without((FCNTL, 1, 37)), "error",
                   "sockets cannot carry file locks (Operation not permitted)",
                   "without a sandbox that forbids F_OFD_SETLK"),
    "SO_COOKIE": (without((GETSOCKOPT, 2, 57)), "error",
                  "sockets have no identities (SO_COOKIE)", "use Linux 4.12 or later"),
    "SO_NETNS_COOKIE": (without((GETSOCKOPT, 2, 71)), "warning", "no SO_NETNS_COOKIE",
                        "use Linux 5.14 or later"),
    "IP_LOCAL_PORT_RANGE": (without((GETSOCKOPT, 2, 51)), "warning", "no IP_LOCAL_PORT_RANGE",
                            "use Linux 6.3 or later"),
    "robust lists": (without((GET_ROBUST_LIST,)), "warning", "threads have no robust lists",
                     "leave a sandbox that forbids get_robust_list"),
    "the list of sockets": (without((SOCKET, 0, 16)), "warning",
                            "it does not list sockets (Operation not permitted)",
                            "modprobe tcp_diag udp_diag"),
    "TCP": (without((SOCKET, 0, 2)), "error", "no TCP socket can be made: Operation not permitted",
            ""),
    "binds": (without((BIND,)), "warning", "its list of sockets was not tried",
              "Operation not permitted"),
    "a loopback": (["unshare", "-n"], "warning", "no loopback here", "ip link set lo up"),
    "/proc/locks": (["unshare", "-m", "sh", "-c",
                     'mount --bind /dev/null /proc/locks && exec "$@"', "sh"], "warning",
                    "/proc/locks does not show them", "mount /proc without subset=pid"),
}


@pytest.mark.parametrize("what", LACKING)
def test_what_is_lacking(build, shim_env, cli_env, need, what):
    prefix, verdict, finding, way_out = LACKING[what]
    if prefix[0] == sys.executable and platform.machine() != "x86_64":
        pytest.skip("by numbers of x86-64")
    need(*{"-n": ["make a network namespace"], "-m": ["mount"]}.get(prefix[1], []))
    env = dict(cli_env, PYTHONPATH=shim_env["PYTHONPATH"])
    bare = subprocess.run([build / "portres", "doctor"], env=env, capture_output=True, text=True,
                          check=False, timeout=60)
    if finding in bare.stdout:
        pytest.skip("it is lacking here in any case")
    run = subprocess.run([*prefix, build / "portres", "doctor"], env=env, capture_output=True,
                         text=True, check=False, timeout=60)
    said = [line for line in lines(run.stdout, verdict) if finding in line]
    assert len(said) == 1 and way_out in said[0], run
    assert run.returncode == (1 if lines(run.stdout, "error") else 0)


def test_a_command_that_is_set_id(shared_pool):
    pool, as_nobody = shared_pool
    os.chmod(as_nobody["program"], 0o4755)
    as_whom = {key: as_nobody[key] for key in ("user", "group", "extra_groups", "env")}
    run = subprocess.run([as_nobody["program"], "doctor"], capture_output=True, text=True,
                         check=False, **as_whom)
    if os.statvfs(pool).f_flag & os.ST_NOSUID:
        pytest.skip("no bits count here")
    assert any("this command is set-id: PORTRES_ variables are ignored" in line
               for line in lines(run.stdout, "warning")), run
