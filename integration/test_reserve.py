"""What programs see of acquire, associate, release and bind."""

import fcntl
import select

import pytest

FAMILIES = ["socket.AF_INET", "socket.AF_INET6"]
KINDS = ["tcp", "udp"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_reserved_port_is_refused_to_others(owner, other, kind, family):
    owner.ask(f"{kind}('a', {family})")
    start, count, token = eval(owner.ask("acquire(S['a'], 21000, 20)"))
    assert (start, count) == (21000, 20) and token != 0
    for port in (21000, 21013, 21019):
        other.ask(f"{kind}('x', {family})")
        assert other.ask(f"bind('x', {port})") == "EADDRINUSE"
        assert owner.ask(f"{kind}('y', {family})") == "'y'"
        assert owner.ask(f"bind('y', {port})") == "EADDRINUSE"
    for port in (20999, 21020):
        other.ask(f"{kind}('x', {family})")
        assert other.ask(f"bind('x', {port})") == str(port)


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_family_is_refused_and_the_other_protocol_is_not(
    owner, other, kind
):
    owner.ask(f"{kind}('a', socket.AF_INET)")
    owner.ask("acquire(S['a'], 21000, 2)")
    other.ask(f"{kind}('six', socket.AF_INET6)")
    assert other.ask("bind('six', 21000)") == "EADDRINUSE"
    twin = "udp" if kind == "tcp" else "tcp"
    other.ask(f"{twin}('t')")
    assert other.ask("bind('t', 21000)") == "21000"
    other.ask(f"{twin}('u')")
    assert other.ask("acquire(S['u'], 21001, 1)")[0] == "("


@pytest.mark.parametrize("option", ["SO_REUSEADDR", "SO_REUSEPORT"])
def test_reuse_options_do_not_help(owner, other, option):
    owner.ask("tcp('a')")
    owner.ask("acquire(S['a'], 21000, 1)")
    other.ask("tcp('x')")
    other.ask(f"S['x'].setsockopt(socket.SOL_SOCKET, socket.{option}, 1)")
    assert other.ask("bind('x', 21000)") == "EADDRINUSE"


def test_an_address_of_no_family_is_ipv4(owner, other):
    """bind() takes AF_UNSPEC and the wildcard for AF_INET."""
    owner.ask("tcp('a')")
    owner.ask("acquire(S['a'], 21000, 1)")
    libc = "__import__('ctypes').CDLL(None, use_errno=True)"
    address = "b'\\0\\0' + ({}).to_bytes(2, 'big') + bytes(12)"
    bind = f"{{}}.bind(S['x'].fileno(), {address}, 16)"
    other.ask("tcp('x')")
    assert other.ask(bind.format(libc, 21000)) == "-1"
    assert other.ask("__import__('ctypes').get_errno()") == "98"
    assert other.ask(bind.format(libc, 21001)) == "0"


def test_overlap_is_refused_at_each_edge(owner, other):
    owner.ask("tcp('a')")
    owner.ask("acquire(S['a'], 21010, 10)")
    other.ask("tcp('x')")
    for start, count in ((21005, 6), (21019, 5), (21000, 40), (21012, 1)):
        assert other.ask(f"acquire(S['x'], {start}, {count})") == "EADDRINUSE"
    assert other.ask("acquire(S['x'], 21000, 10)")[0] == "("
    assert other.ask("acquire(S['x'], 21020, 10)")[0] == "("


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "127.9.8.7"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_port_in_use_cannot_be_reserved(owner, other, kind, address):
    other.ask(f"{kind}('x')")
    other.ask(f"bind('x', 21003, '{address}')")
    owner.ask(f"{kind}('a')")
    assert owner.ask("acquire(S['a'], 21000, 5)") == "EADDRINUSE"
    other.ask("close('x')")
    assert owner.ask("acquire(S['a'], 21000, 5)")[0] == "("


def test_a_port_in_use_by_a_program_without_us(player, shim_env):
    bare = dict(shim_env)
    del bare["LD_PRELOAD"]
    stranger, owner = player(bare), player()
    stranger.ask("tcp('x', socket.AF_INET6)")
    stranger.ask("S['x'].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)")
    stranger.ask("bind('x', 21003)")
    owner.ask("tcp('a')")
    assert owner.ask("acquire(S['a'], 21000, 5)") == "EADDRINUSE"


def test_ones_own_bound_port_is_in_use(owner):
    owner.ask("tcp('a')")
    owner.ask("bind('a', 21000)")
    assert owner.ask("acquire(S['a'], 21000, 1)") == "EADDRINUSE"
    assert owner.ask("acquire(S['a'], 21001, 1)")[0] == "("


def test_time_wait_is_not_in_use(owner, other, socket_list):
    other.ask("tcp('l')")
    # The port is unusable for a minute afterwards: not one of other tests'.
    for port in range(23000, 24000):
        if other.ask(f"bind('l', {port})") == str(port):
            break
    other.ask("S['l'].listen()")
    other.ask("tcp('c')")
    other.ask(f"S['c'].connect(('127.0.0.1', {port}))")
    other.ask("S.update(s=S['l'].accept()[0])")
    # The server closes first, so its port is the one left in TIME_WAIT.
    other.ask("close('s')")
    other.ask("S['c'].recv(1)")
    other.ask("close('c')")
    other.ask("close('l')")
    other.ask("tcp('b')")
    assert other.ask(f"bind('b', {port})") == "EADDRINUSE"  # it is there
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {port}, 1)")[0] == "("


def test_wildcard_blocks_are_disjoint_and_clear_of_the_ephemeral_range(owner):
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        low, high = map(int, f.read().split())
    owner.ask("udp('a')")
    seen = set()
    for _ in range(10):
        start, count, _ = eval(owner.ask("acquire(S['a'], 0, 64)"))
        ports = set(range(start, start + count))
        assert count == 64 and not ports & seen
        assert start > high or start + count <= low
        seen |= ports


def test_wildcard_steps_over_ports_in_use(player, shim_env):
    owner, other = player({**shim_env, "PORTRES_WILDCARD": "21000-21009"}), player()
    other.ask("tcp('x')")
    other.ask("bind('x', 21004)")
    owner.ask("tcp('a')")
    assert eval(owner.ask("acquire(S['a'], 0, 5)"))[0] == 21005
    assert owner.ask("acquire(S['a'], 0, 5)") == "ENOBUFS"
    assert eval(owner.ask("acquire(S['a'], 0, 4)"))[0] == 21000


def test_associated_sockets_bind_inside(owner):
    owner.ask("tcp('a')")
    start, count, token = eval(owner.ask("acquire(S['a'], 21000, 3)"))
    got = []
    for name in ("x", "y", "z"):
        owner.ask(f"tcp('{name}')")
        assert owner.ask(f"associate(S['{name}'], {token})") == "None"
        got.append(int(owner.ask(f"bind('{name}', 0)")))
    assert sorted(got) == [21000, 21001, 21002]
    owner.ask("tcp('full')")
    owner.ask(f"associate(S['full'], {token})")
    assert owner.ask("bind('full', 0)") == "EADDRINUSE"
    owner.ask("close('y')")
    assert int(owner.ask("bind('full', 0)")) == got[1]


def test_associated_explicit_ports(owner):
    owner.ask("tcp('a')")
    token = eval(owner.ask("acquire(S['a'], 21000, 3)"))[2]
    owner.ask(f"associate(S['a'], {token})")  # the acquiring socket itself
    assert owner.ask("bind('a', 21003)") == "EADDRNOTAVAIL"
    assert owner.ask("bind('a', 20999)") == "EADDRNOTAVAIL"
    assert owner.ask("bind('a', 21002)") == "21002"
    assert owner.ask(f"associate(S['a'], {token})") == "EINVAL"  # bound


def test_udp_with_reuseaddr_gets_a_port_of_its_own(owner):
    owner.ask("udp('a')")
    token = eval(owner.ask("acquire(S['a'], 21000, 2)"))[2]
    got = set()
    for name in ("x", "y"):
        owner.ask(f"udp('{name}')")
        owner.ask(f"S['{name}'].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)")
        owner.ask(f"associate(S['{name}'], {token})")
        got.add(owner.ask(f"bind('{name}', 0)"))
    assert got == {"21000", "21001"}


def test_tokens_that_are_refused(owner, other):
    owner.ask("tcp('a')")
    token = eval(owner.ask("acquire(S['a'], 21000, 3)"))[2]
    owner.ask("udp('u')")
    other.ask("tcp('x')")
    for call in ("associate", "release"):
        assert owner.ask(f"{call}(S['a'], 0)") == "EINVAL"
        assert owner.ask(f"{call}(S['a'], {token + 8192})") == "EINVAL"
        assert owner.ask(f"{call}(S['u'], {token})") == "EINVAL"
    assert other.ask(f"associate(S['x'], {token})") == "EACCES"
    assert other.ask(f"release(S['x'], {token})") == "EINVAL"
    assert owner.ask(f"release(S['a'], {token})") == "None"
    assert owner.ask(f"release(S['a'], {token})") == "EINVAL"
    assert owner.ask(f"associate(S['a'], {token})") == "EINVAL"


def test_release_frees_all_but_what_is_bound(owner, other):
    owner.ask("tcp('a')")
    token = eval(owner.ask("acquire(S['a'], 21000, 3)"))[2]
    owner.ask("tcp('x')")
    owner.ask(f"associate(S['x'], {token})")
    assert owner.ask("bind('x', 21001)") == "21001"
    owner.ask("tcp('carrier')")
    assert owner.ask(f"release(S['carrier'], {token})") == "None"
    other.ask("tcp('b')")
    assert other.ask("acquire(S['b'], 21000, 3)") == "EADDRINUSE"
    assert other.ask("acquire(S['b'], 21002, 1)")[0] == "("
    assert other.ask("acquire(S['b'], 21000, 1)")[0] == "("


def test_an_association_ends_with_its_reservation(owner):
    owner.ask("tcp('a')")
    token = eval(owner.ask("acquire(S['a'], 21000, 3)"))[2]
    owner.ask("tcp('x')")
    owner.ask(f"associate(S['x'], {token})")
    owner.ask(f"release(S['a'], {token})")
    assert owner.ask("bind('x', 21005)") == "21005"


def test_several_acquires_on_one_socket_die_with_it(owner, other):
    owner.ask("tcp('a')")
    for start in (21000, 21010, 21020):
        assert owner.ask(f"acquire(S['a'], {start}, 5)")[0] == "("
    other.ask("tcp('x')")
    assert other.ask("bind('x', 21012)") == "EADDRINUSE"
    owner.ask("close('a')")
    assert other.ask("bind('x', 21012)") == "21012"
    other.ask("tcp('y')")
    assert other.ask("acquire(S['y'], 21013, 12)")[0] == "("


def test_ports_below_1024_need_no_privilege_to_reserve(player, shim_env, pool, need, socket_list):
    import os

    need("become another user")
    os.chown(pool, 65534, 65534)
    for part in (pool, *pool.parents[:3]):
        os.chmod(part, 0o755 if part != pool else 0o700)
    nobody = player(user=65534)
    nobody.ask("tcp('a')")
    assert nobody.ask("acquire(S['a'], 600, 3)")[0] == "("
    nobody.ask("tcp('b')")
    assert nobody.ask("bind('b', 603)") == "EACCES"  # as the kernel says


@pytest.mark.parametrize("first,count", [(5000, 0), (65535, 2), (0, 0), (2, 65535)])
def test_ranges_that_do_not_exist(owner, first, count):
    owner.ask("tcp('a')")
    assert owner.ask(f"acquire(S['a'], {first}, {count})") == "EINVAL"


def test_the_last_port_is_a_port(owner):
    owner.ask("tcp('a')")
    assert eval(owner.ask("acquire(S['a'], 65535, 1)"))[:2] == (65535, 1)


def test_an_acquire_waits_for_the_pool_also_when_non_blocking(owner, pool):
    owner.ask("tcp('a')")
    assert owner.ask("acquire(S['a'], 21000, 1)")[0] == "("
    owner.ask("S['a'].setblocking(False)")
    (file,) = pool.iterdir()
    with open(file, "rb+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        owner.tell("acquire(S['a'], 21001, 1)")
        assert not select.select([owner.popen.stdout], [], [], 0.3)[0]
    assert owner.line()[0] == "("


def test_a_refused_bind_does_not_wait_for_a_stopped_acquirer(owner, other, pool):
    owner.ask("tcp('a')")
    owner.ask("acquire(S['a'], 21000, 1)")
    other.ask("tcp('x')")
    other.ask("bind('x', 21005)")
    other.ask("tcp('y')")
    (file,) = pool.iterdir()
    with open(file, "rb+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)  # never given back while it asks
        assert other.ask("bind('y', 21000)") == "EADDRINUSE"
        assert other.ask("bind('y', 21001)") == "21001"
