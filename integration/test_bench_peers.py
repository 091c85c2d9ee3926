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
        assert row["one_us"] > 0 and row["twenty_us"] > row["one_us"]
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


FIGURE = re.compile(r"\d (?:%|ms|µs|ns|percent|(?:micro|milli|nano)seconds)(?!\w)"
                    r"|\d times (?:libc|as)|some percent")


def test_figures_name_their_command(root):
    """A paragraph, list or table with a measured time or share; design.md says of all
    its figures at once whose they are. Limits of our own are no measurement."""
    ours = re.compile(r"waits? 0\.1 s|every 2 ms|within 2 ms|more than 10? ms")
    assert "Figures of this document are of `make bench`" in (root / "docs/design.md").read_text()
    pages = [path for path in (root / "docs").iterdir() if re.fullmatch(r"\.\d", path.suffix)]
    assert len(pages) > 3
    for path in [root / "README.md", root / "integration/plugin/README.md", *pages,
                 *(root / "docs").glob("*.md")]:
        if path.name in ("design.md", "pitfalls.md", "semantics.md", "peers.md"):
            continue
        for part in re.split(r"\n\n|\n(?=- )|\n\.PP\n", path.read_text()):
            if FIGURE.search(ours.sub("", part)):
                assert "make bench" in part, f"{path.name}: {part}"
