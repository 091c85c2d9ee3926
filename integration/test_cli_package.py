# SPDX-License-Identifier: MIT
"""Beside the command: completion, man pages, the installed layout."""

import os
import shutil
import subprocess
import sys

import pytest

from checkers import OPTIONS, sanitizer


@pytest.mark.parametrize(
    "words,answer",
    [
        (["portres", ""], "run list who persistent guard doctor --help --version"),
        (["portres", "p"], "persistent"),
        (["portres", "persistent", ""], "add delete list reload --help"),
        (["portres", "persistent", "add", ""], "tcp udp --help"),
        (["portres", "who", "--t"], "--tcp"),
    ],
)
def test_completion(root, words, answer):
    script = (
        f'. "{root}/cli/portres.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));'
        ' _portres; echo "${COMPREPLY[*]}"'
    )
    run = subprocess.run(
        ["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == answer.split()


@pytest.mark.parametrize("page", ["portres.1", "portres.3", "portres.7", "portres-guard.8"])
def test_man_pages(root, has, page):
    if not has("groff"):
        pytest.skip("no groff")
    run = subprocess.run(
        ["groff", "-man", "-ww", "-Tascii", "-P-cbou", root / "docs" / page],
        capture_output=True, check=True,
    )
    assert run.stderr == b"" and b"SEE ALSO" in run.stdout


def test_the_man_page_has_every_command(cli, root):
    page = (root / "docs" / "portres.1").read_text()
    for line in cli("--help").splitlines():
        if line.startswith("  "):
            assert f".SS portres {line.split()[0]}\n" in page


def test_install(root, build, tmp_path):
    subprocess.run(
        ["make", "-s", "-C", root, "-o", "all", "install", f"B={build}",
         f"DESTDIR={tmp_path}", "prefix=/p"],
        check=True, capture_output=True,
    )
    for path in (
        "bin/portres", "share/man/man1/portres.1", "share/man/man3/portres.3",
        "share/man/man7/portres.7", "lib/libportres_winsock.a", "lib/libws2_32.a",
        "share/bash-completion/completions/portres", "share/zsh/site-functions/_portres",
        "share/fish/vendor_completions.d/portres.fish", "share/portres/portres-pool.conf",
        "lib/systemd/system/portres-pool.service", "lib/pkgconfig/portres.pc",
        "lib/pkgconfig/portres-winsock.pc",
        "lib/sysusers.d/portres.conf", "lib/systemd/system/portres-guard.service",
        "share/man/man8/portres-guard.8",
    ):
        assert (tmp_path / "p" / path).is_file(), path
    run = subprocess.run(
        [tmp_path / "p/bin/portres", "doctor"], capture_output=True, text=True,
        env={"PORTRES_POOL": str(tmp_path), **OPTIONS}, check=False,
    )
    assert f"{tmp_path}/p/lib/libportres.so" in run.stdout
    assert "a program that preloads it is answered" in run.stdout


@pytest.fixture(params=["My Job"])
def spaced(request, root, build, tmp_path):
    """The sources and what was built of them, in a directory with a blank, or of
    another name that has to be quoted."""
    if sanitizer(build):
        pytest.skip("the demonstration has no runtime before the library")
    place = tmp_path / request.param
    shutil.copytree(root, place, symlinks=True,
                    ignore=shutil.ignore_patterns("build", "build-*", ".git", "__pycache__"))
    shutil.copytree(build, place / "build", symlinks=True)
    return place


@pytest.fixture
def make(spaced):
    """make(*arguments) there."""

    def make(*arguments):
        run = subprocess.run(["make", *arguments], cwd=spaced, capture_output=True,
                             text=True, check=False, env=dict(os.environ, MAKEFLAGS=""))
        assert (run.returncode, run.stderr) == (0, "")
        return run.stdout

    return make


# Each is a build of everything: one in each place where tests are run.
ANY_NAME = ["it's", *(pytest.param(name, marks=pytest.mark.long)
                      for name in ("a:b", "$LIB", "a $(b) `c` \"d\" & ; (e) # \\"))]


@pytest.mark.parametrize("spaced", ANY_NAME, indirect=True)
def test_in_a_directory_of_any_name(spaced, make):
    (spaced / "cli/main.c").touch()
    (spaced / "shim/config.c").touch()
    made = make()
    assert "CC    cli/main.c" in made and "LD    build/libportres.so" in made
    (spaced / "guard/guard.bpf.c").touch()
    make("-j2")
    assert "Nothing to be done" in make()
    demo = make("demo")
    assert "is reserved" in demo and "\nlistening on port" in demo


@pytest.mark.long
def test_packages_from_a_directory_with_a_blank(spaced, has):
    if not has("dh"):
        pytest.skip("no debhelper")
    run = subprocess.run(["make", "deb"], cwd=spaced, capture_output=True, text=True,
                         check=False, env=dict(os.environ, MAKEFLAGS=""))
    assert run.returncode == 0, run.stdout + run.stderr
    packages = {file.name.partition("_")[0] for file in (spaced / "build/deb").glob("*.deb")}
    assert {"libportres0", "portres", "python3-portres", "portres-guard"} < packages


def test_in_a_directory_with_a_blank(spaced, make):
    (spaced / "cli/main.c").touch()
    assert "CC    cli/main.c" in make()
    (spaced / "cli/run.h").touch()
    assert "CC    cli/run_acquire.c" in make("-j2")
    assert "Nothing to be done" in make()
    # An older tree had a shared library of that name, which would be found first.
    stale = spaced / "build/lib/libws2_32.so"
    stale.write_text("INPUT(-lportres -lportres_main)\n")
    stale.with_suffix(".a").unlink()
    make()
    assert not stale.exists() and stale.with_suffix(".a").exists()
    demo = make("demo")
    assert "is reserved" in demo and "\nlistening on port" in demo
    make("check-symbols")
    # It stands for a test run, that of one test.
    (spaced / "python").write_text(f"#!/bin/sh\nexec {sys.executable} \"$@\" -k reserved_and_bound\n")
    (spaced / "python").chmod(0o755)
    assert "1 passed" in make("check-integration", "PYTHON=./python")
    place = spaced / "in stall:ed"
    stale = place / "p q/lib/libws2_32.so"
    stale.parent.mkdir(parents=True)
    stale.write_text("INPUT(-lportres -lportres_main)\n")
    make("install", f"DESTDIR={place}", "prefix=/p q")
    assert not stale.exists() and stale.with_suffix(".a").exists()
    run = [place / "p q/bin/portres", "run", "sh", "-c", "grep -c /libportres /proc/self/maps"]
    env = {"PORTRES_POOL": str(spaced.parent), "PATH": os.environ["PATH"]}
    assert int(subprocess.check_output(run, env=env)) > 0
