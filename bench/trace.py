#!/usr/bin/env python3
"""Counts what a call costs: functions of ours, and system calls.

usage: trace.py [--json] [--preload=WORDS] DIRECTORY [WAY...]

Builds the library into DIRECTORY with -finstrument-functions, makes each call
once between two marks, and prints one table. "Functions" are different ones that
were entered, inlined ones too, "entries" how often any was, "files" where they
stand. "Calls" are system calls under strace that the same call makes with the
library and not without. WORDS are those of LD_PRELOAD for a library that is
there: then only system calls are counted.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Without -O, or the place of an inline function is sometimes its caller's file.
FLAGS = "-O0 -g -finstrument-functions"


def make_library(directory):
    """Make wants a directory without a blank: from here that has none."""
    where = os.path.relpath(directory, ROOT)
    subprocess.run(
        ["make", "-s", f"B={where}", f"CFLAGS={FLAGS}", f"{where}/libportres.so"],
        cwd=ROOT,
        check=True,
        stdout=sys.stderr,
    )
    return directory / "libportres.so"


def make_program(directory):
    program = directory / "trace"
    subprocess.run(
        ["gcc", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-rdynamic", "-I.", "-Iinclude"]
        + ["bench/trace.c", "-o", program.absolute()],
        cwd=ROOT,
        check=True,
    )
    return program.absolute()


def run(program, way, preload):
    """The words that the program says, and the system calls between its marks."""
    bare = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    with tempfile.TemporaryDirectory(dir="/dev/shm") as pool:
        variables = [f"-EPORTRES_POOL={pool}"]
        variables += [f"-ELD_PRELOAD={preload}"] if preload else []
        traced = subprocess.run(
            ["strace", "-o", f"{pool}/strace", *variables, program, way],
            env=bare,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        lines = pathlib.Path(f"{pool}/strace").read_text().splitlines()
    (first,) = (i for i, x in enumerate(lines) if x.startswith('write(-1, "begin"'))
    (last,) = (i for i, x in enumerate(lines) if x.startswith('write(-1, "end"'))
    names = re.findall(r"^(\w+)\(", "\n".join(lines[first + 1 : last]), re.M)
    return traced.stdout.split(), collections.Counter(names)


def where_they_stand(library, places):
    """(function, file) of each place; of libc's headers none."""
    different = sorted(set(places))
    said = subprocess.run(
        ["addr2line", "-f", "-e", library],
        input="".join(f"{place}\n" for place in different),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.splitlines()
    files = [os.path.relpath(line.split(":")[0], ROOT) for line in said[1::2]]
    names = dict(zip(different, zip(said[::2], files)))
    return [names[place] for place in places if not names[place][1].startswith("..")]


def count(program, preload, way):
    places, ours = run(program, way, preload)
    _, bare = run(program, way, None)
    entered = where_they_stand(preload, places) if places else []
    return {
        "way": way,
        "functions": len(set(entered)),
        "entries": len(entered),
        "files": len({file for _, file in entered}),
        "calls": (ours - bare).total(),
        "entered": collections.Counter(f"{file}: {name}" for name, file in entered),
        "called": dict(ours - bare),
    }


def print_table(rows):
    columns = ("functions", "entries", "files", "calls")
    print(f"{'':46}" + "".join(f"{name:>11}" for name in columns))
    for row in rows:
        print(f"{row['way']:46}" + "".join(f"{row[name]:>11}" for name in columns))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="with the names of all")
    parser.add_argument("--preload", help="a library that is there")
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("way", nargs="*")
    wanted = parser.parse_args()
    if not shutil.which("strace"):
        sys.exit("trace.py: no strace here")

    wanted.directory.mkdir(parents=True, exist_ok=True)
    preload = wanted.preload or str(make_library(wanted.directory).absolute())
    program = make_program(wanted.directory)
    ways = wanted.way or subprocess.run(
        [program], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()
    rows = [count(program, preload, way) for way in ways]
    if wanted.json:
        json.dump(rows, sys.stdout, indent=1)
    else:
        print_table(rows)


main()
