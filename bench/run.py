#!/usr/bin/env python3
"""Runs the benchmarks and prints one table.

usage: run.py BUILD-DIRECTORY

Times are ratios against bare libc (or what the row names) in the same run;
a ratio above its limit is marked. Instructions are counted by callgrind, per
call, in user space: they are exact where times are not.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

TIMES = 10000


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


def main():
    # From here: LD_PRELOAD cannot say a path with a blank.
    build = sys.argv[1]
    library = f"{build}/libportres.so"
    rows = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as pool:
        env = dict(os.environ, LD_PRELOAD=library, PORTRES_POOL=pool)
        rows += rows_of(
            subprocess.run(
                [f"{build}/bench/bench"],
                env=env,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout
        )
    rows += rows_of(
        subprocess.run(
            [f"{build}/bench/startup", library, f"{build}/bench/empty.so"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    )
    for arguments in (["stopped", library], ["crowd"]):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as where:
            program = f"{build}/bench/{arguments[0]}"
            rows += rows_of(
                subprocess.run(
                    [program, *arguments[1:], where],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                ).stdout
            )
    failed = 0
    print(f"{'':44}{'ours':>12}{'bare':>12}{'ratio':>8}{'limit':>8}")
    for name, ours, bare, ratio, limit in rows:
        over = float(ratio) > float(limit)
        failed += over
        print(
            f"{name:44}{ours:>9} ns{bare:>9} ns{ratio:>8}{limit:>8}"
            + ("  over" if over else "")
        )
    if not shutil.which("valgrind"):
        print("no valgrind here: instructions not counted")
        return failed
    print(f"\n{'instructions a call, owning nothing':44}{'ours':>12}{'bare':>12}")
    for call in ("close", "dup+close", "dup2", "fcntl", "socket+close", "ioctl"):
        program = f"{build}/bench/passthrough"
        ours, bare = (per_call(program, call, p) for p in (library, None))
        print(f"{call:44}{ours:>12.0f}{bare:>12.0f}")
    return failed


sys.exit(1 if main() else 0)
