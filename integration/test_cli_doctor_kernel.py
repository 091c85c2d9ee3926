# SPDX-License-Identifier: MIT
"""portres doctor where the kernel, or a sandbox, lacks something: each line that says
so, with the way out."""

import os
import subprocess

import pytest

from kits.cli import lines

# Each is a prefix, or the call that a sandbox answers by EPERM.
LACKING = {
    "file locks": ("fcntl:1:37", "error",
                   "sockets cannot carry file locks (Operation not permitted)",
                   "without a sandbox that forbids F_OFD_SETLK"),
    "SO_COOKIE": ("getsockopt:2:57", "error",
                  "sockets have no identities (SO_COOKIE)", "use Linux 4.12 or later"),
    "SO_NETNS_COOKIE": ("getsockopt:2:71", "warning", "no SO_NETNS_COOKIE",
                        "use Linux 5.14 or later"),
    "IP_LOCAL_PORT_RANGE": ("getsockopt:2:51", "warning", "no IP_LOCAL_PORT_RANGE",
                            "use Linux 6.3 or later"),
    "robust lists": ("get_robust_list", "warning", "threads have no robust lists",
                     "leave a sandbox that forbids get_robust_list"),
    "the list of sockets": ("socket:0:16", "warning",
                            "it does not list sockets (Operation not permitted)",
                            "modprobe tcp_diag udp_diag"),
    "TCP": ("socket:0:2", "error", "no TCP socket can be made: Operation not permitted",
            ""),
    "binds": ("bind", "warning", "its list of sockets was not tried",
              "Operation not permitted"),
    "a loopback": (["unshare", "-n"], "warning", "no loopback here", "ip link set lo up"),
    "/proc/locks": (["unshare", "-m", "sh", "-c",
                     'mount --bind /dev/null /proc/locks && exec "$@"', "sh"], "warning",
                    "/proc/locks does not show them", "mount /proc without subset=pid"),
}


@pytest.mark.parametrize("what", LACKING)
def test_what_is_lacking(build, cli_env, sandbox, need, what):
    prefix, verdict, finding, way_out = LACKING[what]
    if isinstance(prefix, str):
        prefix = sandbox("EPERM", prefix)
    need(*{"-n": ["make a network namespace"], "-m": ["mount"]}.get(prefix[1], []))
    bare = subprocess.run([build / "portres", "doctor"], env=cli_env, capture_output=True,
                          text=True, check=False, timeout=60)
    if finding in bare.stdout:
        pytest.skip("it is lacking here in any case")
    run = subprocess.run([*prefix, build / "portres", "doctor"], env=cli_env,
                         capture_output=True, text=True, check=False, timeout=60)
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
