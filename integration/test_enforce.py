"""Nobody else gets a reserved port, and associated sockets always do."""

import re
import subprocess

import pytest

from kits.choosers import PORT_OF, unspec


@pytest.fixture
def where(namespace):
    return namespace


def test_connect_takes_a_port_of_the_block(owner, token, server):
    for name, port in (("x", "26000"), ("y", "26001")):
        owner.ask(f"tcp('{name}')")
        owner.ask(f"associate(S['{name}'], {token['tcp']})")
        assert owner.ask(f"S['{name}'].connect(('127.0.0.1', {server}))") == "None"
        assert owner.ask(PORT_OF.format(name)) == port


def test_udp_connect_and_sendto_and_sendmsg(owner, token):
    sends = {
        "x": "S['x'].connect(('127.0.0.1', 9))",
        "y": "S['y'].sendto(b'', ('127.0.0.1', 9))",
        "z": "S['z'].sendmsg([b''], [], 0, ('127.0.0.1', 9))",
    }
    for i, (name, send) in enumerate(sends.items()):
        owner.ask(f"udp('{name}')")
        owner.ask(f"associate(S['{name}'], {token['udp']})")
        owner.ask(send)
        assert owner.ask(PORT_OF.format(name)) == str(26000 + i)


def test_sendmmsg_takes_a_port_of_the_block(owner, token):
    owner.ask("udp('x')")
    owner.ask(f"associate(S['x'], {token['udp']})")
    owner.ask("sendmmsg(S['x'], ('127.0.0.1', 9))")
    assert owner.ask(PORT_OF.format("x")) == "26000"


def test_listen_takes_a_port_of_the_block(owner, token):
    owner.ask("tcp('x', socket.AF_INET6)")
    owner.ask(f"associate(S['x'], {token['tcp']})")
    assert owner.ask("S['x'].listen()") == "None"
    assert owner.ask(PORT_OF.format("x")) == "26000"


def test_connect_with_the_block_exhausted(owner, token, server):
    for name in "xyz":
        owner.ask(f"tcp('{name}')")
        owner.ask(f"associate(S['{name}'], {token['tcp']})")
        owner.ask(f"bind('{name}', 0)")
    owner.ask("tcp('full')")
    owner.ask(f"associate(S['full'], {token['tcp']})")
    connect = f"S['full'].connect(('127.0.0.1', {server}))"
    assert owner.ask(connect) == "EADDRINUSE"
    owner.ask("close('z')")
    assert owner.ask(connect) == "None"


def test_a_client_that_reserves_one_port_at_a_time(owner, other, server):
    """Source-port rules: 600, 601, … on the connecting socket itself."""
    for port in range(600, 610):
        owner.ask(f"tcp('c{port}')")
        block = owner.ask(f"acquire(S['c{port}'], {port}, 1)")
        if block == "EADDRINUSE":
            continue
        owner.ask(f"associate(S['c{port}'], {eval(block)[2]})")
        answer = owner.ask(f"S['c{port}'].connect(('127.0.0.1', {server}))")
        if answer == "EACCES":
            pytest.skip("needs the right to bind below 1024")
        assert answer == "None"
        peer = other.ask("S['l'].accept()[1]")
        assert peer == f"('127.0.0.1', {port})"


def test_association_follows_fork_and_dup(owner, token):
    owner.ask("tcp('x')")
    owner.ask(f"associate(S['x'], {token['tcp']})")
    owner.ask("S.update(d=S['x'].dup())")
    child = (
        "(lambda p: p or os._exit(bind('d', 0) != 26000))(os.fork())"
    )
    assert owner.ask(f"os.waitpid({child}, 0)[1]") == "0"
    assert owner.ask(PORT_OF.format("x")) == "26000"


def test_association_ends_with_the_socket_not_with_its_number(owner, token):
    owner.ask("tcp('x')")
    owner.ask(f"associate(S['x'], {token['tcp']})")
    fd = owner.ask("S['x'].fileno()")
    owner.ask("close('x')")
    owner.ask("tcp('y')")
    assert owner.ask("S['y'].fileno()") == fd
    assert not 26000 <= int(owner.ask("bind('y', 0)")) <= 26002


def test_association_ends_at_exec(owner, token, root):
    owner.ask("tcp('x')")
    owner.ask(f"associate(S['x'], {token['tcp']})")
    fd = owner.ask("S['x'].set_inheritable(True) or S['x'].fileno()")
    player = root / "integration" / "player.py"
    exec_ = f"os.execv('/usr/bin/python3', ['python3', '{player}', 'hello'])"
    assert owner.ask(exec_) == "hello"
    owner.ask(f"S.update(x=socket.socket(fileno={fd}))")
    assert not 26000 <= int(owner.ask("bind('x', 0)")) <= 26002


def test_association_comes_back_with_the_socket(owner, token):
    """No descriptor of it is left for a while: it is in a message."""
    owner.ask("tcp('x')")
    owner.ask(f"associate(S['x'], {token['tcp']})")
    owner.ask("S.update(p=socket.socketpair())")
    assert owner.ask("socket.send_fds(S['p'][0], [b'x'], [S['x'].fileno()])") == "1"
    owner.ask("close('x')")
    owner.ask("S.update(y=socket.socket(fileno=socket.recv_fds(S['p'][1], 1, 1)[1][0]))")
    assert owner.ask("bind('y', 0)") == "26000"


def test_reuseport_group_on_one_reserved_port(owner, other, token):
    """As QUIC servers do it: a listener for each core, all on one port."""
    for name in "xyz":
        owner.ask(f"udp('{name}', socket.AF_INET6)")
        owner.ask(f"S['{name}'].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)")
        owner.ask(f"associate(S['{name}'], {token['udp']})")
        assert owner.ask(f"bind('{name}', 26001)") == "26001"
    other.ask("udp('s')")
    other.ask("S['s'].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)")
    assert other.ask("bind('s', 26001)") == "EADDRINUSE"


def test_mptcp_obeys_the_tcp_pool(other, token):
    made = other.ask("S.update(m=socket.socket(socket.AF_INET, 1, 262))")
    if made != "None":
        pytest.skip(f"no MPTCP here: {made}")
    assert other.ask("bind('m', 26001)") == "EADDRINUSE"


def test_bind_without_a_family_is_a_bind(other, token):
    """The kernel takes AF_UNSPEC for AF_INET where the address is any."""
    other.ask("tcp('x')")
    assert other.ask(f"by_libc('bind', S['x'], {unspec(26001)})") == "EADDRINUSE"
    assert other.ask(f"by_libc('bind', S['x'], {unspec(26003)})") == "None"
    assert other.ask(PORT_OF.format("x")) == "26003"


def test_addresses_that_the_socket_cannot_take(
    player, namespace, shim_env, owner, token
):
    """The kernel's own answers, for a reserved port, with and without us."""
    v4, v6 = b"\2\0" + (26001).to_bytes(2, "big"), b"\n\0" + (26001).to_bytes(2, "big")
    addresses = [
        v4 + bytes(12),
        v4 + bytes(24),
        v6 + bytes(24),
        unspec(26001)[:4] + b"\x7f\0\0\1" + bytes(8),
        unspec(26001) + bytes(12),
    ]
    bare = {k: v for k, v in shim_env.items() if k != "LD_PRELOAD"}
    answers = []
    for env in (bare, shim_env):
        binder = player(env, prefix=namespace)
        answers.append([])
        for family in ("socket.AF_INET", "socket.AF_INET6"):
            for address in addresses:
                binder.ask(f"tcp('x', {family})")
                answers[-1].append(binder.ask(f"by_libc('bind', S['x'], {address})"))
                binder.ask("close('x')")
    assert "None" in answers[0]
    wanted = ["EADDRINUSE" if a == "None" else a for a in answers[0]]
    assert answers[1] == wanted
    # Nor is an associated socket told that a port is not of its block.
    owner.ask("tcp('y', socket.AF_INET6)")
    owner.ask(f"associate(S['y'], {token['tcp']})")
    outside = b"\2\0" + (26009).to_bytes(2, "big") + bytes(12)
    assert owner.ask(f"by_libc('bind', S['y'], {outside})") == "EINVAL"


def test_the_refusal_tells(player, namespace, shim_env, token, owner, tmp_path):
    error = tmp_path / "stderr"
    with open(error, "wb") as stderr:
        env = {**shim_env, "PORTRES_DEBUG": "1"}
        other = player(env, prefix=namespace, stderr=stderr)
        other.ask("tcp('x')")
        assert other.ask("bind('x', 26001)") == "EADDRINUSE"
    assert re.fullmatch(
        rf"portres: tcp port 26001 is reserved \(26000-26002\) by pid {owner.pid}"
        r" \(python3\): .*take another port\n",
        error.read_text(),
    )


def test_bindresvport_keeps_out_of_reserved_ports(owner, other):
    owner.ask("tcp('a')")
    # All of its ports but three.
    assert owner.ask("acquire(S['a'], 512, 300)")[0] == "("
    assert owner.ask("acquire(S['a'], 815, 209)")[0] == "("
    libc = "__import__('ctypes').CDLL(None).bindresvport(S['x'].fileno(), None)"
    got = set()
    for _ in range(3):
        other.ask("tcp('x')")
        if other.ask(libc) != "0":
            pytest.skip("needs the right to bind below 1024")
        got.add(int(other.ask(PORT_OF.format("x"))))
        other.ask("S.update({object(): S['x']})")  # keeps it open
    assert got == {812, 813, 814}
    other.ask("tcp('x')")
    assert other.ask(libc) == "-1"


def test_wildcards_keep_out_of_what_the_administrator_reserved(
    player, namespace, shim_env
):
    write = "echo 26103-26105,26107 >/proc/sys/net/ipv4/ip_local_reserved_ports"
    subprocess.run([*namespace, "sh", "-c", write], check=True)
    env = {**shim_env, "PORTRES_WILDCARD": "26100-26109"}
    owner = player(env, prefix=namespace)
    owner.ask("tcp('a')")
    got = [owner.ask("acquire(S['a'], 0, 2)") for _ in range(3)]
    assert sorted(eval(block)[0] for block in got[:2]) == [26100, 26108]
    assert got[2] == "ENOBUFS"
    # Who names a port means it.
    assert owner.ask("acquire(S['a'], 26103, 3)")[0] == "("


def test_namespaces_have_ports_of_their_own(player, namespace, pool):
    """One directory, two namespaces: the same ports are others."""
    here, there = player(), player(prefix=namespace)
    for program in (here, there):
        program.ask("tcp('a')")
        assert program.ask("acquire(S['a'], 26000, 3)")[0] == "("
    assert len(list(pool.glob("pool-*"))) == 2
    here.ask("close('a')")
    for program, answer in ((here, "26001"), (there, "EADDRINUSE")):
        program.ask("tcp('x')")
        assert program.ask("bind('x', 26001)") == answer
