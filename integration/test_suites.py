# SPDX-License-Identifier: MIT
"""Other languages' test runners under portres run: docs/test-suites.md as it stands."""

import os
import re
import subprocess

import pytest

from conftest import ROOT

TEXT = (ROOT / "docs/test-suites.md").read_text().partition("## Other suites")[2]
SECTIONS = dict(re.findall(r"^### (.+)\n((?:(?!###).*\n)*)", TEXT, re.M))
JARS = ["/usr/share/java/junit4.jar", "/usr/share/java/hamcrest-core.jar"]


def fence(section, language):
    (text,) = re.findall(rf"```{language}\n(.*?)```", SECTIONS[section], re.S)
    return text


@pytest.fixture
def run(cli_env, build, tmp_path, own_wildcard):
    """run(command of the document) -> what it printed, in a folder of its own; with
    a port that is reserved for something else beside it."""
    cli_env["PATH"] = f"{build}:{cli_env['PATH']}"
    cli_env.update(own_wildcard)
    cli_env.update(GOCACHE=str(tmp_path / "go"), GOFLAGS="-mod=mod", GOPROXY="off",
                   CARGO_TARGET_DIR=str(tmp_path / "target"), CARGO_NET_OFFLINE="true")
    for name in "CARGO_HOME", "RUSTUP_HOME":
        # The home is another one here.
        default = os.path.expanduser(f"~/.{name.partition('_')[0].lower()}")
        if name in os.environ or os.path.isdir(default):
            cli_env[name] = os.environ.get(name, default)
    (tmp_path / "project").mkdir()

    def run(*command, **variables):
        done = subprocess.run(command, cwd=tmp_path / "project", env={**cli_env, **variables},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=300)
        assert done.returncode == 0, done.stdout
        return done.stdout

    run.folder = tmp_path / "project"
    run.section = lambda section, **kw: run("sh", "-c", fence(section, "sh"), **kw)
    return run


def need(has, *programs):
    for program in programs:
        if not has(program):
            pytest.skip(f"needs {program}: see tests/packages")


def test_go(run, has, listed):
    need(has, "go")
    (run.folder / "go.mod").write_text("module server\n\ngo 1.19\n")
    (run.folder / "server_test.go").write_text(fence("Go", "go"))
    assert "ok" in run.section("Go")
    assert listed() == []


def test_cargo(run, has, listed):
    need(has, "cargo")
    (run.folder / "Cargo.toml").write_text(
        '[package]\nname = "server"\nversion = "0.1.0"\nedition = "2021"\n')
    (run.folder / "tests").mkdir()
    (run.folder / "src").mkdir()
    (run.folder / "src/lib.rs").write_text("")
    (run.folder / "tests/server.rs").write_text(fence("Rust", "rust"))
    assert "1 passed" in run.section("Rust")
    assert listed() == []


def test_node(run, has, listed):
    need(has, "node")
    (run.folder / "server.test.js").write_text(fence("Node", "js"))
    assert re.search(r"pass 1\b", run.section("Node"))
    assert listed() == []


def test_junit(run, has, listed):
    need(has, "javac")
    for jar in JARS:
        if not os.path.exists(jar):
            pytest.skip("needs junit4: see tests/packages")
    (run.folder / "ServerTest.java").write_text(fence("JUnit", "java"))
    path = ":".join([*JARS, "."])
    run("javac", "-cp", path, "ServerTest.java")
    assert "OK (1 test)" in run.section("JUnit", CLASSPATH=path)
    assert listed() == []


def test_a_shell_script(run, listed):
    script = run.folder / "suite"
    script.write_text(fence("A shell script", "bash"))
    script.chmod(0o755)
    said = re.fullmatch(r"server on (\d+), metrics on (\d+)\n", run(script))
    assert int(said[2]) == int(said[1]) + 1
    assert listed() == []


@pytest.mark.parametrize("section", ["Go", "Rust", "Node", "JUnit"])
def test_its_ports_are_the_runs(run, section):
    """As the test above would not tell: each command has them."""
    command = re.sub(r"-- .*", "-- sh -c 'echo $PORTRES_PORTS'", fence(section, "sh"))
    assert len(run("sh", "-c", command).split()) == 3


def test_all_are_run():
    assert list(SECTIONS) == ["Go", "Rust", "Node", "JUnit", "A shell script"]
