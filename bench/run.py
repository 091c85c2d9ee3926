#!/usr/bin/env python3
"""Runs the benchmarks and prints one table.

usage: run.py [--json] [--old LIBRARY] BUILD-DIRECTORY

Times are ratios against bare libc (or what the row names) in the same run, in a
network namespace of its own where one may make one; a ratio above its limit is
marked. What the guard costs is told where root may have one, in a cgroup of the
benchmark's own. Instructions are counted by callgrind, per
call, in user space: they are exact where times are not. With --old each row of
the preloaded library is measured with that one too, in turns, and a row that is
worse by more than 3 % is marked.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TIMES = 10000
NO_LIMIT = 1e9  # as in bench.h: only told


def rows_of(output):
    return [line.split("\t") for line in output.splitlines()]


def instructions(program, call, times, preload):
    """Instructions of the whole run, in user space."""
    env = dict(os.environ)
    if preload:
        env["LD_PRELOAD"] = preload
    with tempfile.TemporaryDirectory() as where:
        result = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                f"--callgrind-out-file={where}/out",
                program,
                call,
                str(times),
            ],
            env=env,
            check=True,
            capture_output=True,
            text=True,
        )
    return int(re.search(r"Collected : (\d+)", result.stderr).group(1))


def per_call(program, call, preload):
    few, many = (instructions(program, call, n, preload) for n in (0, TIMES))
    return (many - few) / TIMES


def alone():
    """What makes a network namespace for a command, if one may."""
    for how in (["unshare", "-n"], ["unshare", "-rn"]):
        inside = [*how, "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        if subprocess.run([*inside, "true"], capture_output=True).returncode == 0:
            return inside
    print("no network namespace of its own: other sockets are in the way", file=sys.stderr)
    return []


ALONE = alone()


def output(*command, **environment):
    return rows_of(
        subprocess.run(
            [*ALONE, *command],
            env={**os.environ, **environment},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    )


def preloaded(program, library):
    """The rows of a command that is preloaded."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as pool:
        return output("env", f"LD_PRELOAD={library}", f"PORTRES_POOL={pool}", *program)


def rows_with(build, library):
    """The rows of what is preloaded."""
    rows = preloaded([f"{build}/bench/bench"], library)
    rows += preloaded([f"{build}/bench/blocks"], library)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as pool:
        rows += output(
            f"{build}/bench/startup",
            library,
            f"{build}/bench/empty.so",
            f"{build}/portres",
            pool,
        )
    with tempfile.TemporaryDirectory(dir="/dev/shm") as where:
        return rows + output(f"{build}/bench/stopped", library, where)


def cgroups_of_its_own():
    """Two: one to guard and one beside it."""
    with open("/proc/self/mounts") as mounts:
        at = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    if not at:
        raise OSError("no cgroups of version 2")
    own = f"{at[0]}/portres-bench-{os.getpid()}"
    for cgroup in own, f"{own}/guarded", f"{own}/other":
        os.mkdir(cgroup)
    return own


def rows_guarded(build, library):
    """Of programs in a guarded cgroup; none, and why, where no guard can be."""
    command = [f"{build}/portres", "guard"]
    try:
        own = cgroups_of_its_own()
    except OSError as error:
        print(f"the guard is not measured: {error}", file=sys.stderr)
        return []
    guarded, other = f"{own}/guarded", f"{own}/other"
    rows = []
    try:
        on = subprocess.run([*command, "on", "--cgroup", guarded], stdout=subprocess.DEVNULL)
        if on.returncode == 0:
            rows = output(f"{build}/bench/guard", guarded, other)
            enter = ["sh", "-c", 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"', "sh", guarded]
            for name, *rest, _ in preloaded([*enter, f"{build}/bench/blocks", "1"], library):
                rows.append([f"guarded: {name}", *rest, "1.25"])
            subprocess.run([*command, "off", "--cgroup", guarded], check=True,
                           stdout=subprocess.DEVNULL)
    finally:
        for cgroup in guarded, other, own:
            os.rmdir(cgroup)
    return rows


PYTHON = """
import socket, sys, timeit
sys.path.insert(0, "integration/plugin")
import portres

def plain():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))

def ours():
    with portres.reserve(1):
        pass

def best(call):
    return min(timeit.repeat(call, number=100, repeat=30)) / 100 * 1e9

mine, bare = best(ours), best(plain)
print("Python: reserve(1) : bind to 0", int(mine), int(bare), f"{mine / bare:.3f}", 1e9, sep="\\t")
"""


def rows_of_python(library):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as pool:
        return output(
            "env",
            f"PORTRES_LIB={library}",
            f"PORTRES_POOL={pool}",
            sys.executable,
            "-c",
            PYTHON,
        )


def compare(build, library, old, turns=5):
    """Each row's best ratio of some turns, new and old."""
    best = {}
    for _ in range(turns):
        for which, one in enumerate((library, old)):
            for name, *_, ratio, _ in rows_with(build, one):
                pair = best.setdefault(name, [9999.0, 9999.0])
                pair[which] = min(pair[which], float(ratio))
    print(f"{'':44}{'new':>8}{'old':>8}")
    worse = {name for name, (new, before) in best.items() if new > before * 1.03}
    for name, (new, before) in best.items():
        print(f"{name:44}{new:>8.3f}{before:>8.3f}" + ("  worse" if name in worse else ""))
    return len(worse)


CALLS = ("close", "dup+close", "dup2", "fcntl", "socket+close", "ioctl")


def count(build, library):
    """Instructions of each call, ours and bare; none without valgrind."""
    program = f"{build}/bench/passthrough"
    if not shutil.which("valgrind"):
        return {}
    return {call: [per_call(program, call, p) for p in (library, None)] for call in CALLS}


def print_rows(rows):
    print(f"{'':44}{'ours':>12}{'bare':>12}{'ratio':>8}{'limit':>8}")
    for name, ours, bare, ratio, limit in rows:
        over = "  over" if float(ratio) > float(limit) else ""
        limit = "" if float(limit) >= NO_LIMIT else limit
        print(f"{name:44}{ours:>9} ns{bare:>9} ns{ratio:>8}{limit:>8}{over}")


def print_counted(counted):
    if not counted:
        print("no valgrind here: instructions not counted")
        return
    print(f"\n{'instructions a call, owning nothing':44}{'ours':>12}{'bare':>12}")
    for call, (ours, bare) in counted.items():
        print(f"{call:44}{ours:>12.0f}{bare:>12.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--old", help="a library of before", metavar="LIBRARY")
    # From here: LD_PRELOAD cannot say a path with a blank.
    parser.add_argument("build", metavar="BUILD-DIRECTORY")
    wanted = parser.parse_args()
    build, library = wanted.build, f"{wanted.build}/libportres.so"
    if wanted.old:
        return compare(build, library, wanted.old)

    rows = rows_with(build, library)
    rows += preloaded([f"{build}/bench/many"], library)
    rows += rows_guarded(build, library)
    rows += rows_of_python(library)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as where:
        rows += output(f"{build}/bench/crowd", where)
        rows += output(f"{build}/bench/echo", library, f"{build}/bench/echo_ports",
                       PORTRES_POOL=where)
    counted = count(build, library)
    if wanted.json:
        names = ("row", "ours_ns", "bare_ns", "ratio", "limit")
        table = [dict(zip(names, [row[0], *map(float, row[1:])])) for row in rows]
        json.dump({"rows": table, "instructions": counted}, sys.stdout, indent=1)
        print()
    else:
        print_rows(rows)
        print_counted(counted)
    return sum(float(row[3]) > float(row[4]) for row in rows)


sys.exit(1 if main() else 0)
