# SPDX-License-Identifier: MIT
"""What the library exports and imports, and that no name of libc's that could
matter was overlooked."""

import fnmatch
import re
import subprocess

import pytest

from checkers import sanitizer

# close_range and closefrom came with it.
OLDEST_GLIBC = (2, 34)

# Names of libc's that are about sockets and descriptors.
CONCERNS = re.compile(
    "accept|bind|clone|close|connect|dup|fcntl|fork|ioctl|listen|resv|send|socket"
    "|spawn|syscall",
    re.I,
)

# Why we stand in front of none of them. A name of a newer libc that is neither
# hooked nor here fails the test: then somebody has to think.
NOT_HOOKED = {
    "a lease follows its socket whoever duplicates, hands on or closes it": """
        dup fork __fork _Fork vfork __vfork forkpty clone __clone
        posix_spawn* pidfd_spawn* pclose _IO_proc_close
        fclose fcloseall _IO_fclose _IO_file_close* closelog
    """,
    "may be SYS_vfork, which leaves a frame twice; raw closes are healed": "syscall",
    "only a socket with a peer, which has a port": "send __send sendfile sendfile64",
    "takes the listener's port": "accept accept4",
    "binds inside libc: docs/limits.md": "rresvport rresvport_af",
    "the resolver's own sockets": "__res_nclose __res_*send res_*send",
    "registers; we do so ourselves": "__register_atfork pthread_atfork",
    "local sockets": "socketpair",
    "nothing to do with sockets": """
        *bind*textdomain* catclose closedir dlclose *duplocale fts*_close
        iconv_close mq_close mq_*send pidfd_send_signal sem_close *strdup *strndup
        svc_sendreply tcsendbreak wcsdup xdr_accepted_reply
    """,
}


def hooked(root):
    text = (root / "shim/hooks.def").read_text()
    hooks = re.findall(r"^HOOK(?:_ANY)?\(\w+, (\w+),", text, re.M)
    aliases = re.findall(r"^ALIAS\((\w+), \w+\)", text, re.M)
    assert len(hooks) > 10 and len(aliases) > 3
    return {*hooks, *aliases}


@pytest.fixture(scope="session")
def hooks(root):
    return hooked(root)


def output(*command):
    return subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="session")
def libc():
    """(address, name, version) of each function that libc offers to programs."""
    file = output("gcc", "-print-file-name=libc.so.6").strip()
    lines = output("nm", "-D", "--defined-only", "--with-symbol-versions", file)
    symbols = re.findall(r"^(\w+) [TWi] (\w+)@+(\S+)$", lines, re.M)
    assert len(symbols) > 1000
    return [s for s in symbols if s[2] != "GLIBC_PRIVATE"]


def needs(*files):
    """The symbols that these files want from elsewhere, without versions."""
    dynamic = ["-D"] if files[0].suffix == ".so" else []
    lines = output("nm", *dynamic, *files)
    symbols = re.findall(r"^[ 0-9a-f]{16} (\w) ([^@\n]+)", lines, re.M)
    defined = {name for kind, name in symbols if kind not in "Uw"}
    return {name for kind, name in symbols if kind in "Uw"} - defined


def reason(name):
    return [
        why for why, names in NOT_HOOKED.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in names.split())
    ]


def test_every_name_of_libcs_is_hooked_or_has_a_reason(libc, hooks):
    names = {name for _, name, _ in libc if CONCERNS.search(name)}
    assert hooks <= names, "hooked, and not there"
    told = {name: len(reason(name)) + (name in hooks) for name in names}
    assert [name for name, times in sorted(told.items()) if times != 1] == []


def test_every_other_name_of_a_hook_is_hooked(libc, hooks):
    """__close is close; a program may have either."""
    at = {address for address, name, _ in libc if name in hooks}
    assert {name for address, name, _ in libc if address in at} == hooks


def test_no_hook_has_two_versions(libc, hooks):
    """dlsym would find the newest, and an old program expects another."""
    names = [name for _, name, _ in libc if name in hooks]
    assert sorted(names) == sorted(hooks)


def test_nothing_of_ours_comes_back_through_our_hooks(build, hooks):
    """A call of close() in here would be answered by our own."""
    relocations = output("readelf", "-rW", build / "libportres.so")
    assert "secure_getenv" in relocations
    assert hooks & set(re.findall(r"\b(\w+)@?", relocations)) == set()
    assert needs(*(build / "obj/core").glob("*/*.o")) & hooks == set()


def test_hooks_are_defined_in_their_files_only(build, hooks):
    for file in (build / "obj").glob("**/*.o"):
        if "cli" in file.parts or file.name.startswith("hook_"):
            continue
        defined = output("nm", "-g", "--defined-only", file).split()
        assert hooks & set(defined) == set(), file


def test_no_member_of_the_archive_lacks_anything(build, libc):
    """Their names are weak: what is missing would be a call of nothing, and not an
    error of the linker. (The compiler's own names begin with underscores; wmain
    is the program's, and three are not functions.)"""
    archive = build / "lib/libportres_winsock.a"
    wanted = needs(archive) - defined_globally(build, archive) - {name for _, name, _ in libc}
    assert {name for name in wanted if not name.startswith("_")} == {
        "wmain", "stdin", "stdout", "stderr"}


def defined_globally(build, archive):
    """In the library, or for other members of the archive."""
    lines = output("nm", "-g", "--defined-only", archive, build / "libportres.so")
    return set(re.findall(r"^[0-9a-f]{16} \w ([^@\n]+)", lines, re.M))


def plain(build):
    if sanitizer(build):
        pytest.skip("sanitizers have needs of their own")
    return build / "libportres.so"


def test_what_it_needs_of_libc(build):
    wanted = needs(plain(build))
    assert "secure_getenv" in wanted
    # Environment of privileged programs; a block of TLS that is allocated in
    # bind(); ends of the program; handlers at its end, when others still close.
    forbidden = "getenv __tls_get_addr exit _exit abort atexit on_exit __cxa_atexit"
    assert wanted & set(forbidden.split()) == set()


def test_core_needs_nothing_that_others_stand_in_front_of(build):
    """No clock, no malloc, no stdio: memory's functions, and the kernel's."""
    plain(build)
    wanted = needs(*(build / "obj/core").glob("*/*.o"))
    memory = {name for name in wanted if re.match("(mem|str)[a-z]+$", name)}
    allowed = {"__errno_location", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail", "syscall"}
    assert memory and wanted - memory <= allowed


def test_hooks_ask_no_clock_of_libcs(build):
    """libfaketime lets it stand still."""
    objects = list((build / "obj/shim").glob("*.o"))
    assert len(objects) > 10
    assert needs(*objects) & {"clock_gettime", "gettimeofday", "time"} == set()


def nodes(build):
    """(name, node) of each exported function; "" where it has no version."""
    lines = output("nm", "-D", "--defined-only", "--with-symbol-versions",
                   build / "libportres.so")
    # The nodes themselves are absolute.
    found = re.findall(r"^\w+ [TWi] (\w+)(?:@@(\S+))?$", lines, re.M)
    assert len(found) == len(lines.splitlines()) - len(re.findall(r" A ", lines))
    return set(found)


def exported(build):
    return {name for name, _ in nodes(build)}


def test_it_exports_libcs_names_and_portres_alone(build, hooks):
    """Any other name could be one of the program's own."""
    names = exported(build)
    assert hooks <= names and len(names) <= 45
    assert {name for name in names - hooks if not name.startswith("portres_")} == set()


def test_it_exports_what_the_header_declares(build, hooks, root):
    text = (root / "include/portres.h").read_text()
    declared = re.findall(r"^PORTRES_API int (\w+)\(", text, re.M)
    assert sorted(declared) == sorted(exported(build) - hooks)


RELEASED = re.compile(r"^ ([\w.]+)@([\w.]+) (\d+\.\d+)\.\d+$", re.M)


def released(root):
    """(name, node, the minor version that had it first), as Debian keeps the list."""
    text = (root / "debian/libportres0.symbols").read_text()
    found = RELEASED.findall(text)
    assert len(found) == text.count("\n ") > 8
    return found


def test_what_was_released_is_there_under_its_node(build, root):
    """Programs that were linked with it ask for both; all others ask for libc's
    names, which must have no version."""
    ours = {(name, node) for name, node in nodes(build) if node}
    names = {name for name, _ in ours}
    assert names == exported(build) - hooked(root)
    libcs = {(name, "Base") for name in hooked(root)}
    was = {(name, node) for name, node, _ in released(root)}
    assert was == ours | libcs | {(node, node) for _, node in ours}


def test_a_node_has_the_names_of_one_version(root):
    """A name that came later is in a node of its own: a program that needs it is
    then refused by an older library at its start, not at its first call."""
    for name, node, since in released(root):
        if node != "Base":
            assert node == f"PORTRES_{since}", f"{name} came with {since}: a node of its own"
    since = {minor for *_, minor in released(root)}
    have = tuple(map(int, (root / "VERSION").read_text().split(".")[:2]))
    assert max(tuple(map(int, minor.split("."))) for minor in since) <= have


def test_the_names_of_1_0(root):
    """They are released: this list is never changed."""
    assert sorted(name for name, node, _ in released(root) if node == "PORTRES_1.0") == [
        "PORTRES_1.0", "portres_acquire", "portres_acquire_both", "portres_associate",
        "portres_persistent_create", "portres_persistent_delete", "portres_persistent_find",
        "portres_refusal", "portres_release"]


def test_how_large_its_text_is(build):
    sizes = output("size", "-A", plain(build))
    (text,) = re.findall(r"^\.text +(\d+)", sizes, re.M)
    assert int(text) <= 95 * 1024


def test_winsock_stands_on_the_native_api_alone(build, root):
    """Neither our own insides nor what nobody has declared."""
    plain(build)
    for file in (root / "winsock").glob("**/*.[ch]"):
        assert not re.search(r'#include "(core|shim)/', file.read_text()), file
    wanted = needs(build / "obj/winsock.o")
    ours = {name for name in wanted if name.startswith("portres_")}
    # Windows has no request for both protocols.
    assert ours | {"portres_acquire_both"} == exported(build) - hooked(root)


def test_no_unit_of_winsock_stands_on_itself(root):
    """A unit is a .c with its .h."""
    units = {}
    for file in (root / "winsock").glob("**/*.[ch]"):
        used = re.findall(r'^#include "(winsock/[\w/]+)\.h"$', file.read_text(), re.M)
        units.setdefault(str(file.relative_to(root))[:-2], set()).update(used)
    units = {unit: used - {unit} for unit, used in units.items()}
    assert len(units) > 10
    while units:
        lowest = {unit for unit, used in units.items() if not used & units.keys()}
        assert lowest, f"a circle: {units}"
        for unit in lowest:
            del units[unit]


def test_what_the_archive_defines(build, root):
    """Names of Windows', as the headers declare them, and main for wmain. All
    others stay inside, where no name of the program's can meet them."""
    text = "".join(file.read_text() for file in (root / "include").glob("*.h"))
    lines = output("nm", "-g", "--defined-only", build / "lib/libportres_winsock.a")
    names = set(re.findall(r"^\w{16} [TVW] (\w+)$", lines, re.M))
    assert {"WSAIoctl", "portres_bind", "portres_wprintf", "_wtoi"} <= names
    unknown = {name for name in names - {"main"}
               if not re.search(rf"\b{re.sub('^portres_', '(portres_)?', name)}\b", text)}
    assert unknown == set()


def test_the_oldest_glibc_that_loads_it(build):
    text = output("objdump", "-T", plain(build))
    found = re.findall(r"GLIBC_([\d.]+)", text)
    versions = {tuple(map(int, version.split("."))) for version in found}
    assert (2, 2, 5) in versions and max(versions) <= OLDEST_GLIBC


def test_the_command_needs_libc_alone(build):
    """With what it loads into the kernel: no libbpf where it is installed."""
    plain(build)
    text = output("readelf", "-dW", build / "portres")
    assert re.findall(r"NEEDED.*\[(.*)\]", text) == ["libc.so.6"]


def test_how_it_is_linked(build):
    text = output("readelf", "-dW", plain(build))
    # All names are looked up at once, so never inside a hook; the code stays
    # for fork handlers; libc and nothing else.
    assert "BIND_NOW" in text and "NODELETE" in text
    assert re.findall(r"NEEDED.*\[(.*)\]", text) == ["libc.so.6"]
    # One destructor, gcc's own, which has nothing to do.
    assert re.search(r"FINI_ARRAYSZ\) +8 ", text)


def test_nothing_of_winsock_is_preloaded(build):
    """However wide Winsock becomes, other programs have none of it: no function of
    the archive's is in the library, shown or hidden."""
    archive = build / "lib/libportres_winsock.a"
    lines = output("nm", "--defined-only", build / "libportres.so")
    preloaded = set(re.findall(r"^\S+ \w (\S+)$", lines, re.M))
    lines = output("nm", "-g", "--defined-only", archive)
    winsock = set(re.findall(r"^\S+ \w (\S+)$", lines, re.M))
    assert {"WSASend", "portres_CreateThread", "portres_bind"} <= winsock
    assert {"bind", "portres_acquire"} <= preloaded
    assert not preloaded & winsock
