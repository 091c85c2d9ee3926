# SPDX-License-Identifier: MIT
"""A port as people expect it in Python: a number, a server that is ready, one
that ends in order, and to be told when a block is lost."""

import pytest


@pytest.fixture(autouse=True)
def quiet(plugin_env):
    """Other tests leave connections in TIME_WAIT where wildcards usually look."""
    plugin_env["PORTRES_WILDCARD"] = "28000-28999"


def test_a_port_for_the_process(script, under_a_guard):
    """It is an int, another one each time, and nobody's until the process ends. A
    child that popen() did not start is a stranger to a guard."""
    said = script(f"guarded = {under_a_guard}" + """
import gc
ports = [portres.port(), portres.port("udp"), portres.port()]
gc.collect()
assert all(type(port) is int for port in ports) and ports[0] != ports[2]
assert [stranger(ports[0]), stranger(ports[1], "udp")] == ["EADDRINUSE"] * 2
with socket.socket() as s:
    s.bind(("127.0.0.1", ports[0]))
child = subprocess.run([sys.executable, "-c",
                        f"import socket; socket.create_server(('', {ports[2]}))"],
                       stderr=subprocess.DEVNULL)
assert (child.returncode != 0) == guarded
print(ports[0])
""")
    script(f"assert stranger({int(said)}) == 'bound'")


def test_a_port_for_the_test(suite):
    suite("""
import socket
seen = []

@pytest.mark.parametrize("turn", range(2))
def test_it(reserved_port, turn):
    assert type(reserved_port) is int
    assert stranger(reserved_port) == "EADDRINUSE"
    with socket.create_server(("127.0.0.1", reserved_port)):
        pass
    seen.append(reserved_port)

def test_after():
    assert [stranger(port) for port in seen] == ["bound"] * 2
""", passed=3)


def test_both(script):
    """One number, two sockets, two tokens; programs get all of it."""
    script("""
r = portres.reserve(2, "both")
assert [stranger(r.ports[1], proto) for proto in ("tcp", "udp")] == ["EADDRINUSE"] * 2
one, two = r.socket(), r.socket(proto="udp")
assert one.getsockname() == two.getsockname() == ("127.0.0.1", r.port)
assert (one.type, two.type) == (socket.SOCK_STREAM, socket.SOCK_DGRAM)
env = r.env()
assert env["PORTRES_RANGES"] == f"tcp:{r.port}+2 udp:{r.port}+2"
assert env["PORTRES_PORTS"] == f"{r.port} {r.port + 1}"
assert len(r.fds) == 2 and env["PORTRES_TOKENS"].split() == list(map(str, r.tokens))
bind = "import socket, sys; [socket.socket(type=k).bind(('', int(sys.argv[1]))) for k in (1, 2)]"
assert r.popen([sys.executable, "-c", bind, str(r.ports[1])]).wait() == 0
assert repr(r) == f"<portres both {r.port}-{r.port + 1}>"
r.release()
assert [stranger(r.ports[1], proto) for proto in ("tcp", "udp")] == ["bound"] * 2
""")


def test_both_is_refused_by_either(script):
    script("""
udp = portres.reserve(1, "udp", 28000)
try:
    portres.reserve(1, "both", 28000)
    raise AssertionError
except portres.Error as error:
    assert "28000 is reserved" in str(error), error
assert stranger(28000) == "bound"
udp.release()
portres.reserve(1, "both", 28000).release()
""")


def test_aligned(script):
    script("""
for align in 1, 2, 16, 1000:
    with portres.reserve(2, align=align) as r:
        assert r.port % align == 0
for n, start, align in (1, 0, -1), (1, 0, 65536), (2, 28001, 2):
    try:
        portres.reserve(n, start=start, align=align)
        raise AssertionError
    except ValueError as error:
        assert str(align) in str(error)
for proto in "sctp", "":
    try:
        portres.reserve(proto=proto)
        raise AssertionError
    except ValueError as error:
        assert "'both'" in str(error)
""")


def test_every_address(script):
    script("""
with portres.reserve(2) as r, r.socket(host="") as s, r.socket(1, "::") as t:
    assert s.getsockname() == ("0.0.0.0", r.port)
    assert t.getsockname()[:2] == ("::", r.ports[1])
    try:
        r.socket(proto="udp")
        raise AssertionError
    except ValueError as error:
        assert "no 'udp'" in str(error)
""")


SERVER = """
SERVER = '''
import os, signal, socket, sys
kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[sys.argv[1]]
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET, kind)
sys.stdin.readline()
s.bind((sys.argv[2], int(sys.argv[3])))
if kind == socket.SOCK_STREAM:
    sys.stdin.readline()
    s.listen()
sys.stdin.read()
'''
def serve(r, proto, host):
    return r.popen([sys.executable, "-c", SERVER, proto, host, str(r.port)],
                   stdin=subprocess.PIPE, text=True, bufsize=1)
def waits(r, **kw):
    try:
        r.wait_listening(**kw)
        return False
    except TimeoutError as error:
        return f"{r.proto} {r.port}" in str(error)
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", ""])
@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_waiting_for_a_server(script, proto, host):
    """Bound is not listening yet. The server sees nothing of it."""
    script(SERVER + f"""
with portres.reserve(1, {proto!r}) as r:
    server = serve(r, {proto!r}, {host!r})
    assert waits(r, timeout=0.05)
    server.stdin.write("bind\\n")
    if {proto!r} == "tcp":
        assert waits(r, timeout=0.05)
        server.stdin.write("listen\\n")
    r.wait_listening()
    r.wait_listening(timeout=0)
    r.kill()
""")


def test_a_server_that_ends_before(script):
    """At once, with its status; not if another one is still there."""
    script("""
import time
with portres.reserve() as r:
    r.popen([sys.executable, "-c", "raise SystemExit(7)"])
    begin = time.monotonic()
    try:
        r.wait_listening(timeout=60)
        raise AssertionError
    except portres.Error as error:
        assert "status 7" in str(error) and f"tcp {r.port}" in str(error), error
    assert time.monotonic() - begin < 30
    sleeper = r.popen(["sleep", "600"])
    try:
        r.wait_listening(timeout=0.05)
        raise AssertionError
    except TimeoutError:
        pass
    r.kill()
""")


GRACE = """
POLITE = '''
import os, signal, sys, time
def end(*_):
    os.write(1, b"in order\\\\n")  # the line before may be under way in print()
    raise SystemExit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    signal.pause()
'''
def start(r, text=POLITE, **kw):
    program = r.popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, **kw)
    assert program.stdout.readline() == "ready\\n"
    return program
"""


DAEMON = """
import os, socket, sys, time
if os.fork():
    os._exit(0)
sys.stdin.readline()
time.sleep(0.1)
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
"""


def test_a_server_that_goes_into_the_background(script):
    """As a daemon that stays in its group: the program has ended, the server has not."""
    script(f"""
with portres.reserve() as r:
    r.apart = True
    program = r.popen([sys.executable, "-c", {DAEMON!r}, str(r.port)], stdin=subprocess.PIPE,
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert program.wait() == 0
    program.stdin.close()
    r.wait_listening(timeout=60)
    r.kill()
    try:
        r.wait_listening(timeout=60)
        raise AssertionError
    except portres.Error as error:
        assert "has ended, with status 0" in str(error), error
""")


def test_a_server_ends_in_order(suite, tmp_path):
    """At the end of its test: it may write what it has to."""
    said = suite(GRACE + """
started = []
def test_it(reserved_ports):
    started.append(start(reserved_ports()))

def test_after():
    (server,) = started
    assert (server.stdout.read(), server.returncode) == ("in order\\n", 0)
""", passed=2)
    assert "Warning" not in said


def test_what_does_not_listen_is_killed(script):
    script(GRACE + """
import time
STUBBORN = POLITE.replace('end)', 'signal.SIG_IGN)')
with portres.reserve() as r:
    one, two = start(r, STUBBORN), start(r)
    os.kill(two.pid, 19)  # SIGSTOP
    begin = time.monotonic()
    r.stop(timeout=1)
    assert 1 <= time.monotonic() - begin < 20
    assert (one.returncode, two.returncode) == (-9, 0)
    r.stop()  # again: there is nobody
""")


def test_its_group_ends_in_order_too(suite):
    """Of a shell and its server the server gets the signal as well."""
    suite(GRACE + """
started = []
def test_it(reserved_ports):
    shell = reserved_ports().popen(
        ["sh", "-c", '"$@" & wait', "sh", sys.executable, "-c", POLITE], stdout=subprocess.PIPE,
        text=True)
    assert shell.stdout.readline() == "ready\\n"
    started.append(shell)

def test_after():
    assert started[0].stdout.read() == "in order\\n"
""", passed=2)


def test_it_cannot_be_pickled(script):
    """And says what can be passed on."""
    script("""
import copy, pickle
with portres.reserve(1, start=28000) as r:
    for how in pickle.dumps, copy.copy, copy.deepcopy:
        try:
            how(r)
            raise AssertionError
        except TypeError as error:
            assert "<portres tcp 28000> cannot be pickled" in str(error)
            assert "r.socket()" in str(error)
""")


LOST = """
import warnings
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    {}
said = [str(w.message) for w in seen if w.category is RuntimeWarning]
"""


def test_a_block_that_is_lost_at_once(script):
    script(LOST.format("port = portres.reserve().port") + """
assert len(said) == 1 and f"<portres tcp {port}>" in said[0] and "portres.port()" in said[0]
""")
    assert "RuntimeWarning" in script("port = portres.reserve().port")  # by default


@pytest.mark.parametrize("use", [
    "r = portres.reserve(); r.release(); del r",
    "r = portres.reserve(); r.close(); del r",
    "s = portres.reserve().socket()",
    "portres.reserve().popen(['true']).wait()",
    "r = portres.reserve(); c = os.fork()\n"
    "    if c == 0:\n"
    "        del r\n"
    "        os._exit(len(seen))\n"
    "    assert os.waitpid(c, 0)[1] == 0\n"
    "    r.release()",
    "portres.port()",
])
def test_one_that_is_not(script, use):
    script(LOST.format(use) + "\nassert said == [], said\n")


def test_at_the_end_of_a_script(script):
    assert script("r = portres.reserve()") == ""
