# SPDX-License-Identifier: MIT
"""Which library `portres run` preloads, by which name, and that the program
does not run without it."""

import os
import pathlib
import shutil
import subprocess
import sysconfig

import pytest

from checkers import OPTIONS, runtimes, sanitizer
from kits.cli import NOBODY, SONAME, UNDER, UNSPEAKABLE


@pytest.fixture
def installed(build, tmp_path):
    """installed(folder, library's name) -> the command there, beside it."""

    def installed(folder, name="libportres.so"):
        place = tmp_path / folder
        place.mkdir(parents=True)
        shutil.copy(build / "libportres.so", place / name)
        return pathlib.Path(shutil.copy(build / "portres", place))

    return installed


@pytest.fixture
def bare(build, tmp_path):
    """The command without a library."""
    (tmp_path / "bare").mkdir()
    return pathlib.Path(shutil.copy(build / "portres", tmp_path / "bare"))


@pytest.mark.parametrize("folder", UNSPEAKABLE)
def test_a_path_that_ld_preload_cannot_say(cli, installed, pool, folder):
    program = installed(folder)
    said = cli("run", "--tcp", "28000+1", *UNDER, program=program)
    (link,) = pool.glob("libportres-*.so")
    assert said == f"under {link}\n"
    assert link.readlink() == program.parent / "libportres.so"
    # It is made once, and anew when it leads elsewhere.
    made = link.lstat()
    assert cli("run", *UNDER, program=program) == said
    assert link.lstat().st_ino == made.st_ino
    for elsewhere in "/nowhere", "/etc/passwd", link.name:
        link.unlink()
        link.symlink_to(elsewhere)
        assert cli("run", *UNDER, program=program) == said
        assert link.readlink() == program.parent / "libportres.so"
    assert list(pool.glob("libportres*")) == [link]


def test_each_file_has_its_own_name(cli, installed, pool):
    for folder in "a b", "a c":
        cli("run", *UNDER, program=installed(folder))
    targets = sorted(link.readlink().parent.name for link in pool.glob("libportres-*"))
    assert targets == ["a b", "a c"]


def test_one_run_inside_another(cli, installed):
    program = installed("My Job")
    said = cli("run", program, "run", *UNDER, program=program)
    assert said.startswith("under /") and said.count("libportres") == 1


def test_doctor_says_the_name(build, cli_env, installed, pool):
    run = subprocess.run([installed("My Job"), "doctor"], env=cli_env, check=True,
                         capture_output=True, text=True)
    (link,) = pool.glob("libportres-*.so")
    assert f"in LD_PRELOAD it goes by {link}\n" in run.stdout
    assert f"export LD_PRELOAD={link}\n" in run.stdout
    assert "a program that preloads it is answered" in run.stdout


@pytest.fixture
def elsewhere(build, shared_pool, private):
    """elsewhere(user, prepare) -> how `run` ends for that user, whose pool a
    group shares, with a library in a folder with a blank."""
    pool, as_nobody = shared_pool
    place = pool.parent / "My Job"
    place.mkdir()
    for name in "portres", "libportres.so":
        shutil.copy(build / name, place)

    def elsewhere(user, prepare="", **variables):
        env = dict(as_nobody["env"], **variables)
        return private(user, prepare, env, place / "portres", "run", *UNDER)

    return elsewhere


def test_no_link_where_others_may_write(elsewhere):
    assert "under /run/libportres-" in elsewhere(0).stdout
    full = "mount -o remount,ro /run;"
    assert "under /dev/shm/portres-0/libportres-" in elsewhere(0, full).stdout
    his = f"{full} mkdir -m 700 /dev/shm/his; chown {NOBODY} /dev/shm/his;"
    run = elsewhere(0, his, XDG_RUNTIME_DIR="/dev/shm/his")
    assert "under /dev/shm/portres-0/libportres-" in run.stdout
    own = f"under /dev/shm/portres-{NOBODY}/libportres-"
    assert own in elsewhere(NOBODY).stdout
    mine = f"mkdir -m 700 /run/mine; chown {NOBODY} /run/mine;"
    runtime = {"XDG_RUNTIME_DIR": "/run/mine"}
    assert "under /run/mine/libportres-" in elsewhere(NOBODY, mine, **runtime).stdout
    for spoil in (
        "chmod g+w /run/mine", "chmod o+w /run/mine", "chown 1 /run/mine",
        "mv /run/mine /run/other; ln -s other /run/mine", "chmod 500 /run/mine",
        "mv /run/mine '/run/my dir'; export XDG_RUNTIME_DIR='/run/my dir'",
        "export XDG_RUNTIME_DIR=mine; cd /run",
    ):
        assert own in elsewhere(NOBODY, mine + spoil, **runtime).stdout, spoil


@pytest.mark.parametrize("taken", [
    "mkdir -m 755 {0}", "touch {0}",
    "mkdir -m 700 /run/his; chown {1} /run/his; ln -s /run/his {0}",
])
def test_a_name_that_is_taken(elsewhere, taken):
    """It can be guessed, so it may have been made by somebody else: then the link
    is where the pool is, under the next name."""
    own = f"/dev/shm/portres-{NOBODY}"
    run = elsewhere(NOBODY, taken.format(own, NOBODY))
    assert f"under {own}.1/libportres-" in run.stdout


def test_no_place_for_a_link_is_refused(elsewhere):
    """The pool's directory is one that his group may write."""
    own = f"/dev/shm/portres-{NOBODY}"
    run = elsewhere(NOBODY, f"mkdir -m 770 {own}; chown {NOBODY} {own}")
    assert (run.returncode, run.stdout) == (1, ""), run
    assert run.stderr.startswith("portres: LD_PRELOAD cannot name ")
    assert "/My Job/libportres.so, for its blank" in run.stderr
    assert "set PORTRES_LIB to a link to it" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_link_of_ones_own(cli, cli_env, installed, pool, tmp_path):
    """As that message advises."""
    program = installed("My Job")
    (tmp_path / "mine.so").symlink_to(program.parent / "libportres.so")
    env = dict(cli_env, PORTRES_LIB=f"{tmp_path}/mine.so")
    assert cli("run", *UNDER, program=program, env=env) == f"under {tmp_path}/mine.so\n"
    assert not list(pool.glob("libportres*"))


def text(library, to):
    to.write_text("no library at all\n" * 100)
    return "invalid ELF header"


def empty(library, to):
    to.write_text("")
    return "file too short"


def cut(library, to):
    """The linker is killed by what it does not find in the file."""
    to.write_bytes(library.read_bytes()[:20000])
    return "it ends the program that loads it"


def other_class(library, to):
    to.write_bytes(library.read_bytes())
    with open(to, "r+b") as file:
        file.seek(4)
        file.write(b"\x01")
    return "wrong ELF class"


def program(library, to):
    shutil.copy("/bin/sh", to)
    return "cannot dynamically load"


def needs_another(library, to):
    subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-o", "libgone.so"],
                   cwd=to.parent, check=True)
    subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-o", to, "-Wl,--no-as-needed",
                    f"-L{to.parent}", "-lgone"], check=True)
    (to.parent / "libgone.so").unlink()
    return "libgone.so: cannot open shared object file"


def ends(library, to):
    (to.parent / "ends.c").write_text(
        "#include <stdlib.h>\n__attribute__((constructor)) void end(void) { exit(0); }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", to.parent / "ends.c", "-o", to], check=True)
    return "it ends the program that loads it"


def libc(library, to):
    to.symlink_to(next(line.split()[-1] for line in open("/proc/self/maps") if "libc.so" in line))
    return "is another library"


SPOIL = [text, empty, cut, other_class, program, needs_another, ends, libc]


@pytest.mark.parametrize("spoil", SPOIL, ids=lambda f: f.__name__)
@pytest.mark.parametrize("how", ["PORTRES_LIB", "LD_PRELOAD", "beside"])
def test_a_library_that_is_none(build, cli_env, bare, spoil, how):
    library = bare.parent / "libportres.so"
    reason = spoil(build / "libportres.so", library)
    env = dict(cli_env)
    if how != "beside":
        env[how] = str(library)
    run = subprocess.run([bare, "run", "echo", "it runs"], env=env, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if how == "LD_PRELOAD" and spoil in (cut, needs_another, ends):
        # Already the command does not come to life.
        assert run.stdout == "" and (run.returncode != 0 or spoil is ends)
        return
    assert (run.returncode, run.stdout) == (1, ""), run
    said = [line for line in run.stderr.splitlines() if "ld.so" not in line]
    assert len(said) == 1 and said[0].startswith(f"portres: {library} ("), run.stderr
    assert reason in said[0] and "set PORTRES_LIB" in said[0]
    assert said[0].count(str(library)) == 1
    where = {"beside": "next to the command"}.get(how, f"{how} names it")
    assert f"({where})" in said[0]
    doctor = subprocess.run([bare, "doctor"], env=env, check=False, stdout=subprocess.PIPE,
                            text=True)
    assert doctor.stdout.count(reason) == 1 and doctor.returncode == 1


def test_no_library_at_all(cli, cli_env, bare, tmp_path):
    assert "not found, not next to the command" in cli("run", "true", program=bare, status=1)
    for none in tmp_path / "none", tmp_path:
        env = dict(cli_env, PORTRES_LIB=str(none))
        assert f"PORTRES_LIB names no file: {none}: set" in cli("run", "true", env=env, status=1)


@pytest.mark.parametrize("name", [
    "libportres-src/libfoo.so", "libportres.so.d/libfoo.so", "libportres_other.so",
    "libportres-tools.so", "myilibportres.so", "libportres.solar",
])
@pytest.mark.parametrize("how", ["by its path", "by its name"])
def test_a_preload_of_somebody_else(cli, cli_env, build, tmp_path, name, how):
    """A name like ours makes no library ours."""
    other = tmp_path / name
    other.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-o", other], check=True)
    word = str(other) if how == "by its path" else other.name
    env = dict(cli_env, LD_LIBRARY_PATH=str(other.parent),
               LD_PRELOAD=" ".join([*runtimes(build), word]))
    look = 'case "$LD_PRELOAD" in *"$1"*) grep -q "$2" /proc/self/maps && echo both;; esac'
    assert cli("run", "sh", "-c", look, "sh", word, build / "libportres.so", env=env) == "both\n"


# In a mount namespace of its own, as in a chroot in which nobody has mounted it.
NO_PROC = 'mount -t tmpfs none /proc && exec "$@"'


@pytest.fixture
def without_proc(build, cli_env, need):
    """without_proc(program, *arguments) -> how it ends."""
    need("mount")
    if sanitizer(build):
        pytest.skip("sanitizers read /proc")

    def without_proc(*command, before=(), cwd=build.parent, **variables):
        return subprocess.run(["unshare", "-m", "sh", "-c", NO_PROC, "sh", *before, *command],
                              env={**cli_env, **variables}, capture_output=True, text=True,
                              check=False, cwd=cwd, timeout=60)

    return without_proc


@pytest.mark.parametrize("relative", [False, True])
def test_without_proc(build, without_proc, relative):
    program = f"{build.name}/portres" if relative else build / "portres"
    run = without_proc(program, "run", "sh", "-c", "echo $LD_PRELOAD")
    assert (run.returncode, run.stdout, run.stderr) == (0, f"{build}/libportres.so\n", "")
    said = without_proc(program, "doctor").stdout
    assert f"{build}/libportres.so: next to the command" in said
    assert "a program that preloads it is answered" in said and "was not loaded" not in said


def test_without_proc_and_moved(bare, build, without_proc, tmp_path):
    """By then the name by which it was started leads nowhere: /proc is what is missing."""
    shutil.copy(build / "libportres.so", bare.parent)
    gone = ["sh", "-c", 'exec 9<"$1" && shift && exec python3 -c '
            '"import os, sys; os.execve(9, sys.argv[1:], os.environ)" portres "$@"', "sh"]
    run = without_proc(*gone, bare, "run", "true")
    assert run.returncode == 1, run
    assert "there is no /proc" in run.stderr and "mount /proc" in run.stderr
    library = str(bare.parent / "libportres.so")
    said = without_proc(*gone, bare, "doctor", PORTRES_LIB=library).stdout
    assert "not tried, because there is no /proc: mount it" in said
    assert "was not loaded" not in said


NO_EXEC = """
mount -t tmpfs -o noexec none "$1" && cp "$2" "$1/libportres.so" || exit 9
PORTRES_LIB=$1/libportres.so exec "$3" run echo it runs
"""


def test_where_nothing_can_be_executed(build, cli_env, tmp_path, need):
    need("mount")
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", NO_EXEC, "sh", tmp_path, build / "libportres.so",
         build / "portres"], env=cli_env, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert "failed to map segment" in run.stderr


def test_where_no_process_can_be_started(build, shared_pool):
    """A service that may be one process; the library is tried all the same."""
    pool, as_nobody = shared_pool
    shutil.copy(build / "libportres.so", pool.parent)
    (pool.parent / "text.so").write_text("")
    alone = ["bash", "-c", 'ulimit -u 1; exec "$@"', "bash", as_nobody["program"], "run"]
    as_whom = {key: as_nobody[key] for key in ("user", "group", "extra_groups")}
    look = ["/usr/bin/python3", "-c", "print('/libportres' in open('/proc/self/maps').read())"]

    def run(*command, **variables):
        return subprocess.run([*alone, *command], env={**as_nobody["env"], **variables},
                              capture_output=True, text=True, check=False, **as_whom)

    assert run(*look).stdout == "True\n"
    refused = run("echo", "it runs", PORTRES_LIB=str(pool.parent / "text.so"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "file too short" in refused.stderr


@pytest.fixture
def multiarch(cli_env, bare, tmp_path, build):
    """An environment in which the linker finds the library, and the command
    does not: /usr/lib/x86_64-linux-gnu, and /usr/bin."""
    (tmp_path / "multiarch").mkdir()
    shutil.copy(build / "libportres.so", tmp_path / "multiarch" / SONAME)
    return dict(cli_env, LD_LIBRARY_PATH=str(tmp_path / "multiarch"))


def test_found_by_the_linker(cli, bare, multiarch):
    library = f"{multiarch['LD_LIBRARY_PATH']}/{SONAME}"
    assert cli("run", *UNDER, program=bare, env=multiarch) == f"under {library}\n"
    said = cli("doctor", program=bare, env=multiarch)
    assert f"{library}: the linker finds it" in said
    assert f"export LD_PRELOAD={SONAME}\n" in said
    # As doctor said; and then it has it.
    env = dict(multiarch, LD_PRELOAD=" ".join([*runtimes(bare), SONAME]))
    assert "LD_PRELOAD has it" in cli("doctor", program=bare, env=env)
    assert cli("run", *UNDER, program=bare, env=env) == f"under {SONAME}\n"


def test_the_linkers_own_is_another_one(cli, installed, multiarch):
    """The library beside the command is not the one that the name would preload."""
    program = installed("mine")
    said = cli("doctor", program=program, env=multiarch)
    assert f"export LD_PRELOAD={program.parent}/libportres.so\n" in said
    env = dict(multiarch, LD_PRELOAD=SONAME)
    assert f"{env['LD_LIBRARY_PATH']}/{SONAME}: LD_PRELOAD names it" in cli(
        "doctor", program=program, env=env)


def test_words_of_ld_preload(cli, cli_env, installed, tmp_path):
    """By which names it may be there already."""
    installed("lib")
    program = installed("other")
    library = tmp_path / "lib" / "libportres.so"
    # $LIB differs from machine to machine.
    for lib in f"lib/{sysconfig.get_config_var('MULTIARCH')}", "lib64":
        (tmp_path / lib).mkdir()
        (tmp_path / lib / library.name).symlink_to(library)
    (tmp_path / "mine.so").symlink_to(tmp_path / "other/libportres.so")
    for before, after in [
        ("lib/libportres.so", str(library)),
        ("libm.so.6 lib/libportres.so", f"{library}:libm.so.6"),
        (f"{tmp_path}/$LIB/libportres.so", f"{tmp_path}/$LIB/libportres.so"),
        # Once, and first: by the first of its names.
        (f"libm.so.6:{library} libdl.so.2:{library}", f"{library}:libm.so.6:libdl.so.2"),
        (f"libm.so.6 {tmp_path}/$LIB/libportres.so lib/libportres.so",
         f"{tmp_path}/$LIB/libportres.so:libm.so.6"),
        # No name of ours, but the file; and ours, but nothing.
        (f"{tmp_path}/mine.so", f"{tmp_path}/mine.so"),
        ("libm.so.6", f"{program.parent}/libportres.so:libm.so.6"),
    ]:
        env = dict(cli_env, LD_PRELOAD=before)
        said = cli("run", "sh", "-c", "cd /; " + UNDER[2], program=program, env=env, cwd=tmp_path)
        assert said == f"under {after}\n", before


@pytest.mark.parametrize("before", ["{asan}", "{asan} {ours}", "{asan}:{ours}:libm.so.6"])
def test_a_sanitizers_runtime_is_before_it(cli, cli_env, build, tmp_path, before):
    """It ends the program that has any other library in front of it."""
    asan = subprocess.run(["gcc", "-print-file-name=libasan.so"], check=True,
                          capture_output=True, text=True).stdout.strip()
    if sanitizer(build) or "/" not in asan:
        pytest.skip("needs gcc's libasan, and a library without")
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    program = tmp_path / "sanitized"
    subprocess.run(["gcc", "-fsanitize=address", tmp_path / "main.c", "-o", program], check=True)
    ours = build / "libportres.so"
    env = dict(cli_env, LD_PRELOAD=before.format(asan=asan, ours=ours))
    del env["ASAN_OPTIONS"]
    assert cli("run", program, env=env) == ""
    said = cli("run", "--print", program, env=env).splitlines()[0]
    assert said == "LD_PRELOAD=" + ":".join([asan, str(ours), *before.split(":")[2:]])


def test_the_name_that_an_installation_keeps(build, cli, root, tmp_path):
    """Not the one with the version; and where only programs are installed, not
    what they are built with, the shorter one is missing."""
    env = {"PORTRES_POOL": str(tmp_path), "PATH": os.environ["PATH"], **OPTIONS}
    subprocess.run(
        ["make", "-s", "-C", root, "-o", "all", "install", f"B={build}",
         f"DESTDIR={tmp_path}", "prefix=/p"], check=True, capture_output=True)
    library, program = tmp_path / "p/lib/libportres.so", tmp_path / "p/bin/portres"
    for _ in range(2):
        assert cli("run", *UNDER, program=program, env=env) == f"under {library}.0\n"
        assert f"export LD_PRELOAD={library}.0\n" in cli("doctor", program=program, env=env)
        library.unlink(missing_ok=True)
