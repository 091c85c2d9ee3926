# SPDX-License-Identifier: MIT
"""The commands and programs of the README and the documents, as they stand there.

Each line of a block is looked for below; a new one needs a test, or a reason."""

import glob
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from checkers import sanitizer
from conftest import ROOT
from kits.plugin import PLUGIN

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), PLUGIN / "README.md"]


def blocks(path):
    """(language, text) of each."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(), re.S | re.M)


def commands(path):
    """The lines of its shell blocks, without what is said of them."""
    for language, text in blocks(path):
        if language == "sh":
            for line in text.replace("\\\n", "").splitlines():
                command = re.sub(r"(?:^|\s)#.*", "", line).strip()
                if command:
                    yield command


def inline(path):
    """Commands in the running text, with their operands."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.S | re.M)
    for span in re.findall(r"`([^`]+)`", text):
        words = span.split()
        if len(words) > 1 and re.fullmatch(r"make|portres|g\+\+|gcc|apt-get|pip|pytest|systemctl",
                                           words[0]):
            yield " ".join(words)


def the(document, pattern):
    """The one command there that is like this."""
    (found,) = {c for c in [*commands(document), *inline(document)] if re.fullmatch(pattern, c)}
    return found


# Those that run here, as they stand there.
README, SUITES = ROOT / "README.md", ROOT / "docs/test-suites.md"
A_SERVER, TESTS, WINDOWS, KEPT = list(commands(README))[:4]
FIRST = the(README, ".* first.c .*")
MULTIARCH = the(README, "make install .*libdir=.*")
BY_NAME = the(ROOT / "docs/platforms.md", "LD_PRELOAD=.*")
PLAIN_WINDOWS = the(README, r"g\+\+ -Ibuild/include .*")
DOCTOR = the(ROOT / "docs/machine-pool.md", "portres doctor")
SERVERS = [c for c in commands(ROOT / "docs/servers.md") if c.startswith("portres")]
LIVING = the(ROOT / "docs/machine-pool.md", "for n in .*")
MAPPED = the(ROOT / "docs/machine-pool.md", "for f in .*")
PLUGINS = [the(SUITES, "make && PYTHONPATH=.*"), the(PLUGIN / "README.md", "PYTHONPATH=.*")]
HERE = {A_SERVER, TESTS, WINDOWS, KEPT, FIRST, MULTIARCH, BY_NAME, PLAIN_WINDOWS,
        DOCTOR, LIVING, MAPPED, *SERVERS, *PLUGINS}

STAND_INS = ["nginx", "redis-server", "postgres", "named", "rtp-server", "server", "node-red", "make",
         "sip-server"]
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*"
echo "ports $PORTRES_PORTS"
"""


@pytest.fixture
def at_home(build, cli_env, namespace, root, tmp_path):
    """at_home(command) -> what it said, as it stands in a document: with portres
    installed, in a network that has all ports, and beside programs by the names
    that documents use, which say how they were started."""
    if sanitizer(build):
        pytest.skip("programs of others have no runtime before the library")
    env = dict(cli_env)
    stand_ins = tmp_path / "stand_ins"
    stand_ins.mkdir()
    for name in STAND_INS:
        (stand_ins / name).write_text(STAND_IN)
        (stand_ins / name).chmod(0o755)
    env["PATH"] = f"{stand_ins}:{env['PATH']}"
    if build.name != "installed":
        place = tmp_path / "installed"
        subprocess.run(["make", "-s", "-o", "all", "install-files", f"B={build}", "DESTDIR=",
                        f"prefix={place}"], cwd=root, check=True, capture_output=True,
                       env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
        env["PATH"] = f"{stand_ins}:{place}/bin:{env['PATH'].partition(':')[2]}"
        env.update(LD_LIBRARY_PATH=f"{place}/lib", PKG_CONFIG_PATH=f"{place}/lib/pkgconfig")
    env["PATH"] += ":/usr/bin:/bin:/usr/sbin"
    folder = tmp_path / "home"
    folder.mkdir()

    def words(command):
        return [*namespace, "sh", "-c", f"cd {shlex.quote(str(folder))} && {command}"]

    def at_home(command, **kw):
        run = subprocess.run(words(command), env=env, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False, timeout=120, **kw)
        assert run.returncode == 0, run.stdout
        return run.stdout

    at_home.folder, at_home.words, at_home.env = folder, words, env
    return at_home


def ports_of(said):
    return [int(word) for word in re.search(r"^ports (.*)$", said, re.M)[1].split()]


def test_the_servers_port_is_its_own(at_home, start):
    """README: the first of four."""
    server = start(at_home.words(f"exec {A_SERVER}"), at_home.env)
    at_home("until python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 8080))'"
            " 2>/dev/null; do :; done")
    assert f"by pid {server.pid} (python3)" in at_home("portres who 8080")
    # The stand-in of `make` is at home, too: under the block.
    with pytest.raises(AssertionError, match="overlap 8080"):
        at_home("portres run --tcp 8080+1 -- make test")


def test_tests_have_ports(at_home):
    said = at_home(TESTS)
    assert "make test\n" in said and len(ports_of(said)) == 3


SERVER = """
#include <winsock2.h>
#include <mstcpip.h>
#include <stdio.h>
int wmain()
{
	WSADATA data;
	INET_PORT_RANGE range = {0, 10};
	INET_PORT_RESERVATION_INSTANCE block = {};
	DWORD bytes;

	if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
		return 1;
	SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (WSAIoctl(s, SIO_ACQUIRE_PORT_RESERVATION, &range, sizeof(range), &block,
		     sizeof(block), &bytes, NULL, NULL) != 0)
		return WSAGetLastError() & 127;
	wprintf(L"%u and %d ports\\n", ntohs(block.Reservation.StartPort),
		block.Reservation.NumberOfPorts);
	return closesocket(s) | WSACleanup();
}
"""


def test_a_windows_program(at_home, has):
    if not has("pkg-config"):
        pytest.skip("no pkg-config")
    (at_home.folder / "server.cpp").write_text(SERVER)
    assert re.fullmatch(r"\d+ and 10 ports\n", at_home(WINDOWS))


def test_a_windows_program_of_this_build(at_home, build):
    (at_home.folder / "prog.cpp").write_text(SERVER)
    (at_home.folder / "build").symlink_to(build)
    said = at_home(f"{PLAIN_WINDOWS} && LD_PRELOAD=build/libportres.so ./prog")
    assert re.fullmatch(r"\d+ and 10 ports\n", said)


def test_kept_ports(at_home):
    said = at_home(KEPT)
    assert "tcp 5000-5019 is reserved" in said and "persistent" in said


def test_the_first_program(at_home):
    (text,) = [text for language, text in blocks(ROOT / "README.md") if language == "c"]
    (at_home.folder / "first.c").write_text(text)
    flags = "$(pkg-config --cflags portres)"
    line = FIRST.replace("make && ", "").replace("-Ibuild/include", flags)
    said = at_home(line.replace("build/libportres.so", "libportres.so.0"), input="\n")
    assert re.fullmatch(r"mine: \d+ and the next two\n", said)


def test_what_the_command_shows(at_home):
    """The README shows it with other numbers."""
    (text,) = [text for language, text in blocks(ROOT / "README.md") if "$ portres list" in text]
    shown = text.splitlines()
    assert [line for line in shown if line.startswith("$")] == [
        "$ portres list", "$ portres who 20001", "$ portres persistent add tcp 5000 20",
        "$ portres run --tcp 2 -- server --port {1} --admin {2}", "$ portres doctor"]
    at_home("portres persistent add tcp 5000 20")
    lines = at_home("portres run --udp 20000+3 -- sh -c 'portres list; portres who 20001'"
                    ).splitlines()
    if lines[0].endswith("  GUARD"):  # where the whole suite is guarded
        lines[:3] = [line.rpartition(" ")[0] for line in lines[:3]]
    assert lines[0].split() == shown[1].split()
    for one, other in (lines[1], shown[2]), (lines[2], shown[3]), (lines[3], shown[5]):
        one, other = (re.sub(r"\(\w+\)|redis|root|nobody|sh\b|\d+[smhd]|[\d:TZ-]{9,}|\b\d{2,}\b",
                             "_", text) for text in (one, other))
        assert one.split() == other.split()
    assert "server --port" in at_home("portres run --tcp 2 -- server --port {1} --admin {2}")
    assert "ok " in at_home(f"{DOCTOR} || [ $? = 1 ]")


def test_which_files_of_the_pool_can_go(at_home, pool, start, has, need):
    """Two namespaces have made one: of one that has ended, and of one that goes on."""
    need("make a network namespace")
    if not has("lsns") or not has("nsenter"):
        pytest.skip("needs lsns and nsenter")
    with socket.socket() as asked:
        try:
            asked.getsockopt(socket.SOL_SOCKET, 71, 8)
        except OSError:
            pytest.skip("no SO_NETNS_COOKIE")
    subprocess.run(["unshare", "-n", "sh", "-c", "portres list"], env=at_home.env, check=True,
                   capture_output=True)
    (gone,) = [file.name for file in pool.glob("pool-*")]
    hold = "import portres; held = portres.reserve(); print('held', flush=True); input()"
    env = dict(at_home.env, PYTHONPATH=str(PLUGIN))
    holder = start(["unshare", "-n", sys.executable, "-c", hold], env)
    assert holder.line() == "held"
    (there,) = {file.name for file in pool.glob("pool-*")} - {gone}
    run = subprocess.run(["sh", "-c", f"{LIVING}; echo; {MAPPED}; :".replace("/run/portres", str(pool))],
                         capture_output=True, text=True, check=True, timeout=60)
    living, mapped = run.stdout.split("\n\n")
    assert there in living.split() and gone not in living.split()
    assert mapped.split() == [there]


@pytest.mark.parametrize("command", SERVERS)
def test_servers(at_home, command):
    if "1880" in command:
        at_home("portres persistent list | grep -q 1880 || portres persistent add tcp 1880 1")
    if command == "portres persistent add tcp 1880 1":
        at_home("portres persistent delete tcp 1880 1")
    said = at_home(command)
    if " run " in command:
        ports = ports_of(said)
        assert ports and "{" not in said
        assert f"{ports[0]}" in said.partition("ports ")[0] or "nginx" in command \
            or re.search("postgres|node-red", command)
    if "--ports-file" in command:
        assert (at_home.folder / "ports").read_text().split() == [str(ports[0])]


def test_preloaded_by_name(at_home):
    assert int(at_home(f"{BY_NAME} grep -c /libportres /proc/self/maps")) > 0


def test_installed_where_libraries_have_a_directory(build, root, tmp_path):
    if build.name == "installed":
        pytest.skip("it is what is installed")
    line = f'{MULTIARCH} -s -o all B="$0" DESTDIR="$1"'
    run = subprocess.run(["sh", "-c", line, build, tmp_path], cwd=root, capture_output=True,
                         text=True, check=False, timeout=300,
                         env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
    assert run.returncode == 0, run.stderr
    (library,) = tmp_path.glob("usr/lib/*-*/libportres.so.0")
    assert library.exists() and (tmp_path / "usr/bin/portres").exists()


PYTEST = f"""#!/bin/sh
exec {shlex.quote(sys.executable)} -m pytest -p no:cacheprovider --basetemp="$HOME/pytest" "$@"
"""


@pytest.mark.parametrize("command", PLUGINS)
def test_the_plugin_from_the_sources(at_home, command):
    if "-n " in command:
        pytest.importorskip("xdist")
    at_home.env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    pytest_here = at_home.folder.parent / "stand_ins/pytest"
    pytest_here.write_text(PYTEST.replace('"$@"', '-p xdist "$@"') if "-n " in command else PYTEST)
    pytest_here.chmod(0o755)
    (at_home.folder / "integration").symlink_to(ROOT / "integration")
    (at_home.folder / "test_it.py").write_text(
        "def test_it(reserved_port):\n    assert reserved_port\n")
    said = at_home(re.sub(" PATH$", "", command) + " test_it.py")
    assert "1 passed" in said and ("make \n" in said) == command.startswith("make")


def man_page(page):
    text = (ROOT / "docs" / page).read_text()
    (found,) = re.findall(r"^\.SH EXAMPLES?\n(?:.*\n)*?\.EX\n((?:.*\n)*?)\.EE", text, re.M)
    return found.replace("\\-", "-").replace("\\en", "\\n").splitlines()


@pytest.mark.parametrize("command", man_page("portres.1"))
def test_examples_of_the_man_page(at_home, has, command):
    if "jq" in command:
        if not has("jq"):
            command = command.partition(" | ")[0]
    if "who" in command:
        command += " || [ $? = 1 ]"
    at_home(command)


def test_example_of_the_functions(at_home):
    program = ["#include <arpa/inet.h>", "#include <errno.h>", "#include <portres.h>",
               "#include <stdio.h>", "#include <sys/socket.h>", "int main(void) {",
               "int fd = socket(AF_INET, SOCK_STREAM, 0);", *man_page("portres.3"), "}"]
    (at_home.folder / "a.c").write_text("\n".join(program))
    said = at_home("gcc a.c $(pkg-config --cflags --libs portres) -o a && "
                   "LD_PRELOAD=libportres.so.0 ./a")
    assert re.fullmatch(r"mine: \d+ and the next two\n", said)


@pytest.mark.parametrize("number", [0, 1])
def test_units(at_home, number):
    """The line that systemd would start, and the variable that it would set."""
    text = [text for language, text in blocks(ROOT / "docs/servers.md") if language == "ini"][number]
    prefix = at_home.env["PATH"].split(":")[1].rpartition("/")[0]
    line = re.search(r"^(?:ExecStart|Environment)=(.*)$", text, re.M)[1]
    line = line.replace("/usr/sbin/", "").replace("/usr/local", prefix)
    if not line.startswith("LD_PRELOAD"):
        assert ports_of(at_home(line)) == [8080]
    elif "/installed" in prefix:
        assert "libportres" in at_home(f"{line} cat /proc/self/maps")


@pytest.mark.parametrize("number", [0, 1])
def test_dockerfiles(at_home, number):
    """What it copies is what is installed, and what it starts gets its port."""
    text = [text for language, text in blocks(ROOT / "docs/servers.md")
            if language == "dockerfile"][number]
    bin = at_home.env["PATH"].split(":")[1]
    copied = re.findall(r"^COPY --from=\w+ /usr/local/(\S+) /usr/local/(\S+)/$", text, re.M)
    assert len(copied) == text.count("COPY --from") == 2
    for what, to in copied:
        assert os.path.dirname(what) == to
        if what.startswith("lib/") and "LD_LIBRARY_PATH" not in at_home.env:
            continue  # a package has another directory
        assert glob.glob(os.path.join(os.path.dirname(bin), what)), what
    (words,) = re.findall(r"^ENTRYPOINT (\[.*\])$", text, re.M)
    assert "server --port 8080\n" in at_home(shlex.join(json.loads(words)))


def test_before_and_after(at_home, plugin_env, build):
    """docs/test-suites.md: what loses its port, and what does not."""
    texts = [text for language, text in blocks(ROOT / "docs/test-suites.md") if language == "python"]
    assert len(texts) == 2
    body = "".join(f"    {line}\n" for line in texts[0].splitlines())
    (at_home.folder / "test_a.py").write_text(
        f"import socket, subprocess\n\ndef test_before():\n{body}    server.wait()\n\n{texts[1]}")
    env = dict(plugin_env, PATH=at_home.env["PATH"])
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "pytest_portres", "-p",
                          "no:cacheprovider", "test_a.py"], cwd=at_home.folder, env=env,
                         capture_output=True, text=True, check=False, timeout=120)
    assert "2 passed" in run.stdout, run.stdout


# What is run elsewhere, by whom.
CI = ".ci/run, which takes it from the document"
PACKAGES = "`make check-packages`, which takes it from the document"
CHECKED = "`make check-packages`, which runs it in another place"
ELSEWHERE = {
    r"apt-get .* make (demo|check|deb)": CI,
    r"apt-get install .*\.deb|make && make install|make uninstall": PACKAGES,
    r"groupadd -fr portres .*|usermod .*": PACKAGES,
    r"make install(check)?": CHECKED,
    r"make bench-peers": "test_bench_peers.py::test_all_rows",
    r"make CC=musl-gcc": "test_musl.py::test_the_library_of_the_other_libc",
    r"portres guard on": "test_cli_guard.py::test_it_comes_and_goes",
    r"wineserver -k|LD_PRELOAD=.* wine program\.exe":
        "test_wine.py::test_a_preloaded_wineserver_refuses",
    r"portres run .* wine server\.exe": "test_wine.py::test_run_gives_it_ports",
    r"(make install && )?pip install .*": "test_plugin_install.py::test_in_a_virtual_environment",
    r"portres run --tcp 3 -- go .*": "test_suites.py::test_go",
    r"portres run --tcp 3 -- cargo .*": "test_suites.py::test_cargo",
    r"portres run --tcp 3 -- node .*": "test_suites.py::test_node",
    r"portres run --tcp 3 -- java .*": "test_suites.py::test_junit",
}

# What cannot be run here, and why.
CANNOT = {
    r"systemctl .*": "there is no systemd: what the unit runs is in test_install.py",
    r"install -d -m 2775 .*": "it is about a group of the machine: test_cli_store.py has the modes",
    r"docker run .*": "there is no docker",
    r"make bench": "a quarter of an hour on a machine that does nothing else: by hand",
    r"mmdebstrap .*|ln -s mawk .*|mkdir -p arm/src .*|cp -a arm/.*|lib=.*|cd arm/src .*|ROOT=.*|sed 's#.*":
        "an hour under emulation, and an archive of another processor's packages: by hand",
}


def untested(shown):
    """Those of these commands of which nobody says who runs them."""
    return [command for command in shown if command not in HERE and not
            any(re.fullmatch(pattern, command) for pattern in {**ELSEWHERE, **CANNOT})]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_has_its_test(document):
    assert untested(commands(document)) == []


def test_every_command_in_running_text_has_its_test():
    assert len(list(inline(README))) > 5
    assert untested(inline(README)) == []


@pytest.mark.parametrize("command", [
    "portres doctor --fly", "doctor", "portres run --tcp 3 -- make", "portres who 8080",
    "make && make", "portres run --tcp 2 -- go test ./...", "portres run --tcp 3 -- wine a.exe"])
def test_a_command_that_no_test_runs(command):
    assert untested([command]) == [command]


def test_every_way_is_a_commands():
    shown = [c for document in DOCUMENTS for c in [*commands(document), *inline(document)]]
    for pattern in {**ELSEWHERE, **CANNOT}:
        assert any(re.fullmatch(pattern, command) for command in shown), pattern


def test_what_is_run_elsewhere_is_there():
    for where in ELSEWHERE.values():
        for file, name in re.findall(r"(test_\w+\.py)::(\w+)", where):
            assert f"def {name}(" in (ROOT / "integration" / file).read_text(), where


def test_what_is_taken_from_a_document_is_found_there():
    """By the scripts that run it, each line once; and the demonstration before what
    installs more than it wants."""
    inside = (ROOT / "integration/packages-inside.sh").read_text()
    ci = (ROOT / ".ci/run").read_text()
    first, *_ = ci_takes = re.findall(r"grep -E '(.*)' (README\.md)", ci)
    found = {CI: [], PACKAGES: []}
    for where, takes in (CI, ci_takes), (PACKAGES, [
            (pattern, name) for name, pattern in re.findall(r"as_it_stands (\S+) '(.*)'", inside)]):
        for pattern, name in takes:
            (command,) = [c for c in commands(ROOT / name) if re.search(pattern, c)]
            found[where].append(command)
    assert found[CI][0].endswith("make demo") and ci.index(first[0]) < ci.index("make check")
    for pattern, where in ELSEWHERE.items():
        for command in [c for document in DOCUMENTS for c in commands(document)]:
            if where in found and re.fullmatch(pattern, command):
                assert command in found[where], (command, where)


# By language: who runs the blocks that are no commands.
OTHERS = {
    "README.md": {"c": 1, "": 2},  # the first program; the command's answers, and a picture
    "servers.md": {"ini": 2, "dockerfile": 2},  # test_units, test_dockerfiles
    "test-suites.md": {"python": 2, "go": 1, "rust": 1, "js": 1, "java": 1, "bash": 1},
    "plugin": {"python": 5, "py": 1},  # test_plugin_readme.py: the recipes, and the launcher
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_other_block_has_its_test(document):
    name = "plugin" if document.parent == PLUGIN else document.name
    count = {}
    for language, _ in blocks(document):
        if language != "sh":
            count[language] = count.get(language, 0) + 1
    assert count == OTHERS.get(name, {}), document


def test_the_picture_is_what_is_printed(build, namespace):
    """docs/terminal.svg is of this version: else make it anew, by
    docs/terminal.py."""
    if sanitizer(build):
        pytest.skip("programs of others have no runtime before the library")
    run = subprocess.run([*namespace, sys.executable, ROOT / "docs/terminal.py", build],
                         capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout == (ROOT / "docs/terminal.svg").read_text()
    xml.etree.ElementTree.fromstring(run.stdout)


def test_links():
    for document in DOCUMENTS:
        for name in re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", document.read_text()):
            assert (document.parent / name).exists(), f"{document}: {name}"
