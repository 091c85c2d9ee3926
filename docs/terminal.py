#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws docs/terminal.svg, the README's picture, from what these commands print.

usage: terminal.py BUILD-DIRECTORY >docs/terminal.svg

Port 8080 must be free. The process number, the time and the pool's directory, which
are others in each run, become those of the picture; nothing else is touched.
"""

import html
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

SCENE = [
    ("# A server gets its port before it starts, and nobody else does while it lives.", ""),
    ("portres run --tcp 8080+1 -- python3 -m http.server 8080 >log &",
     "server=$!; until portres who 8080 | grep -q listening; do kill -0 $server || exit 9; done"),
    ("portres who 8080", ""),
    ("export LD_PRELOAD=libportres.so.0 PORTRES_DEBUG=1        # an ordinary program:",
     "LD_PRELOAD=$LIBRARY"),
    ("python3 -m http.server 8080 2>&1 | grep -E '^(portres|OSError)'", ""),
    ("kill -9 $!     # no clean-up, and none is needed", "wait $server; unset LD_PRELOAD"),
    ("portres who 8080", "true"),
]

# What is different each time.
PID, TIME, POOL = "4711", "2026-11-29T12:00:00Z", "/dev/shm/portres-1000"


def play(build):
    """What is on the terminal, line by line."""
    with tempfile.TemporaryDirectory() as where:
        pool = pathlib.Path(where, "pool")
        pool.mkdir(mode=0o700)
        env = {key: value for key, value in os.environ.items()
               if key not in ("LD_PRELOAD", "PORTRES_DEBUG", "NO_COLOR")}
        env.update(PORTRES_POOL=str(pool), PATH=f"{build}:/usr/bin:/bin",
                   LIBRARY=str(build / "libportres.so"))
        read, write = os.pipe()
        script = []
        for shown, hidden in SCENE:
            script += [f"printf '$ %s\\n' {shlex.quote(shown)}", shown, hidden or ":"]
        script = "\n".join([*script, f"echo pid $server >&{write}"])
        run = subprocess.run(["/bin/bash", "-c", script], cwd=where, env=env, pass_fds=[write],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             check=False, timeout=60)
        os.close(write)
        with open(read) as file:
            pid = file.read().split()
        if len(pid) != 2:
            sys.exit(f"the scene ended early: {run.stdout}{run.stderr}")
        said = re.sub(rf"\b{pid[1]}\b", PID, run.stdout)
        said = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", TIME, said)
        return said.replace(str(pool), POOL).splitlines()


WIDTH, LINE, LETTER = 100, 21, 8.4
COLOURS = {"command": "#e6edf3", "comment": "#8b949e", "said": "#a5d6ff", "refused": "#ff7b72"}


def wrapped(line):
    """A terminal's way: letters go on in the next line."""
    return [line[i:i + WIDTH] for i in range(0, len(line), WIDTH)] or [""]


def spans(line, first):
    """The line's pieces, each with its colour."""
    if not first.startswith("$ "):
        yield line, "refused" if first.startswith(("portres:", "OSError")) else "said"
        return
    command, mark, comment = line.partition("#")
    yield command, "command"
    yield mark + comment, "comment"


def draw(lines):
    rows = [(piece, line) for line in lines for piece in wrapped(line)]
    width, height = WIDTH * LETTER + 32, len(rows) * LINE + 56
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" height="{height}" role="img">',
        "<title>A port that is reserved is refused to others, and free again when its owner is "
        "killed</title>",
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>',
        *(f'<circle cx="{x}" cy="18" r="6" fill="{colour}"/>'
          for x, colour in ((20, "#ff5f56"), (40, "#ffbd2e"), (60, "#27c93f"))),
        '<g font-family="ui-monospace,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" '
        'font-size="14" xml:space="preserve">',
    ]
    for number, (piece, line) in enumerate(rows):
        inside = "".join(f'<tspan fill="{COLOURS[colour]}">{html.escape(text, False)}</tspan>'
                         for text, colour in spans(piece, line) if text)
        out.append(f'<text x="16" y="{54 + number * LINE}">{inside}</text>')
    return "\n".join(out) + "\n</g>\n</svg>\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(draw(play(pathlib.Path(sys.argv[1]).resolve())), end="")
