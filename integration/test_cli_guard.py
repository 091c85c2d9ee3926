# SPDX-License-Identifier: MIT
"""portres guard: on, off, status, and what stands in its way."""

import os
import subprocess
import time
from errno import EADDRINUSE

import pytest

from kits.guard import kernel_lacks
from kits.playing import Remote, attempt, refused

PINS = "/sys/fs/bpf/portres"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def test_it_comes_and_goes(arena):
    assert arena.status() is None
    without = arena.portres("guard", "status")
    assert arena.on() == f"{arena.cgroup} is guarded\n"
    assert arena.status() == {
        "cgroup": str(arena.cgroup), "attached": True, "current": True, "blocks": 0,
        "persistent": 0, "ports": 0, "namespaces": 0, "refused": 0, "quota": 16384, "area": 0}
    assert arena.off() == f"{arena.cgroup} is no longer guarded\n"
    assert arena.status() is None
    if without == "there is no guard\n":
        assert arena.portres("guard", "status") == without


def test_status_counts(guarded):
    owner, other = guarded.player(), guarded.player()
    owner.tcp().guarded(5000, 3)
    owner.udp().guarded(5000, 4)
    for _ in range(5):
        with refused(EADDRINUSE):
            other.tcp().bind(5000)
    status = guarded.status()
    assert (status["blocks"], status["ports"], status["namespaces"]) == (2, 7, 1)
    assert status["refused"] == 5
    said = guarded.portres("guard", "status")
    assert said.startswith(f"{guarded.cgroup}: guarded\n")
    assert "blocks      2, of which persistent 0; 7 ports in 1 namespace\n" in said


def test_twice(guarded):
    assert "is guarded already" in guarded.on(status=1)
    assert guarded.status()["attached"]


def test_again(guarded):
    """As the unit says it: no error, whether it was on or not."""
    guarded.on("--again")
    guarded.off()
    guarded.on("--again")
    assert guarded.status()["attached"]


def test_off_twice(guarded):
    guarded.off()
    assert "is not guarded" in guarded.off(status=1)
    guarded.on()


def test_off_while_blocks_live(guarded):
    owner, other = guarded.player(), guarded.player()
    owner.tcp().guarded(5000, 3)
    assert "has 1 block that every program could bind in then" in guarded.off(status=1)
    with refused(EADDRINUSE):
        other.tcp().bind(5000)
    guarded.off("--force")
    assert other.tcp().bind(5000) == 5000


def test_a_cgroup_that_is_gone(guarded):
    """Its guard goes with it, and what is pinned can be taken away."""
    below = guarded.cgroup / "below"
    below.mkdir()
    guarded.portres("guard", "on", "--cgroup", below)
    below.rmdir()
    deadline = time.monotonic() + 20  # the kernel does it later
    while f"{below}: was guarded, and is gone\n" not in guarded.portres("guard", "status"):
        assert time.monotonic() < deadline


def test_a_cgroup_that_is_gone_is_let_go(guarded):
    """By its path, or by the next on or off of another; with its area."""
    for words in (["off", "--cgroup", guarded.cgroup / "below"],
                  ["on", "--again", "--cgroup", guarded.cgroup]):
        below = guarded.cgroup / "below"
        below.mkdir()
        guarded.portres("guard", "on", "--cgroup", below, "--area", "40000-40010")
        below.rmdir()
        deadline = time.monotonic() + 20  # the kernel does it later
        while "is gone\n" not in guarded.portres("guard", "status"):
            assert time.monotonic() < deadline
        said = guarded.portres("guard", *words)
        assert words[0] == "on" or said == f"{below} is no longer guarded\n"
        assert "is gone" not in guarded.portres("guard", "status")
        assert reserved(guarded) == ""


def gone_but_for_a_socket(guarded):
    """A cgroup with a guard, and the socket."""
    below = guarded.cgroup / "below"
    below.mkdir()
    guarded.portres("guard", "on", "--cgroup", below, "--area", "40000-40010")
    owner = guarded.player(prefix=guarded.within(below))
    sock = owner.tcp()
    (guarded.cgroup / "cgroup.procs").write_text(str(owner.pid))
    below.rmdir()
    return below, sock


def test_a_cgroup_that_is_gone_but_for_its_sockets(guarded):
    """They are guarded as before, and it is let go by its path."""
    below, sock = gone_but_for_a_socket(guarded)
    sock.guarded(5000, 3)
    off = "guard", "off", "--cgroup", below
    assert f"{below} has 1 block that" in guarded.portres(*off, status=1)
    sock.guard("release", 7, 5000, 3)
    assert guarded.portres(*off) == f"{below} is no longer guarded\n"
    assert reserved(guarded) == ""


def test_a_cgroup_that_is_gone_but_for_its_sockets_and_was_made_again(guarded):
    """As that of a service which is started again."""
    below, sock = gone_but_for_a_socket(guarded)
    below.mkdir()
    off = "guard", "off", "--cgroup", below
    assert guarded.portres(*off) == f"{below} is no longer guarded\n"
    assert reserved(guarded) == ""
    assert "is not guarded" in guarded.portres(*off, status=1)
    sock.close()


RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports"


def reserved(arena, write=None, prefix=None):
    """That of the arena's network namespace."""
    command = ["cat", RESERVED] if write is None else ["sh", "-c", f"echo {write} >{RESERVED}"]
    return subprocess.run([*(prefix or arena.outside), *command], check=True,
                          capture_output=True, text=True).stdout.strip()


def test_an_area_of_another_network_namespace(guarded, start):
    """Neither taken nor given back there: its list is another, and its
    administrator's."""
    guarded.on("--area", "40000-40010")
    holder = start(["unshare", "-n", "sleep", "1000"], guarded.env)
    here = os.stat("/proc/self/ns/net").st_ino
    deadline = time.monotonic() + 20
    while os.stat(f"/proc/{holder.pid}/ns/net").st_ino == here:
        assert time.monotonic() < deadline
    there = [*guarded.outside, "nsenter", f"--net=/proc/{holder.pid}/ns/net"]
    elsewhere = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
    reserved(guarded, "40000-40005", there)
    said = guarded.off(status=1, prefix=elsewhere)
    assert "is another network namespace's" in said
    said = guarded.on("--area", "40000-40020", status=1, prefix=elsewhere)
    assert "from another network namespace" in said
    assert guarded.status()["attached"]
    guarded.off("--force", prefix=elsewhere)
    assert reserved(guarded, prefix=there) == "40000-40005"
    assert reserved(guarded) == "40000-40010"


def test_areas_that_overlap(guarded):
    """Each guard's is kept until it is off, and what was kept before for good."""
    reserved(guarded, "40007")
    below = guarded.cgroup / "below"
    below.mkdir()
    for first, second in (guarded.cgroup, below), (below, guarded.cgroup):
        guarded.on("--again", "--area", "40000-40010")
        guarded.portres("guard", "on", "--cgroup", below, "--area", "40005-40015")
        guarded.portres("guard", "off", "--cgroup", first)
        assert reserved(guarded) == ("40005-40015" if first != below else "40000-40010")
        guarded.portres("guard", "off", "--cgroup", second)
        assert reserved(guarded) == "40007"


def test_an_area_that_somebody_has_taken_from_the_list(guarded):
    """By a `sysctl --system`, or an off that was killed: the next on keeps it anew."""
    guarded.on("--area", "40000-40010")
    reserved(guarded, "40005,45000")
    assert "is guarded by the same programs" in guarded.on()
    assert reserved(guarded) == "40000-40010,45000"
    assert "is guarded already" in guarded.on(status=1)
    guarded.off()
    assert reserved(guarded) == "45000"


KILLED = ["strace", "-f", "-o", "/dev/null"]


def killed(arena, verb, calls, when, *more):
    """The command, killed at its call number `when` of these."""
    run = subprocess.run(
        [*arena.outside, *KILLED, "-e", f"trace={calls}", "-e",
         f"inject={calls}:signal=KILL:when={when}", *more, arena.build / "portres", "guard", verb,
         "--cgroup", arena.cgroup], env=arena.env, check=False, capture_output=True)
    return run.returncode != 0


def test_an_area_of_an_on_that_was_killed(guarded, has):
    """Between the list and its notes; off gives back all."""
    if not has("strace"):
        pytest.skip("no strace")
    reserved(guarded, "40000-40003")
    run = subprocess.run(
        [*guarded.outside, *KILLED, "-e", "trace=close", "-P", RESERVED, "-e",
         "inject=close:signal=KILL:when=2", guarded.build / "portres", "guard", "on", "--cgroup",
         guarded.cgroup, "--area", "40000-40010"], env=guarded.env, check=False)
    assert run.returncode != 0 and reserved(guarded) == "40000-40010"
    guarded.off()
    assert reserved(guarded) == "40000-40003"


def attached(arena):
    """The programs of ours that the kernel has on that cgroup."""
    said = subprocess.run([*arena.outside, "bpftool", "cgroup", "show", arena.cgroup], check=True,
                          capture_output=True, text=True).stdout
    return said.count("guard_")


@pytest.mark.parametrize("calls,when", [("rename", 1), ("bpf", 14), ("bpf", 22)])
def test_an_on_that_was_killed(arena, has, calls, when):
    """Before it had its name: the next on or off takes it away whole."""
    if not has("strace"):
        pytest.skip("no strace")
    for verb in "off", "on":
        assert killed(arena, "on", calls, when)
        assert arena.status() is None
        assert calls == "bpf" or attached(arena) == 6
        if verb == "off":
            assert "is not guarded" in arena.off(status=1)
            assert attached(arena) == 0
            continue
        arena.on()
        assert attached(arena) == 6
        arena.off()
        assert attached(arena) == 0


@pytest.mark.parametrize("when", [1, 4, 12, 14])
def test_an_off_that_was_killed_while_it_removed(arena, has, when):
    if not has("strace"):
        pytest.skip("no strace")
    for verb in "on", "off":
        arena.on("--area", "40000-40010")
        assert killed(arena, "off", "unlink", when) and attached(arena) == 0
        if verb == "on":
            arena.on()
            assert attached(arena) == 6
            arena.off()
        else:
            assert "is not guarded" in arena.off(status=1)
        assert arena.status() is None and reserved(arena) == ""


def test_two_at_a_time(arena):
    """One puts it there or takes it away, the other finds it so."""
    program = [*arena.outside, arena.build / "portres", "guard"]
    for verb, there in ("on", 6), ("off", 0):
        both = [subprocess.Popen([*program, verb, "--cgroup", arena.cgroup], env=arena.env,
                                 stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                for _ in range(2)]
        said = [one.communicate() for one in both]
        assert sorted(one.returncode for one in both) == [0, 1], said
        assert any("guarded" in err for _, err in said), said
        assert attached(arena) == there


def test_a_place_that_is_not_roots(arena):
    """Anybody makes directories in a bpf file system that has no mode."""
    user = arena.user(*NOBODY)
    user.os.mkdir(PINS)
    assert f"{PINS} is not root's alone" in arena.on(status=1)
    for verb in "off", "status":
        assert "is not root's alone" in arena.portres("guard", verb, "--cgroup", arena.cgroup,
                                                      status=1)
    assert attached(arena) == 0
    user.os.rmdir(PINS)
    arena.on()


def test_an_off_that_was_killed(guarded):
    """What it has left guards nothing, and hinders no other."""
    pin = f"{PINS}/{os.stat(guarded.cgroup).st_ino}/link_setsockopt"
    subprocess.run([*guarded.outside, "bpftool", "link", "detach", "pinned", pin], check=True)
    assert not guarded.status()["attached"]
    guarded.on()
    assert guarded.status()["attached"]
    owner, other = guarded.player(), guarded.player()
    owner.tcp().guarded(5000, 3)
    with refused(EADDRINUSE):
        other.tcp().bind(5000)


@pytest.mark.parametrize("words,said", [
    ([], "say on, off or status"),
    (["up"], "no 'up': say on, off or status"),
    (["on", "off"], "one operand too many: off"),
    (["on", "--area", "5"], "no area '5': say LOW-HIGH"),
    (["on", "--area", "9-5"], "no area '9-5'"),
    (["on", "--area", "0-5"], "no area '0-5'"),
    (["on", "--area", "5-6,7-8"], "no area '5-6,7-8'"),
    (["on", "--quota", "0"], "no quota '0'"),
    (["on", "--quota", "x"], "no quota 'x'"),
    (["on", "--quota", "131073"], "no quota '131073'"),
    (["on", "--quota"], "--quota wants a value"),
    (["on", "--force"], "--force goes with off"),
    (["off", "--area", "5-6"], "--again, --area and --quota go with on"),
    (["status", "--quota", "5"], "--again, --area and --quota go with on"),
    (["on", "--json"], "--json goes with status"),
    (["on", "--now"], "guard does not know the option --now"),
])
def test_command_lines_that_make_no_sense(cli, tmp_path, words, said):
    """The cgroup is none, so that no mistake puts a guard over the machine."""
    assert said in cli("guard", "--cgroup", tmp_path / "none", *words, status=2)


def test_not_a_cgroup(arena, tmp_path):
    assert "is no cgroup of version 2" in arena.portres("guard", "on", "--cgroup", tmp_path,
                                                        status=1)
    assert "no cgroup" in arena.portres("guard", "on", "--cgroup", arena.cgroup / "x", status=1)
    for verb in "on", "off", "status":
        said = arena.portres("guard", verb, "--cgroup", arena.cgroup / "cgroup.procs", status=1)
        assert "is no cgroup of version 2" in said


@pytest.mark.parametrize("verb", ["on", "off", "status"])
def test_not_for_others(guarded, verb, need):
    """Neither users nor the root of a user namespace; nothing is changed."""
    need("make a user namespace")
    program = guarded.build
    guarded.build = guarded.scripts
    words = ["guard", verb, "--cgroup", guarded.cgroup]
    for prefix in NOBODY, [*NOBODY, "unshare", "-r"]:
        said = guarded.portres(*words, status=1, prefix=prefix)
        assert "root" in said or "is not guarded" in said, said
    guarded.build = program
    assert guarded.status()["attached"]


def test_nobody_else_can_take_it_away(guarded, need):
    """An ordinary user and the root of a user namespace: the pins are not theirs,
    and the kernel gives them no link."""
    need("make a user namespace")
    pin = f"{PINS}/{os.stat(guarded.cgroup).st_ino}/link_setsockopt"
    for prefix in NOBODY, [*NOBODY, "unshare", "-r"]:
        for command in (["rm", pin], ["bpftool", "link", "detach", "pinned", pin],
                        ["mount", "-t", "tmpfs", "none", PINS]):
            run = subprocess.run([*guarded.outside, *prefix, *command], capture_output=True,
                                 check=False)
            assert run.returncode != 0, command
    owner, other = guarded.player(), guarded.player()
    owner.tcp().guarded(5000, 3)
    assert attempt(other.tcp().bind, 5000) == "EADDRINUSE"


CONFIDENTIAL = ("mount -t tmpfs none /sys/kernel/security && "
                "echo 'none integrity [confidentiality]' >/sys/kernel/security/lockdown && "
                "exec setpriv --bounding-set=-sys_admin,-bpf,-perfmon ")


@pytest.mark.parametrize("prepare,said", [
    # No cgroup is named: without the first command this would be the machine's.
    ("umount -a -t cgroup2 && ! grep -q cgroup2 /proc/mounts && exec env -u CGROUP",
     "no cgroups of version 2"),
    (CONFIDENTIAL, "the kernel is locked down"),
], ids=["cgroup v1 only", "lockdown"])
def test_what_a_kernel_may_lack(arena, prepare, said):
    """One clear line, and nothing half attached."""
    words = ["guard", "on"]
    if "cgroup2" not in prepare:
        words += ["--cgroup", str(arena.cgroup)]
    run = subprocess.run(
        [*arena.outside, "unshare", "-m", "sh", "-c", f'{prepare} "$@"', "sh",
         arena.build / "portres", *words], env=arena.env, capture_output=True, text=True,
        check=False)
    assert (run.returncode, run.stdout) == (1, ""), run
    assert said in run.stderr and run.stderr.count("\n") == 1
    assert arena.status() is None


def refusing(error, when):
    """A kernel that answers the command's bpf call number `when` with that error."""
    return ["strace", "-f", "-o", "/dev/null", "-e", "trace=bpf", "-e",
            f"inject=bpf:error={error}:when={when}"]


def nothing_is_there(arena):
    pins = subprocess.run([*arena.outside, "find", PINS, "-mindepth", "1"], check=True,
                          capture_output=True, text=True)
    return pins.stdout == "" and attached(arena) == 0


def test_a_kernel_that_is_too_old(bare_arena, has):
    """Said so, although before Linux 5.11 the first map is refused as if root had no
    right: more memory would be locked than its limit has."""
    if not has("strace"):
        pytest.skip("no strace")
    said = bare_arena.on(status=1, prefix=[] if kernel_lacks() else refusing("EPERM", 1))
    assert f"the kernel {os.uname().release} does not take the guard's programs" in said
    assert nothing_is_there(bare_arena)


# To make the loader's map, to load it, to run it; for the first and the last program
# to attach it; for the first and the last of all to pin it.
@pytest.mark.parametrize("when", [1, 3, 4, 6, 11, 12, 25])
def test_a_kernel_that_refuses_a_part(arena, has, when):
    if not has("strace"):
        pytest.skip("no strace")
    assert "does not take the guard's programs" in arena.on(status=1,
                                                            prefix=refusing("EINVAL", when))
    assert nothing_is_there(arena)


def test_made_without_the_tools(root, build, tmp_path):
    """Everything else is built, and the command says what was missing; made again
    with it, the command is as any other."""
    made = tmp_path / "build"
    make = ["make", "-s", "-j2", "-C", root, f"B={made}", f"{made}/portres"]
    subprocess.run([*make, "CLANG=no-such-clang"], check=True, capture_output=True)
    run = subprocess.run([made / "portres", "guard", "on"], capture_output=True, text=True,
                         check=False)
    assert run.returncode == 1
    assert run.stderr == ("portres: this command was made without clang: install that and make "
                          "it again\n")
    subprocess.run(make, check=True, capture_output=True)
    status = [
        subprocess.run([folder / "portres", "guard", "status"], capture_output=True, text=True,
                       check=False)
        for folder in (made, build)
    ]
    assert status[0].stderr == status[1].stderr


def test_a_renewal_leaves_no_gap(guarded):
    """Other programs on the same maps: blocks, associations and heirs stay, and
    strangers are refused all the while."""
    owner, other = guarded.player(), guarded.player()
    block = owner.tcp().guarded(5000, 3)
    waiting = owner.tcp()
    waiting.guard("associate", 7, 5000, 3, block.fileno())
    number = owner.portio.guard_number(owner.tcp())

    def spin(seconds):
        """How many binds were let in, and how many refused."""
        end = time.monotonic() + seconds
        let_in = refused = 0
        while time.monotonic() < end:
            with socket.socket() as s:
                try:
                    s.bind(("127.0.0.1", 5001))
                    let_in += 1
                except OSError:
                    refused += 1
        return let_in, refused

    spinning = other.begin(spin, 3)
    for _ in range(4):
        age(guarded)
        assert not guarded.status()["current"]
        assert guarded.on() == f"{guarded.cgroup} is guarded by renewed programs\n"
        assert guarded.status()["current"]
    let_in, refused_binds = spinning()
    assert let_in == 0 and refused_binds > 100
    assert waiting.bind(5000) == 5000
    assert owner.portio.guard_number(owner.tcp()) == number
    assert guarded.status()["blocks"] == 1
    block.close()
    assert other.tcp().bind(5001) == 5001


def with_bpf(arena, function, *arguments):
    """Runs a function of the test's own, which calls bpf(), outside of the cgroup."""

    def call(command, attributes):
        attributes = ctypes.create_string_buffer(attributes.ljust(128, b"\0"))
        r = libc.syscall(321 if os.uname().machine == "x86_64" else 280, command, attributes, 128)
        portio.must(r >= 0)
        return r

    root = arena.player(prefix=arena.outside)
    said = root.run(function, Remote(root, root.spell(call)), *arguments)
    root.close()
    return said


def pinned_config(arena):
    return f"{PINS}/{os.stat(arena.cgroup).st_ino}/map_config"


def change_config(arena, at, byte):
    """Of `change`: the byte there, or None for another than it is."""

    def change(bpf, path, at, byte):
        name = ctypes.create_string_buffer(path.encode())
        fd = bpf(7, struct.pack("=Q", ctypes.addressof(name)))
        key, value = ctypes.create_string_buffer(4), ctypes.create_string_buffer(16384)
        place = struct.pack("=I4xQQ", fd, ctypes.addressof(key), ctypes.addressof(value))
        bpf(1, place)
        value[at] = bytes([value.raw[at] ^ 1 if byte is None else byte])
        bpf(2, place)

    with_bpf(arena, change, pinned_config(arena), at, byte)


def age(guarded):
    """Makes its programs those of another build, to the eye of the command."""
    change_config(guarded, 16, None)


def test_programs_of_the_layout_before_are_renewed(arena):
    """Which has the first network namespace elsewhere: blocks stay."""
    arena.on()
    change_config(arena, 0, 3)
    owner, other = arena.player(), arena.player()
    block = owner.tcp().guarded(5000, 3)
    age(arena)
    assert "is guarded by renewed programs" in arena.on()
    with refused(EADDRINUSE):
        other.tcp().bind(5001)
    block.close()
    assert other.tcp().bind(5001) == 5001
    assert (arena.status()["blocks"], arena.status()["namespaces"]) == (0, 0)


def put_larger(bpf, path):
    """The books of a later build: larger ones, with other names."""
    folder = os.path.dirname(path)
    os.unlink(f"{folder}/map_co_owners")
    os.unlink(path)
    fd = bpf(0, struct.pack("=IIII", 2, 4, 1 << 16, 1))
    key, value = ctypes.create_string_buffer(4), ctypes.create_string_buffer(1 << 16)
    value[0] = b"\xff"
    bpf(2, struct.pack("=I4xQQ", fd, ctypes.addressof(key), ctypes.addressof(value)))
    name = ctypes.create_string_buffer(path.encode())
    bpf(6, struct.pack("=QI", ctypes.addressof(name), fd))


def test_programs_that_keep_other_books(guarded):
    with_bpf(guarded, put_larger, pinned_config(guarded))
    said = guarded.portres("guard", "status", "--cgroup", guarded.cgroup)
    assert said.endswith(": guarded, by programs that keep other books\n")
    status = guarded.status()
    assert (status["attached"], status["current"], status["blocks"]) == (True, False, None)
    for verb, way in ("on", "portres guard off --force, then on"), ("off", "or --force"):
        said = guarded.portres("guard", verb, "--cgroup", guarded.cgroup, status=1)
        assert f"{guarded.cgroup} is guarded by programs that keep other books: " in said
        assert way in said
    assert attached(guarded) == 6
    guarded.off("--force")
    assert attached(guarded) == 0
    guarded.on()


def test_what_is_left_of_programs_that_keep_other_books(guarded):
    """It tells of their area: it is there for their command, or until --force."""
    below = guarded.cgroup / "below"
    below.mkdir()
    guarded.portres("guard", "on", "--cgroup", below, "--area", "40000-40010")
    with_bpf(guarded, put_larger, f"{PINS}/{below.stat().st_ino}/map_config")
    below.rmdir()
    left = ": was guarded, and is gone, by programs that keep other books\n"
    deadline = time.monotonic() + 20  # the kernel does it later
    while left not in guarded.portres("guard", "status"):
        assert time.monotonic() < deadline
    guarded.on("--again")
    assert left in guarded.portres("guard", "status")
    guarded.off("--force")
    assert left not in guarded.portres("guard", "status")


def attach(bpf, path, flags, count):
    """Attaches programs that let all binds pass."""
    code = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xb7, 0, 0, 1, 0x95, 0, 0, 0))
    licence = ctypes.create_string_buffer(b"GPL")
    cgroup = os.open(path, os.O_RDONLY)
    for _ in range(count):
        program = bpf(5, struct.pack("=IIQQ", 18, 2, ctypes.addressof(code), ctypes.addressof(
            licence)).ljust(68, b"\0") + struct.pack("=I", 8))
        bpf(8, struct.pack("=IIII", cgroup, program, 8, flags))


def test_a_program_that_suffers_no_other(arena):
    """Attached without BPF_F_ALLOW_MULTI, to the cgroup itself or to one above."""
    below = arena.cgroup / "below"
    below.mkdir()
    with_bpf(arena, attach, str(arena.cgroup), 0, 1)
    for cgroup in arena.cgroup, below:
        said = arena.portres("guard", "on", "--cgroup", cgroup, status=1)
        assert "suffers none beside itself: see bpftool cgroup tree" in said
    assert attached(arena) == 0


def test_as_many_programs_as_the_kernel_takes(arena):
    with_bpf(arena, attach, str(arena.cgroup), 2, 64)
    said = arena.portres("guard", "on", "--cgroup", arena.cgroup, status=1)
    assert "64 of a kind, are attached to the cgroup: detach one: see bpftool" in said
    assert attached(arena) == 0


def test_the_unit_calls_it(root):
    unit = (root / "cli" / "portres-guard.service").read_text()
    assert "Type=oneshot" in unit and "RemainAfterExit=yes" in unit
    assert "ExecReload=portres guard on --again\n" in unit
