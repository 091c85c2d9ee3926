# SPDX-License-Identifier: MIT
"""The guard's requests: each answer of include/portres.h, and no block left."""

import os
import socket
from errno import (EACCES, EADDRINUSE, EALREADY, EBUSY, EFAULT, EINVAL, ENOBUFS, ENOENT,
                   ENOPROTOOPT, EOPNOTSUPP, ESTALE)

import pytest

import portio
from kits.playing import attempt, refused

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture
def nothing_left(guarded):
    """The maps are empty after the test."""
    yield
    for program in guarded.start.running:
        if program is not guarded.holder:
            program.close()
    status = guarded.status()
    assert (status["blocks"], status["ports"], status["namespaces"]) == (0, 0, 0)


@pytest.fixture
def owner(guarded, nothing_left):
    return guarded.player()


@pytest.fixture
def other(guarded):
    return guarded.player()


ALL = portio.GUARD_OPS[1:]


def test_without_a_guard(arena):
    player = arena.player()
    for op in ALL:
        with refused(ENOPROTOOPT):
            player.tcp().guard(op, 7, 5000, 3)


def test_another_size(owner):
    for op in *ALL, 0, 11, -1:
        for size in 0, 1, 39, 41, 4096, 4097, 8192:
            with refused(EINVAL):
                owner.tcp().guard(op, 7, 5000, 3, size=size)


def test_a_bad_pointer(owner):
    """The kernel reads the request, or says what it always says."""

    def ask(op, at, size):
        if at is None:
            memory = mmap.mmap(-1, 8192)
            kept.append(memory)
            at = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + 4096
            portio.must(libc.mprotect(ctypes.c_void_p(at), 4096, 0) == 0)
            at -= 20
        with tcp() as sock:
            portio.must(libc.setsockopt(sock.fileno(), 0x5052, op, ctypes.c_void_p(at), size) == 0)

    for op in range(12):
        for at in 0, 8, None:
            with refused(EFAULT):
                owner.run(ask, op, at, 40)
        for size in -1, -1 << 31:
            with refused(EINVAL):
                owner.run(ask, op, 0, size)


def test_two_guards_of_which_one_refuses(guarded, owner, other):
    """The other may have the block: it goes by RELEASE, or with the socket."""
    below = guarded.cgroup / "below"
    below.mkdir()
    guarded.portres("guard", "on", "--cgroup", below)
    other.tcp().guarded(5000, 3)
    inner, beside = (guarded.player(prefix=guarded.within(below)) for _ in range(2))
    for give_back in (lambda sock: attempt(sock.guard, "release", 8, 5002, 3),
                      lambda sock: sock.close()):
        sock = inner.tcp()
        with refused(EADDRINUSE):
            sock.guard("acquire", 8, 5002, 3)
        assert attempt(beside.tcp().bind, 5004) == "EADDRINUSE"
        give_back(sock)
        with beside.tcp() as free:
            assert free.bind(5004) == 5004
    guarded.portres("guard", "off", "--cgroup", below)


def test_an_unknown_request(owner):
    for op in 0, 11, -1, 1 << 30:
        with refused(EINVAL):
            owner.tcp().guard(op, 7, 5000, 3)


NO_SENSE = [{"token": 0}, {"start": 0}, {"count": 0}, {"start": 65535, "count": 2},
            {"start": 2, "count": 65535}, {"reserved": 1}]


def test_numbers_that_make_no_sense(owner):
    for op in ALL:
        for wrong in NO_SENSE:
            if op == "number" and "reserved" not in wrong:
                continue  # which takes no block
            with refused(EINVAL):
                owner.tcp().guard(op, **{"token": 7, "start": 5000, "count": 3, **wrong})


def test_sockets_that_have_no_such_ports(owner):
    kinds = [(socket.AF_UNIX, socket.SOCK_STREAM, 0), (socket.AF_INET, socket.SOCK_RAW, 17),
             (socket.AF_INET, socket.SOCK_DGRAM, 136), (socket.AF_INET, socket.SOCK_STREAM, 262),
             (socket.AF_NETLINK, socket.SOCK_RAW, 0)]
    for kind in kinds:
        try:
            sock = owner.Socket(*kind)
        except OSError:
            continue  # the kernel has no such
        for op in ALL:
            with refused(EOPNOTSUPP):
                sock.guard(op, 7, 5000, 3)


def test_no_such_block(owner):
    sock = owner.tcp()
    requests = "commit", "release", "associate", "drop", "join"
    for op in requests:
        with refused(ENOENT):
            sock.guard(op, 7, 5000, 3)
    sock.guarded(5000, 3)
    for wrong in (8, 5000, 3), (7, 5001, 2), (7, 5000, 2), (7, 5001, 3):
        for op in requests:
            with refused(ENOENT):
                sock.guard(op, *wrong)


def test_its_states(owner):
    sock = owner.tcp()
    sock.guard("acquire", 7, 5000, 3)
    with refused(EADDRINUSE):
        sock.guard("acquire", 8, 5002, 3)
    sock.guard("commit", 7, 5000, 3)
    with refused(EALREADY):
        sock.guard("commit", 7, 5000, 3)
    sock.guard("release", 7, 5000, 3)
    with refused(ENOENT):
        sock.guard("release", 7, 5000, 3)
    assert owner.tcp().bind(5000) == 5000


def test_until_the_commit_the_process_binds(owner, other):
    sock = owner.tcp()
    sock.guard("acquire", 7, 5000, 3)
    with refused(EADDRINUSE):
        other.tcp().bind(5000)
    trial = owner.tcp()
    assert trial.bind(5000) == 5000
    trial.close()
    sock.guard("commit", 7, 5000, 3)
    with refused(EADDRINUSE):
        owner.tcp().bind(5000)


def test_both_ends_of_the_ports(owner, other):
    sock = owner.tcp().guarded(1, 65535)
    for port in 1, 512, 65535:
        with refused(EADDRINUSE):
            other.tcp().bind(port)
    assert other.udp().bind(65535) == 65535
    sock.close()
    assert other.tcp().bind(65535) == 65535


def test_blocks_that_overlap(owner, other):
    """Whoever asks: the first one has them, to the port."""
    owner.tcp().guarded(5000, 3)
    for start, count in (5000, 3), (5002, 3), (4998, 3), (4000, 2000), (5001, 1):
        with refused(EADDRINUSE):
            other.tcp().guard("acquire", 7, start, count)
    for start, count in (5003, 3), (4997, 3):
        other.tcp().guarded(start, count, 7)
    other.udp().guarded(5000, 3, 7)


def test_the_right_is_the_owning_socket(owner, other):
    """Not the token, which all can read in /proc/locks."""
    block = owner.tcp().guarded(5000, 3)
    for fd in -1, 0, 3, 1 << 30, other.tcp().fileno():
        with refused(EACCES):
            other.tcp().guard("associate", 7, 5000, 3, fd)
    sock = owner.tcp()
    with refused(EACCES):
        sock.guard("associate", 7, 5000, 3, -1)
    with refused(EACCES):
        sock.guard("associate", 7, 5000, 3, sock.fileno())
    sock.guard("associate", 7, 5000, 3, block.fileno())
    assert sock.bind(5001) == 5001
    with refused(EINVAL):
        sock.guard("associate", 7, 5000, 3, block.fileno())


def test_an_association_ends_with_the_block(owner, other):
    """And is none to another block of the same token and numbers."""
    block = owner.tcp().guarded(5000, 3)
    sock = owner.tcp()
    sock.guard("associate", 7, 5000, 3, block.fileno())
    block.close()
    again = other.tcp().guarded(5000, 3)
    with refused(EADDRINUSE):
        sock.bind(5000)
    again.close()
    assert sock.bind(5000) == 5000


def test_several_blocks_of_one_socket(owner, other):
    sock = owner.tcp()
    for start in 5000, 5010, 5020, 5030:
        sock.guarded(start, 3, start)
    for start in 5010, 5030, 5000:
        sock.guard("release", start, start, 3)
        assert attempt(other.tcp().bind, start + 1) == start + 1
    with refused(EADDRINUSE):
        other.tcp().bind(5021)


def test_does_it_live(owner, other):
    """The number is the guard's, and the namespace's."""
    number = owner.portio.guard_number(owner.tcp())
    assert 0 < number < 1 << 33
    sock = owner.tcp()
    sock.guard("acquire", 7, 5000, 3)
    sock.guard("commit", 7, 5000, 3, number=number)
    late = owner.tcp()
    late.guard("acquire", 7, 5010, 3)
    for error in ESTALE, EALREADY:
        with refused(error):
            late.guard("commit", 7, 5010, 3, number=number ^ 1)
    ask = other.udp()
    ask.guard("query", 7, 5000, 3, number=number, protocol=socket.IPPROTO_TCP)
    for wrong in (8, 5000, 3), (7, 5001, 2), (7, 5000, 2):
        with refused(ENOENT):
            ask.guard("query", *wrong, number=number, protocol=socket.IPPROTO_TCP)
    with refused(ENOENT):
        ask.guard("query", 7, 5000, 3, number=number)  # of UDP
    with refused(ESTALE):
        ask.guard("query", 7, 5000, 3, number=number ^ 2, protocol=socket.IPPROTO_TCP)
    sock.close()
    with refused(ENOENT):
        ask.guard("query", 7, 5000, 3, number=number, protocol=socket.IPPROTO_TCP)


def test_the_number_is_the_namespaces(owner, guarded, start):
    elsewhere = guarded.player(prefix=[*guarded.inside, "unshare", "-n"])
    assert owner.portio.guard_number(owner.tcp()) != elsewhere.portio.guard_number(elsewhere.tcp())


def test_the_number_is_no_error_of_the_kernels(guarded, nothing_left):
    """Of which there are some that no program sees, by which calls are restarted."""

    def answers():
        found = set()
        for _ in range(60):
            portio.must(libc.unshare(0x40000000) == 0)
            for part in range(3):
                try:
                    tcp().guard("number", number=part)
                except OSError as error:
                    found.add(error.errno)
        return min(found), max(found)

    low, high = guarded.player().run(answers)
    assert 1025 <= low and high <= 1025 + 2047


def test_a_user_has_a_quota(guarded, nothing_left):
    """Root has none; the ports come back with the block."""
    guarded.on("--quota", 1000)
    user = guarded.user(*NOBODY)
    first = user.tcp().guarded(5000, 600)
    with refused(ENOBUFS):
        user.tcp().guard("acquire", 7, 6000, 401)
    second = user.udp().guarded(6000, 400)
    with refused(ENOBUFS):
        user.tcp().guard("acquire", 7, 7000, 1)
    first.close()
    user.tcp().guarded(7000, 600)
    second.guard("release", 7, 6000, 400)
    user.tcp().guarded(8000, 400)
    with refused(EADDRINUSE):  # which takes nothing of the quota
        guarded.player().tcp().guarded(20000, 30000).guard("acquire", 8, 5000, 3000)


def test_the_effective_user_has_it(guarded, nothing_left):
    """A daemon that has given up root for a while, and a program that is root's."""
    guarded.on("--quota", 10)
    player = guarded.player()
    player.os.setresuid(0, 65534, 0)
    with refused(ENOBUFS):
        player.tcp().guard("acquire", 7, 5000, 11)
    player.tcp().guarded(5000, 10)
    player.os.setresuid(65534, 0, 0)
    player.tcp().guarded(6000, 11)


def test_a_user_has_so_many_blocks(guarded, nothing_left):
    """And all users leave some to root."""
    user = guarded.player()

    def fill(uid):
        os.setresuid(0, uid, 0)
        try:
            sock = tcp()
            for i in range(257):
                sock.guard("acquire", 7, 2000 + len(kept) * 256 + i, 1)
        except OSError as error:
            kept.append(sock)
            return i, error.errno
        finally:
            os.setresuid(0, 0, 0)

    for uid in range(70000, 70030):
        assert user.run(fill, uid) == (256, ENOBUFS)
    assert user.run(fill, 70030) == (0, ENOBUFS)
    user.tcp().guarded(20000, 1)


def test_who_is_refused_takes_no_room(owner):
    """As many users as there are get no block, and the next one gets his."""

    def ask_as(users, count):
        found = set()
        for uid in users:
            os.setresuid(0, uid, 0)
            with tcp() as sock:
                try:
                    found.add(sock.guard("acquire", 7, 2000, count))
                except OSError as error:
                    found.add(error.errno)
            os.setresuid(0, 0, 0)
        return found

    first = list(range(100000, 117000))
    assert owner.run(ask_as, first, 20000) == {ENOBUFS}
    assert owner.run(ask_as, [uid + 17000 for uid in first], 1) == {None}


def test_a_user_has_so_many_namespaces(guarded, nothing_left, need):
    """Though each of his is his own; the first one that he gives back is to be had."""
    need("make a user namespace")
    elsewhere = [*guarded.inside, *NOBODY, "unshare", "-r", "-n"]
    players = [guarded.player(prefix=elsewhere) for _ in range(9)]
    blocks = [player.tcp().guarded(5000, 3) for player in players[:8]]
    with refused(ENOBUFS):
        players[8].tcp().guard("acquire", 7, 5000, 3)
    players[7].tcp().guarded(6000, 3)
    guarded.player(prefix=[*guarded.inside, "unshare", "-n"]).tcp().guarded(5000, 3)
    blocks[3].close()
    players[8].tcp().guarded(5000, 3)


def test_the_namespace_of_the_guard_has_room(guarded, nothing_left, need):
    """Though users have taken all that others leave them."""
    need("make a user namespace")

    def elsewhere(uid):
        return guarded.user("setpriv", f"--reuid={uid}", "--regid=65534", "--clear-groups",
                            "unshare", "-r", "-n")

    for i in range(24):
        elsewhere(70000 + i // 8).tcp().guarded(5000, 3)
    with refused(ENOBUFS):
        elsewhere(70003).tcp().guard("acquire", 7, 5000, 3)
    guarded.user(*NOBODY).tcp().guarded(5000, 3)


def test_ports_that_the_system_chooses_count_more(guarded, nothing_left):
    """Each makes binds to port 0 fail now and then, whoever binds."""
    user = guarded.user(*NOBODY)
    first = user.tcp().guarded(32768, 256)
    for start in 32768 + 256, 60999:
        with refused(ENOBUFS):
            user.tcp().guard("acquire", 7, start, 1)
    first.close()
    for start, count in (32768, 257), (32000, 1100), (60700, 400):
        with refused(ENOBUFS):
            user.tcp().guard("acquire", 7, start, count)
    user.tcp().guarded(61000, 3000)
    guarded.on("--area", "40000-49999")
    user.tcp().guarded(40000, 10000)


def test_below_1024_a_user_needs_the_right(guarded, nothing_left):
    user = guarded.user(*NOBODY)
    with refused(ENOBUFS):
        user.tcp().guard("acquire", 7, 1023, 1)
    user.tcp().guarded(1024, 1)
    able = guarded.user(*NOBODY, "--inh-caps=+net_bind_service",
                        "--ambient-caps=+net_bind_service")
    able.tcp().guarded(1023, 1)


def test_more_namespaces_than_there_are_indices(guarded, nothing_left):
    """Each has its own ports. The last ones are told so, until one gives its index
    back."""
    elsewhere = [*guarded.inside, "unshare", "-n"]
    players = [guarded.player(prefix=elsewhere) for _ in range(31)]
    blocks = [player.tcp().guarded(5000, 3) for player in players]
    assert guarded.status()["namespaces"] == 31
    late = guarded.player(prefix=elsewhere)
    with refused(ENOBUFS):
        late.tcp().guard("acquire", 7, 5000, 3)
    assert late.socket.socket().fileno() >= 0
    blocks[11].close()
    late.tcp().guarded(5000, 3)
    with refused(ENOBUFS):
        players[11].tcp().guard("acquire", 7, 5000, 3)
    assert guarded.status()["namespaces"] == 31


def test_more_blocks_than_there_is_room(guarded, nothing_left):
    owner = guarded.player()

    def fill(count):
        sock = tcp()
        for i in range(count):
            sock.guarded(2000 + i, 1, 7)
        return sock

    kept = owner.run(fill, 8192)
    with refused(ENOBUFS):
        owner.tcp().guard("acquire", 7, 20000, 1)
    kept.guard("release", 7, 2000 + 4000, 1)
    owner.tcp().guarded(20000, 1)
    kept.close()
    assert guarded.status()["blocks"] == 1


UNPRIVILEGED = NOBODY, ["unshare", "-r"], ["setpriv", "--bounding-set=-sys_admin"]


@pytest.mark.parametrize("op,uid", [("keep", 4242), ("adopt", 0), ("adopt", 4242)])
def test_what_is_roots(guarded, nothing_left, op, uid, need):
    """A block for another, and one that was there before: who is called root has no right."""
    need("make a user namespace")
    for prefix in UNPRIVILEGED:
        user = guarded.user(*prefix)
        with refused(EACCES):
            user.tcp().guard(op, 7, 5000, 3, uid=uid)


def test_keeping_by_the_right_to_the_store(guarded, nothing_left):
    """Its owner needs no capability, and keeps for the store alone."""
    nobody, _, owner = (guarded.user(*prefix) for prefix in UNPRIVILEGED)
    with refused(EACCES):
        nobody.tcp().guard("keep", 1, 5000, 3, uid=0)
    sock = owner.tcp()
    sock.guard("keep", 1, 5000, 3, uid=0)
    with refused(EACCES):
        nobody.tcp().guard("drop", 1, 5000, 3)
    sock.guard("drop", 1, 5000, 3)


def test_keeping_is_for_the_namespace_of_the_store(guarded, nothing_left):
    """Another may end, and nobody would end its blocks."""
    elsewhere = guarded.player(prefix=[*guarded.inside, "unshare", "-n"])
    with refused(ENOBUFS):
        elsewhere.tcp().guard("keep", 1, 5000, 3)
    assert guarded.status()["blocks"] == 0


def test_the_process_that_binds_until_the_commit_is_no_other(guarded, nothing_left):
    """That has its number, after it has ended, while its socket lives on."""
    owner, other = guarded.player(), guarded.player()
    block = owner.tcp()
    block.guard("acquire", 7, 5000, 3)
    pid = owner.pid
    owner.become_child()

    def as_process(pid):
        """CLONE_ARGS_SIZE_VER1 is the first with the numbers."""
        number = (ctypes.c_int * 1)(pid)
        args = (ctypes.c_uint64 * 11)(0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0,
                                      ctypes.addressof(number), 1)
        child = libc.syscall(435, args, ctypes.c_size_t(80))
        if child == 0:
            try:
                os._exit(tcp().bind(5000) == 5000)
            except OSError as error:
                os._exit(error.errno)
        portio.must(child == pid)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    try:
        said = other.run(as_process, pid)
    except OSError as error:
        pytest.skip(f"may not choose the number of a process: {error}")
    finally:
        block.close()
    assert said == EADDRINUSE


def test_co_owners_leave_nothing(guarded, nothing_left):
    """Neither those that are closed after their block has ended, nor those that are
    of another one now."""
    player = guarded.player()

    def join_and_drop():
        resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
        asks = tcp()
        for _ in range(2):
            asks.guard("keep", 1, 9000, 1)
            socks = [tcp() for _ in range(5000)]
            for sock in socks:
                sock.guard("join", 1, 9000, 1)
            asks.guard("drop", 1, 9000, 1)
            for sock in socks:
                sock.close()

    player.run(join_and_drop)
    sock = player.tcp()
    for start in 9000, 9010:
        player.tcp().guard("keep", 1, start, 2)
        sock.guard("join", 1, start, 2)
        if start == 9010:
            with refused(EBUSY):
                player.tcp().guard("keep", 1, 9000, 2) or sock.guard("join", 1, 9000, 2)
        player.tcp().guard("drop", 1, start, 2)
    player.tcp().guard("drop", 1, 9000, 2)


def test_heirs_of_a_persistent_block(guarded, nothing_left):
    """Sixteen numbers at a time, however far apart; each is there for as long as a
    co-owner that has named it."""
    player = guarded.player()
    player.tcp().guard("keep", 1, 9000, 3)
    socks = []
    for i in range(16):
        socks.append(player.tcp())
        number = 100 + 37 * i
        player.os.dup2(socks[i].fileno(), number)
        socks[i].guard("join", 1, 9000, 3, number)
    for number in 100, 655:
        for again in range(100, 656, 37):
            if again != number:
                player.os.close(again)
        with player.tcp() as x:
            assert x.bind(9000) == 9000
        for i, again in enumerate(range(100, 656, 37)):
            player.os.dup2(socks[i].fileno(), again)
    late = player.tcp()
    late.guard("join", 1, 9000, 3, 655)
    with refused(ENOBUFS):
        late.guard("join", 1, 9000, 3, 300)
    with refused(ENOBUFS):
        player.tcp().guard("join", 1, 9000, 3, 300)
    for number in range(100, 656, 37):
        player.os.close(number)
    socks[3].close()
    late.guard("join", 1, 9000, 3, 300)
    player.os.dup2(late.fileno(), 300)
    with player.tcp() as x:
        assert x.bind(9000) == 9000
    player.os.close(300)
    with refused(EADDRINUSE):
        player.tcp().bind(9000)
    player.tcp().guard("drop", 1, 9000, 3)


def test_keeping_by_the_right_to_the_store_is_by_the_quota(guarded, nothing_left):
    """A group may keep ports for good, but neither all of them nor those that its
    members may not bind."""
    os.chmod(guarded.env["PORTRES_POOL"], 0o2770)
    os.chown(guarded.env["PORTRES_POOL"], 0, 4242)
    guarded.off()
    guarded.on()
    member = guarded.user("setpriv", "--reuid=65534", "--regid=4242", "--clear-groups")
    sock = member.tcp()
    for start, count in (22, 1), (1023, 1), (1024, 20000), (1024, 64512):
        with refused(ENOBUFS):
            sock.guard("keep", 1, start, count, uid=0, gid=4242)
    sock.guard("keep", 1, 5000, 10000, uid=0, gid=4242)
    with refused(ENOBUFS):
        sock.guard("acquire", 7, 20000, 10000)
    guarded.player().tcp().guard("drop", 1, 5000, 10000)
    sock.guarded(20000, 10000)


def test_the_root_of_a_container_is_not_the_machines(guarded, nothing_left):
    """On the host's network it has root's number, and none of the capabilities."""
    root = guarded.player()
    kept = root.tcp()
    kept.guard("keep", 1, 9000, 2)
    for more in [], ["--regid=0", "--clear-groups"]:
        contained = guarded.user("setpriv", "--bounding-set=-sys_admin,-net_admin", *more)
        sock = contained.tcp()
        for op, start in ("keep", 9100), ("drop", 9000), ("join", 9000), ("associate", 9000):
            with refused(EACCES):
                sock.guard(op, 1, start, 2)
        with refused(ENOBUFS):
            sock.guard("acquire", 7, 10000, 20000)
        contained.close()
    kept.guard("drop", 1, 9000, 2)


def test_options_of_others_are_left_alone(guarded):
    """Also those longer than a page, of which a guard sees the beginning."""
    player = guarded.player()
    sock = player.tcp()
    for option, value in ((socket.SO_SNDBUF, 9000), (socket.SO_KEEPALIVE, 1)):
        sock.setsockopt(socket.SOL_SOCKET, option, value)
        assert sock.getsockopt(socket.SOL_SOCKET, option) >= value

    def filter_of(count):
        """SO_ATTACH_FILTER's program is elsewhere; IP_MSFILTER's list is in it."""
        sock = udp()
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton("224.1.1.1") + socket.inet_aton("127.0.0.1"))
        sources = b"".join(struct.pack("!I", 0x7f000100 + i) for i in range(count))
        sock.setsockopt(socket.IPPROTO_IP, 41, struct.pack(
            "=4s4sII", socket.inet_aton("224.1.1.1"), socket.inet_aton("127.0.0.1"), 1, count)
            + sources)

    player.run(write_limit)
    assert player.run(filter_of, 1500) is None


def write_limit():
    with open("/proc/sys/net/ipv4/igmp_max_msf", "w") as f:
        f.write("2000")


def test_two_guards(guarded):
    """One of a cgroup below another's: both have the block, and both let it go."""
    below = guarded.cgroup / "below"
    below.mkdir()
    guarded.portres("guard", "on", "--cgroup", below)
    inner, outer = guarded.player(prefix=guarded.within(below)), guarded.player()
    block = inner.tcp().guarded(5000, 3)
    for player in inner, outer:
        with refused(EADDRINUSE):
            player.tcp().bind(5000)
    sock = inner.tcp()
    sock.guard("associate", 7, 5000, 3, block.fileno())
    assert sock.bind(5001) == 5001
    block.close()
    assert outer.tcp().bind(5000) == 5000
    guarded.portres("guard", "off", "--cgroup", below)
