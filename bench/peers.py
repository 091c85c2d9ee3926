#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What people use for free ports, measured side by side.

usage: peers.py [--json] [--quick] [--plots FOLDER] BUILD-DIRECTORY

In a network namespace of its own, where that may be made: one port and twenty in a
go; 64 processes that take 100 ports each, and how many of these were given to more
than one; ports that are left alone for a second while other programs choose theirs,
and how many of them are lost then; a server's start until it answers. The packages
get-port and portfinder are fetched by npm into BUILD-DIRECTORY; without npm, and
without systemd-socket-activate, these rows are left out, with the reason.

--plots draws acquire.svg and throughput.svg, with gnuplot. --quick is for the test
of this program: fewer of everything, no npm.
"""

import argparse
import ctypes
import fcntl
import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

PACKAGES = ("get-port", "portfinder")
HERE = pathlib.Path(__file__).resolve().parent
CLONE_NEWNET = 0x40000000


def own_network():
    """True where we have got a namespace, with its loopback up."""
    if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    return True


class Ways:
    """Each way to ports is a command that takes the words of peers.c."""

    def __init__(self, build, where, quick):
        self.program = str(build / "bench/peers")
        self.environment = dict(os.environ, PEERS_DIRECTORY=str(where / "locks"))
        (where / "locks").mkdir()
        (where / "pool").mkdir(mode=0o700)
        self.preloaded = dict(self.environment, LD_PRELOAD=str(build / "libportres.so"),
                              PORTRES_POOL=str(where / "pool"))
        self.commands = {way: [self.program, way] for way in ("bind-0", "lock-file", "portres")}
        self.missing = {}
        reason = "--quick" if quick else self.fetch(build / "bench/npm")
        for package in PACKAGES:
            if reason:
                self.missing[package] = reason
            else:
                self.commands[package] = ["node", str(build / "bench/npm/peers.mjs"), package]

    @staticmethod
    def fetch(folder):
        """The packages of npm; returns what is missing."""
        for program in "node", "npm":
            if not shutil.which(program):
                return f"no {program}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "peers.mjs", folder)
        if not all((folder / "node_modules" / package).exists() for package in PACKAGES):
            (folder / "package.json").write_text('{"private": true}\n')
            run = subprocess.run(["npm", "install", "--no-audit", "--no-fund", *PACKAGES],
                                 cwd=folder, capture_output=True, text=True, check=False)
            if run.returncode != 0:
                return "npm install: " + (run.stderr.strip().splitlines() or ["failed"])[0]
        return ""

    def version(self, build, package):
        text = (build / "bench/npm/node_modules" / package / "package.json").read_text()
        return json.loads(text)["version"]

    def env(self, way):
        return self.preloaded if way == "portres" else self.environment

    def start(self, way, *words):
        return subprocess.Popen([*self.commands[way], *map(str, words)], env=self.env(way),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, way, *words):
        run = subprocess.run([*self.commands[way], *map(str, words)], env=self.env(way),
                             stdout=subprocess.PIPE, text=True, check=True)
        return float(run.stdout)


def duplicates(ways, way, processes, count):
    """How many of all these ports were given to more than one."""
    running = [ways.start(way, "many", count) for _ in range(processes)]
    ports = [int(one.stdout.readline()) for one in running for _ in range(count)]
    for one in running:
        one.communicate()
    return len(ports) - len(set(ports))


def lost(ways, way, count, seconds, others, sockets):
    """Of so many ports, left alone so long beside such programs."""
    busy = [subprocess.Popen([ways.program, "busy", str(sockets)], stdout=subprocess.PIPE)
            for _ in range(others)]
    try:
        for one in busy:
            one.stdout.readline()
        picker = ways.start(way, "late", count)
        picker.stdout.readline()
        time.sleep(seconds)
        return int(picker.communicate("now\n")[0])
    finally:
        for one in busy:
            one.kill()
            one.wait()
            one.stdout.close()


def answered(port, process):
    """Waits until that server answers, and for its end."""
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as peer:
                if peer.recv(1) == b"!":
                    break
        except OSError:
            if process.poll() not in (None, 0):
                sys.exit(f"the server on port {port} has ended")
    process.wait()


def start_of_server(command, port, env, times):
    """Milliseconds until it answers, the median."""
    took = []
    for i in range(times):
        words = [word.replace("{port}", str(port + i)) for word in command]
        begin = time.monotonic()
        process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        answered(port + i, process)
        took.append((time.monotonic() - begin) * 1e3)
    return statistics.median(took)


def servers(ways, build, times):
    """(name, milliseconds) of servers that somebody else has given a port."""
    env = {key: value for key, value in ways.preloaded.items() if key != "LD_PRELOAD"}
    rows = [("the server alone", start_of_server(
        ["env", "PORTRES_PORT={port}", ways.program, "server"], 21000, env, times))]
    if shutil.which("systemd-socket-activate"):
        rows.append(("systemd-socket-activate", start_of_server(
            ["systemd-socket-activate", "-l", "127.0.0.1:{port}", ways.program, "server"], 22000,
            env, times)))
    else:
        ways.missing["systemd-socket-activate"] = "not here"
    rows.append(("portres run", start_of_server(
        [str(build / "portres"), "run", "--tcp", "{port}+1", "--", ways.program, "server"], 23000,
        env, times)))
    return [{"way": name, "milliseconds": round(value, 2)} for name, value in rows]


def table(ways, build, quick):
    rows = []
    times, count = (20, 5) if quick else (1000, 100)
    processes, rounds = (4, 1) if quick else (64, 5)
    for way in ways.commands:
        fewer = 1 if way not in PACKAGES else 4
        rows.append({
            "way": way,
            "version": ways.version(build, way) if way in PACKAGES else None,
            "one_us": ways.ask(way, "time", 1, times // fewer) / 1e3,
            "twenty_us": ways.ask(way, "time", 20, times // 10 // fewer or 1) / 1e3,
            "taken": processes * count,
            "duplicates": duplicates(ways, way, processes, count),
            "left": rounds * count,
            "lost": sum(lost(ways, way, count, 0.1 if quick else 1, 4, 20 if quick else 1000)
                        for _ in range(rounds)),
        })
    return rows


LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
BESIDE = (0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000)
CROWDS = (1, 2, 4, 8, 16, 32, 64)


def rate(ways, way, processes, milliseconds):
    """Ports a second, of all these together."""
    begin = time.monotonic() + 0.2 + processes / 64
    running = [ways.start(way, "rate", milliseconds, begin) for _ in range(processes)]
    return sum(float(one.communicate()[0]) for one in running) * 1000 / milliseconds


def curves(ways, quick):
    """The best of some rounds: a machine has other work as well."""
    few, rounds = (2, 1) if quick else (None, 5)

    def acquire(size, times):
        return min(ways.ask("portres", "time", size, times) for _ in range(rounds)) / 1e3

    lengths = [(n, acquire(n, max(5, 2000 // n))) for n in LENGTHS[:few]]
    beside = []
    for n in BESIDE[:few]:
        crowd = ways.start("portres", "many", n) if n else None
        if crowd:
            for _ in range(n):
                crowd.stdout.readline()
        beside.append((n, *(acquire(size, 200) for size in (1, 20))))
        if crowd:
            crowd.communicate()
    throughput = []
    for n in CROWDS[:few]:
        wait = 50 if quick else 500
        throughput.append((n, *(max(rate(ways, way, n, wait) for _ in range(rounds))
                                for way in ("bind-0", "lock-file", "portres"))))
    return {"acquire_us_by_length": lengths, "acquire_us_by_live_blocks": beside,
            "ports_a_second_by_processes": throughput}


STYLE = """
set terminal svg size {size} font "sans-serif,13" background "#ffffff"
set grid lc rgb "#dddddd"
set border 3 lc rgb "#444444"
set tics nomirror
set key top left reverse Left
set yrange [0:*]
"""

ACQUIRE = """
set multiplot layout 1,2
set logscale xy
set yrange [10:*]
set xlabel "ports of the block"
set ylabel "µs an acquire and its end"
plot $length using 1:2 with linespoints lw 2 pt 7 ps 0.5 lc rgb "#1f6feb" notitle
unset logscale xy
set yrange [0:*]
set xlabel "blocks that live beside it"
unset ylabel
plot $beside using 1:3 with linespoints lw 2 pt 7 ps 0.5 lc rgb "#1f6feb" title "20 ports", \\
     $beside using 1:2 with linespoints lw 2 pt 5 ps 0.5 lc rgb "#8250df" title "1 port"
"""

THROUGHPUT = """
set logscale x 2
set xlabel "processes"
set ylabel "ports a second, thousands"
plot $rate using 1:($2/1000) with linespoints lw 2 pt 7 ps 0.5 lc rgb "#999999" \\
       title "bind to 0 and close (duplicates)", \\
     $rate using 1:($3/1000) with linespoints lw 2 pt 5 ps 0.5 lc rgb "#bf8700" \\
       title "lock files", \\
     $rate using 1:($4/1000) with linespoints lw 2 pt 9 ps 0.5 lc rgb "#1f6feb" title "portres"
"""


def block(name, rows):
    lines = [" ".join(f"{value:g}" for value in row) for row in rows]
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def draw(found, folder):
    if not shutil.which("gnuplot"):
        sys.exit("--plots: no gnuplot; as root: apt-get install gnuplot-nox")
    folder.mkdir(parents=True, exist_ok=True)
    for name, size, text, rows in (
            ("acquire", "860,320", ACQUIRE, {"length": found["acquire_us_by_length"],
                                             "beside": found["acquire_us_by_live_blocks"]}),
            ("throughput", "640,320", THROUGHPUT, {"rate": found["ports_a_second_by_processes"]})):
        script = "".join(block(key, value) for key, value in rows.items())
        done = subprocess.run(["gnuplot"], input=script + STYLE.format(size=size) + text,
                              text=True, capture_output=True, check=True)
        (folder / f"{name}.svg").write_text(done.stdout)


def show(found):
    print("| way | one port | twenty | given to two | lost after a second |")
    print("|---|---|---|---|---|")
    for row in found["ports"]:
        name = f"{row['way']} {row['version']}" if row["version"] else row["way"]
        print(f"| {name} | {row['one_us']:,.0f} µs | {row['twenty_us']:,.0f} µs "
              f"| {row['duplicates']:,} of {row['taken']:,} | {row['lost']} of {row['left']} |")
    print("\n| a server's start until it answers | |")
    print("|---|---|")
    for row in found["servers"]:
        print(f"| {row['way']} | {row['milliseconds']:.1f} ms |")
    for way, reason in found["missing"].items():
        print(f"\nleft out: {way}: {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--plots", metavar="FOLDER", type=pathlib.Path)
    parser.add_argument("build", metavar="BUILD-DIRECTORY", type=pathlib.Path)
    wanted = parser.parse_args()
    build = wanted.build.resolve()
    resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
    with tempfile.TemporaryDirectory(dir="/dev/shm") as where:
        # npm's before the namespace, which has no network.
        ways = Ways(build, pathlib.Path(where), wanted.quick)
        own = own_network()
        found = {"own_network": own, "ports": table(ways, build, wanted.quick),
                 "servers": servers(ways, build, 3 if wanted.quick else 51)}
        found["missing"] = ways.missing
        if wanted.plots:
            found["curves"] = curves(ways, wanted.quick)
            draw(found["curves"], wanted.plots)
    if wanted.json:
        json.dump(found, sys.stdout, indent=1)
        print()
    else:
        show(found)


main()
