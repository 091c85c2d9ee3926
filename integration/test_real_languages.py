# SPDX-License-Identifier: MIT
"""Language runtimes: their own ways to sockets, and Go, which no preload reaches."""

import os
import subprocess
from errno import EADDRINUSE

import pytest

from kits.playing import refused

from kits.real import ask, needed

NODE = """
const net = require("net"), cluster = require("cluster");
if (cluster.isPrimary && process.argv[3] === "cluster") {
  cluster.fork(); cluster.fork();
} else {
  net.createServer({allowHalfOpen: true}, s => s.resume().on("end", () => s.end("node here")))
     .listen(Number(process.argv[2]), "127.0.0.1");
}
"""


@pytest.mark.parametrize("how", ["alone", "cluster"])
def test_node(serve, check, place, how):
    """It closes by raw system calls; its workers get their sockets by messages."""
    (place / "data/server.js").write_text(NODE)
    server = serve(needed("node"), "server.js", "{1}", how)
    assert ask(server.port, "hello") == "node here"
    check(server)


JAVA = """
import java.net.*;
class Hello {
  public static void main(String[] args) throws Exception {
    // ProcessBuilder closes all descriptors of its children by hand.
    new ProcessBuilder("true").start().waitFor();
    ServerSocket server = new ServerSocket(Integer.parseInt(args[0]), 5,
                                           InetAddress.getByName("127.0.0.1"));
    while (true)
      try (Socket peer = server.accept()) {
        peer.getInputStream().readAllBytes();
        peer.getOutputStream().write("java here".getBytes());
      }
  }
}
"""


def test_java(serve, check, place):
    (place / "data/Hello.java").write_text(JAVA)
    server = serve(needed("java"), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "Hello.java", "{1}")
    assert ask(server.port, "hello") == "java here"
    check(server)


GO = """
package main
import ("fmt"; "io"; "net"; "os")
func main() {
  server, err := net.Listen("tcp", "127.0.0.1:" + os.Args[1])
  if err != nil { fmt.Println(err); os.Exit(1) }
  fmt.Println("bound")
  for {
    peer, err := server.Accept()
    if err != nil { return }
    io.ReadAll(peer); io.WriteString(peer, "go here"); peer.Close()
  }
}
"""


@pytest.fixture
def go(place, real_env):
    """A Go program that serves the port of its argument."""
    (place / "data/hello.go").write_text(GO)
    subprocess.run(
        [needed("go"), "build", "-o", "hello", "hello.go"],
        env={**os.environ, "CGO_ENABLED": "0", "GOCACHE": str(place / "cache"),
             "GO111MODULE": "off", "HOME": str(place)},
        cwd=place / "data", check=True,
    )
    return place / "data/hello"


def test_go_is_not_covered(serve, check, player, real_env, go, under_a_guard):
    """It serves its block, because nothing refuses it; it is not kept off others'
    blocks either, but by a guard; what it has bound is seen by all."""
    server = serve(go, "{1}")
    assert ask(server.port, "hello") == "go here"
    check(server)

    owner = player(real_env)
    a = owner.tcp()
    port = a.acquire(0, 2).start
    if under_a_guard:
        return
    intruder = subprocess.Popen([go, str(port + 1)], env=real_env, stdout=subprocess.PIPE)
    try:
        assert intruder.stdout.readline() == b"bound\n"
        a.close()
        a = owner.tcp()
        with refused(EADDRINUSE):
            a.acquire(port, 2)
        a.acquire(port, 1)
    finally:
        intruder.kill()
        intruder.wait()
        intruder.stdout.close()
