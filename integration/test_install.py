# SPDX-License-Identifier: MIT
"""What is handed out: the installation and its end, the archive of the sources,
builds by other compilers and in other places. Debian's packages are tried by
`make check-packages`."""

import os
import re
import shlex
import shutil
import subprocess
import tarfile

import pytest

from checkers import sanitizer
from kits.rights import works


@pytest.fixture
def make(root, build):
    """make(*arguments) of this tree and what was built of it."""
    if sanitizer(build):
        pytest.skip("what is handed out has no sanitizer")

    def make(*arguments, cwd=root, own=(f"B={build}", "-o", "all")):
        run = subprocess.run(["make", "-s", *own, *map(str, arguments)], cwd=cwd,
                             capture_output=True, text=True, check=False, timeout=300,
                             env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
        assert run.returncode == 0, run.stdout + run.stderr
        assert "warning" not in run.stderr, run.stderr
        return run.stdout

    return make


def files(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir())


@pytest.fixture
def installed(make, tmp_path):
    """A folder with what `make install` puts there."""
    place = tmp_path / "installed here"
    make("install", f"DESTDIR={place}", "prefix=/usr", "libdir=/usr/lib/here")
    assert len(files(place)) > 40
    return place


def test_uninstall_leaves_nothing(make, installed):
    other = installed / "usr/lib/here/libother.so"
    other.write_text("")
    make("uninstall", f"DESTDIR={installed}", "prefix=/usr", "libdir=/usr/lib/here")
    assert files(installed) == ["usr/lib/here/libother.so"]
    assert [path for path in installed.rglob("*") if path.name == "portres"] == []
    # Once more, with nothing there.
    make("uninstall", f"DESTDIR={installed}", "prefix=/usr", "libdir=/usr/lib/here")


def test_uninstall_leaves_what_is_not_ours(make, installed):
    """A directory with a file of somebody else stays, and what comes after is done."""
    others = [installed / "usr/include/portres/mine.h", installed / "usr/share/portres/mine"]
    for other in others:
        other.write_text("")
    make("uninstall", f"DESTDIR={installed}", "prefix=/usr", "libdir=/usr/lib/here")
    assert files(installed) == [str(other.relative_to(installed)) for other in others]


@pytest.mark.parametrize("what", ["install", "uninstall"])
def test_other_versions_go(make, installed, root, what):
    """From one that stays ldconfig would make the soname anew. One with another soname
    is another library, and a link is somebody's."""
    lib = installed / "usr/lib/here"
    ours = lib / f"libportres.so.{(root / 'VERSION').read_text().strip()}"
    older, newer = lib / "libportres.so.0.9.0", lib / "libportres.so.99.0"
    for other in older, newer:
        shutil.copy(ours, other)
    stranger, link = lib / "libportres.so.77.1", lib / "libportres.so.5.5"
    stranger.write_bytes(ours.read_bytes().replace(b"libportres.so.0", b"libportres.so.7"))
    link.symlink_to("elsewhere")
    make(what, f"DESTDIR={installed}", "prefix=/usr", "libdir=/usr/lib/here")
    assert not older.exists() and not newer.exists()
    assert stranger.exists() and link.is_symlink()
    assert ours.exists() == (what == "install")


@pytest.mark.parametrize("folder", ["p q", "R&D", "a, 50%|b"])
def test_a_prefix_of_any_name(make, has, tmp_path, folder):
    """In the files that name it there, as their readers want it."""
    prefix = tmp_path / folder
    make("install-files", "DESTDIR=", f"prefix={prefix}")
    units = prefix / "lib/systemd/system"
    lines = re.findall(r"^Exec\w+=(.*(?:/|portres guard).*)$",
                       "".join(unit.read_text() for unit in sorted(units.iterdir())), re.M)
    said = str(prefix).replace("%", "%%")
    mark = '"' if " " in said else ""
    assert {f"{mark}{said}/bin/portres{mark} guard on --again",
            f"{mark}{said}/bin/portres{mark} guard off --force",
            f"systemd-tmpfiles --create {mark}{said}/share/portres/portres-pool.conf{mark}"
            } == set(lines)
    if has("systemd-analyze"):
        run = subprocess.run(["systemd-analyze", "verify", "--man=no", *units.iterdir()],
                             capture_output=True, text=True, check=False)
        assert str(tmp_path) not in run.stderr and folder not in run.stderr, run.stderr
    make("uninstall", "DESTDIR=/", f"prefix={prefix}")
    assert files(prefix) == []


@pytest.mark.parametrize("package,header,call,libraries", [
    ("portres", "portres.h", "portres_release(-1, 1, 0)", ["libportres.so.0"]),
    ("portres-winsock", "winsock2.h", "closesocket(INVALID_SOCKET)", ["libportres.so.0"]),
    ("portres-winsock", "portres.h", "portres_release(-1, 1, 0)", ["libportres.so.0"]),
])
@pytest.mark.parametrize("folder", ["p", "p q", "R&D's 50%|a\\b,c"])
def test_pkg_config(make, has, root, tmp_path, package, header, call, libraries, folder):
    if not has("pkg-config"):
        pytest.skip("no pkg-config")
    make("install-files", "DESTDIR=", f"prefix={tmp_path / folder}")
    env = dict(os.environ, PKG_CONFIG_PATH=str(tmp_path / folder / "lib/pkgconfig"))

    def ask(option):
        return subprocess.run(["pkg-config", option, package], env=env, check=True,
                              capture_output=True, text=True).stdout

    assert ask("--modversion") == (root / "VERSION").read_text()
    words = shlex.split(ask("--cflags") + ask("--libs"))
    (tmp_path / "a.c").write_text(f"#include <{header}>\nint main(void) {{ return {call} == 0; }}\n")
    subprocess.run(["gcc", "a.c", *words, "-o", "a"], cwd=tmp_path, check=True)
    needed = subprocess.run(["readelf", "-d", "a"], cwd=tmp_path, check=True,
                            capture_output=True, text=True).stdout
    found = re.findall(r"NEEDED.*\[(.*)\]", needed)
    assert [name for name in found if "portres" in name] == libraries


def test_all_headers_are_installed(installed, build, root):
    """In each spelling."""
    have = {path.name for path in (installed / "usr/include/portres").iterdir()}
    assert have | {"portres.h"} == {path.name for path in (build / "include").iterdir()}
    assert {path.name for path in (root / "include").glob("*.h")} - {"portres.h"} < have
    assert {"WinSock2.h", "WINSOCK2.H", "MSWSock.h", "SynchAPI.h"} <= have


def test_a_program_of_linux_sees_no_windows(installed, tmp_path):
    """Headers ask so where they are; by our flags the answer must not change."""
    (tmp_path / "a.c").write_text("""#include <portres.h>
#if __has_include(<windows.h>) || __has_include(<winsock2.h>) || __has_include(<io.h>)
#error it is on Windows
#endif
""")
    subprocess.run(["gcc", "-fsyntax-only", f"-I{installed}/usr/include", "a.c"], cwd=tmp_path,
                   check=True)


def test_the_unit_makes_the_pool(installed, has, tmp_path):
    unit = (installed / "usr/lib/systemd/system/portres-pool.service").read_text()
    sysusers, tmpfiles = re.findall(r"^ExecStart=(.*)$", unit, re.M)
    assert sysusers == "systemd-sysusers portres.conf"
    assert (installed / "usr/lib/sysusers.d/portres.conf").exists()
    program, option, file = tmpfiles.split()
    config = installed / file.lstrip("/")
    assert config.exists()
    if not has(program):
        pytest.skip(f"no {program}")
    if not works("chown", "0:12345", str(config)):
        pytest.skip("needs the right to give files away")
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/group").write_text("root:x:0:\nportres:x:12345:\n")
    (tmp_path / "root/etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    subprocess.run([program, option, f"--root={tmp_path / 'root'}", "--prefix=/run", "-"],
                   input=config.read_text(), text=True, check=True)
    made = (tmp_path / "root/run/portres").stat()
    assert (made.st_mode & 0o7777, made.st_uid, made.st_gid) == (0o2770, 0, 12345)


def test_every_file_is_in_one_package(installed, root):
    """What `make install` puts there and no package takes would be lost."""
    patterns = [(file.stem, line) for file in sorted((root / "debian").glob("*.install"))
                for line in file.read_text().split()]
    # Units are put into their packages by debhelper.
    patterns += [(package, unit) for unit, package in re.findall(
        r"mv debian/tmp/(usr/lib/systemd/system/\S+) \\\n\s+debian/([\w-]+)\.",
        (root / "debian/rules").read_text())]
    assert len({package for package, _ in patterns}) >= 3
    taken = {}
    for package, pattern in patterns:
        found = list(installed.glob(pattern))
        assert found, f"{package}: {pattern}"
        for path in found:
            inside = [path] if not path.is_dir() else [installed / path / f for f in files(path)]
            for one in inside:
                taken.setdefault(str(one.relative_to(installed)), []).append(package)
    assert sorted(taken) == files(installed)
    assert {path: of for path, of in taken.items() if len(of) != 1} == {}


@pytest.fixture
def archive(make, tmp_path, root):
    """The sources as they are handed out, unpacked."""
    make("dist", f"B={tmp_path}", own=())
    name = f"portres-{(root / 'VERSION').read_text().strip()}"
    with tarfile.open(tmp_path / f"{name}.tar.gz") as tar:
        tar.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked" / name


def test_an_archive_makes_the_same_archive(archive, make, tmp_path, root):
    (first,) = tmp_path.glob("*.tar.gz")
    # One is the user's, one is pip's.
    (archive / "config.mak").write_text("# mine\n")
    (archive / "integration/plugin/build").mkdir()
    (archive / "integration/plugin/build/made").write_text("")
    make("dist", own=(), cwd=archive)
    (archive / "config.mak").unlink()
    shutil.rmtree(archive / "integration/plugin/build")
    (second,) = archive.glob("build/*.tar.gz")
    assert first.read_bytes() == second.read_bytes()
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True,
                            check=False)
    if (root / ".git").exists() and listed.returncode == 0:
        shutil.rmtree(archive / "build")
        assert files(archive) == sorted(listed.stdout.splitlines())


MADE = ["libportres.so", "portres", "lib/libportres_winsock.a"]


def test_two_builds_are_the_same_bytes(archive, make, build):
    """In another place, at another time."""
    make("-j2", *(f"build/{name}" for name in MADE), own=(), cwd=archive)
    differ = [name for name in MADE
              if (archive / "build" / name).read_bytes() != (build / name).read_bytes()]
    assert differ == []


def test_clang(archive, make, has, shim_env, build):
    """It takes the sources without a warning, and makes the same of them."""
    if not has("clang"):
        pytest.skip("no clang")
    make("-j2", "check-symbols", "build/portres", "build/lib/libportres_winsock.a", "CC=clang",
         "CFLAGS=-O2 -g -Werror", own=(), cwd=archive)
    env = dict(shim_env, LD_PRELOAD="")
    run = subprocess.run([archive / "build/portres", "run", "--tcp", "2", "--", "sh", "-c",
                          f"'{archive}/build/portres' list"],
                         env=env, capture_output=True, text=True, check=True)
    assert "runtime" in run.stdout


HARDENED = {"libportres.so": ["BIND_NOW", "GNU_RELRO", "__stack_chk_fail"],
            "portres": ["BIND_NOW", "GNU_RELRO", "__stack_chk_fail", "DYN (Pos", "_chk@GLIBC"]}


@pytest.mark.parametrize("name", HARDENED)
def test_hardening(make, build, name):
    text = subprocess.run(["readelf", "-hlWd", "--dyn-syms", build / name], capture_output=True,
                          text=True, check=True).stdout
    assert [word for word in HARDENED[name] if word not in text] == []
    assert re.search(r"GNU_STACK.* RW +0x", text)


def test_one_version(root, cli):
    """VERSION has it; the changelog says of which day it is."""
    version = (root / "VERSION").read_text().strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert re.search(rf"^## {version} - 20\d\d-\d\d-\d\d$", (root / "CHANGELOG.md").read_text(), re.M)
    # Tests and the names of files made up in them are not the product's.
    for path in (root / "Makefile", root / "debian/control", root / "cli/main.c",
                 root / "integration/plugin/pyproject.toml", root / "include/portres.pc.in"):
        assert version not in path.read_text(), path
    said = subprocess.run(["sh", root / "debian/changelog.sh", version, "2026-01-31"], check=True,
                          capture_output=True, text=True).stdout
    assert said.startswith(f"portres ({version}-1) ") and said.endswith(" 31 Jan 2026 00:00:00 +0000\n")
