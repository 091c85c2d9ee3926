# SPDX-License-Identifier: MIT
"""`make bench-peers`: it runs, and docs/peers.md has its table and plots."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from checkers import sanitizer

WAYS = ["bind-0", "lock-file", "portres"]


@pytest.fixture(scope="module")
def measured(root, build, has, tmp_path_factory):
    """Quickly: what it finds is not looked at, but that it is all there."""
    if sanitizer(build):
        pytest.skip("figures are of the ordinary build")
    made = subprocess.run(["make", "-s", "-o", "all", f"B={build}", f"{build}/bench/peers"],
                          cwd=root, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, ""), made.stdout
    plots = tmp_path_factory.mktemp("plots")
    run = subprocess.run(
        [sys.executable, root / "bench/peers.py", "--json", "--quick",
         *(["--plots", plots] if has("gnuplot") else []), build],
        capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout), plots


def test_all_rows(measured):
    found, _ = measured
    assert [row["way"] for row in found["ports"]] == WAYS
    for row in found["ports"]:
        assert row["one_us"] > 0 and row["twenty_us"] > 0
    assert [row["way"] for row in found["servers"]][-1] == "portres run"
    assert found["missing"]["get-port"] == found["missing"]["portfinder"] == "--quick"


def test_ports_of_portres_are_kept(measured):
    """The rest is luck."""
    (row,) = [row for row in measured[0]["ports"] if row["way"] == "portres"]
    assert (row["duplicates"], row["lost"]) == (0, 0)
    assert row["taken"] > 10 and row["left"] > 1


def test_plots(measured, has, root):
    if not has("gnuplot"):
        pytest.skip("no gnuplot")
    for name in "acquire.svg", "throughput.svg":
        new = xml.etree.ElementTree.parse(measured[1] / name).getroot()
        kept = xml.etree.ElementTree.parse(root / "docs" / name).getroot()
        assert new.tag == kept.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_document_has_each_way(root):
    text = (root / "docs/peers.md").read_text()
    for way in [*WAYS, "get-port", "portfinder", "portres run", "systemd-socket-activate"]:
        assert re.search(rf"^\| {way}[ \d.]* \|", text, re.M), way
    for name in "acquire.svg", "throughput.svg":
        assert f"]({name})" in text and (root / "docs" / name).exists()


FIGURE = re.compile(
    r"\d (?:%|m?s|µs|ns|percent|(?:micro|milli|nano)?seconds?|minutes?|hours?|[KMG]i?B|kB)(?!\w)"
    r"|\d times (?:libc|as)|some percent"
    r"|(?:two|five|ten|fifteen|twenty|thirty) (?:seconds|minutes|hours)|half an hour")
# Decisions, how long we wait and how much we take, are no measurements.
OURS = re.compile(
    r"(?:waits?(?: for the pool)?|after|ends in|costs it|for|lasts|up to|busy for|within) "
    r"(?:up to )?(?:0\.1|5|20) (?:s|seconds)(?!\w)|(?:every|within) 2 ms|more than (?:1|10) ms"
    r"|after 1 to 20 ms|shorter than 64 KiB|(?:at most )?1 MiB|on 8 KiB of|\(8 MB, of which", re.I)
# A figure names who measured it; the time that a command takes, the command itself.
MEASURED = re.compile(r"\bmake (?:bench|trace|check)[\w-]*|test_\w+\.py|bpftool map show")


def parts(path):
    """Paragraphs, entries of lists, tables; a table with what leads to it by a colon."""
    text = re.sub(r":\n\n(?=\|)", ":\n", path.read_text())
    return re.split(r"\n\n|\n(?=- )|\n\.PP\n", text)


def unmeasured(part):
    return FIGURE.search(OURS.sub("", part)) and not MEASURED.search(part)


@pytest.mark.parametrize("part,found", [
    ("It takes 13 µs.", True), ("It takes 3 s.", True), ("It takes 40 seconds.", True),
    ("After 12 minutes it ends.", True), ("It needs 3.4 KiB.", True), ("20 MiB of memory", True),
    ("ten minutes and more", True), ("1.09 times libc's", True), ("waits 7 s", True),
    ("waits 0.1 s", False), ("A call waits up to 5 seconds.", False),
    ("13 µs (`make bench`)", False),
    ("3 sockets and 5 slots, 10 months", False), ("3.4 KiB (`test_small_stack.py`)", False),
])
def test_what_is_a_figure(part, found):
    assert bool(unmeasured(part)) == found


def test_figures_name_their_command(root):
    """A paragraph, list or table with a measured time, size or share. The contract has
    limits alone; peers.md has its command above the table."""
    pages = [path for path in (root / "docs").iterdir() if re.fullmatch(r"\.\d", path.suffix)]
    assert len(pages) > 3
    for path in [root / "README.md", root / "integration/plugin/README.md", *pages,
                 *(root / "docs").glob("*.md")]:
        if path.name in ("semantics.md", "peers.md"):
            continue
        for part in parts(path):
            assert not unmeasured(part), f"{path.name}: {part}"


def test_a_bind_costs_what_the_table_says(root):
    """The one figure that is in two documents."""
    table = (root / "docs/design.md").read_text()
    (ratio, limit) = re.search(
        r"^\| socket\+bind\+close of an unreserved port .* \| ([\d.]+) \| ([\d.]+) \|$", table,
        re.M).groups()
    said = " ".join((root / "docs/servers.md").read_text().split())
    assert f"a bind {ratio} times libc's, limit {limit} (`make bench`" in said
