# SPDX-License-Identifier: MIT
"""Small programs of the kinds that people bring, with all the words that such use:
built unchanged by every compiler, for Windows too, and run."""

import re
import socket
import threading

import pytest
from kits.compilers import FOUND

EVERY = pytest.mark.parametrize("language, compiler", FOUND, ids=lambda word: word)
WIN32 = ["-D_WIN32", "-Wno-unknown-pragmas"]


@pytest.fixture
def serve(by_compiler, start, under, language, compiler):
    """serve(name, *flags) -> (the program, its port)."""

    def serve(name, *flags):
        program = start([*under, by_compiler(name, language, compiler, *WIN32, *flags)])
        return program, int(re.match(r"port (\d+)", program.line())[1])

    return serve


def connected(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=60)
    return s, s.makefile("rw", newline="\n")


@EVERY
def test_echo(serve, by_compiler, run, language, compiler):
    server, port = serve("echo_server")
    client = by_compiler("echo_client", language, compiler, *WIN32)
    ended = run(client, port, "this is a test")
    assert ended.stdout == "Received 14: this is a test\nPress any key...\n"
    assert [server.line(), server.line()] == ["Bytes sent: 14", "Connection closing..."]
    assert server.popen.wait(60) == 0
    refused = run(client, port, "again")
    assert refused.returncode == 1
    assert re.search(r"^connect: 10061, [A-Z].+\.\n\Z", refused.stderr, re.M)


@EVERY
def test_chat(serve):
    server, port = serve("chat")
    one, ones = connected(port)
    assert ones.readline() == "guest0 joined\n"
    two, twos = connected(port)
    assert [ones.readline(), twos.readline()] == ["guest1 joined\n"] * 2
    one.sendall(b"/NAME Ann of a long name\r\n")
    # Or two lines might come in one piece, of which the server reads the first.
    assert [ones.readline(), twos.readline()] == ["guest0 is Ann of a long n now\n"] * 2
    two.sendall(b"hello\r\n")
    assert ones.readline() == "guest1: hello\n"
    one.sendall(b"hi\n")
    assert twos.readline() == "Ann of a long n: hi\n"
    for s in two, twos:
        s.close()
    assert ones.readline() == "guest1 left\n"
    one.sendall(b"/Quit\n")
    assert server.popen.wait(60) == 0
    for s in one, ones:
        s.close()


@EVERY
def test_workers(serve):
    """Eight clients at once, and three places."""
    server, port = serve("workers")
    answers = []

    def ask(number):
        s, lines = connected(port)
        s.sendall(str(number).encode())
        answers.append(lines.readline())
        lines.close()
        s.close()

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert server.line() == "total 36, in time"
    assert server.popen.wait(60) == 0
    assert len(answers) == 8
    assert all(re.fullmatch(r"\d+ \d\d:\d\d\n", answer) for answer in answers)


@EVERY
def test_port_server(serve):
    """Threads of CreateThread that share a completion port; all clients are open at
    once, and each is answered before the last says stop."""
    server, port = serve("port_server")
    clients = [connected(port) for _ in range(20)]
    for turn in range(5):
        for number, (s, _) in enumerate(clients):
            s.sendall(f"turn {turn} of {number}\n".encode())
        for number, (_, lines) in enumerate(clients):
            assert lines.readline() == f"TURN {turn} OF {number}\n"
    for s, lines in clients[1:]:
        s.shutdown(socket.SHUT_WR)
        assert lines.read() == ""
    clients[0][0].sendall(b"Stop\n")
    assert clients[0][1].read() == ""
    assert server.line() == "served 100, open 0"
    assert server.popen.wait(60) == 0
    for s, lines in clients:
        lines.close()
        s.close()


@EVERY
def test_oldest(serve):
    server, port = serve("oldest")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(60)
        s.sendto(b"hello", ("127.0.0.1", port))
        assert s.recv(99) == b"you said HELLO, 5 bytes"
    assert server.popen.wait(60) == 0


@EVERY
@pytest.mark.parametrize("flags", [(), ("-DUNICODE", "-D_UNICODE")], ids=["narrow", "wide"])
def test_resolve(by_compiler, run, language, compiler, flags):
    program = by_compiler("resolve", language, compiler, *WIN32, *flags)
    ended = run(program, "127.0.0.1", 80)
    assert ended.stdout == "127.0.0.1 80\n127.0.0.1:80\n"
    ended = run(program, "no number", 80)
    assert (ended.stdout, ended.returncode) == ("no number 80\nerror 11001\n", 1)


@pytest.mark.parametrize("name", [
    "echo_server", "echo_client", "chat", "workers", "port_server", "oldest",
    "resolve"])
def test_the_same_source_for_windows(mingw, name):
    assert mingw(name).exists()
