# SPDX-License-Identifier: MIT
"""Servers that know nothing of portres, each doing what it does to survive."""

import json
import os
import signal
import subprocess

import pytest

from kits.playing import PYTHON
from kits.real import answers, ask, needed, send, until


def test_redis(serve, check):
    server = serve(needed("redis-server"), "--port", "{1}", "--save", "")
    assert "PONG" in ask(server.port, "PING\r\n")
    check(server)


def run_id(port):
    (line,) = (x for x in ask(port, "INFO server\r\n").splitlines() if x.startswith("run_id:"))
    return line


def test_redis_that_executes_itself_anew(serve, check):
    """DEBUG RESTART closes every descriptor that fcntl() says is there."""
    server = serve(
        needed("redis-server"), "--port", "{1}", "--save", "", "--enable-debug-command", "yes"
    )
    before = run_id(server.port)
    ask(server.port, "DEBUG RESTART\r\n")
    until(lambda: answers(server.port) and run_id(server.port) != before, "no restart")
    assert server.popen.poll() is None
    check(server)


NGINX = """
daemon off; pid nginx.pid; error_log stderr; worker_processes 2;
events {}
http { access_log off;
  server { listen PORT; location / { return 200 "nginx here"; } }
}
"""


def test_nginx_with_workers(serve, check, place):
    """With SIGHUP it takes the second port, and its workers are new ones."""
    server = serve(needed("nginx"), "-e", "stderr", "-p", ".", "-c", "config", config=NGINX)
    assert ask(server.port, "GET /\r\n") == "nginx here"
    config = place / "data/config"
    text = config.read_text()
    config.write_text(text.replace("listen", f"listen {server.spare}; listen"))
    send(server.popen, signal.SIGHUP)
    until(lambda: answers(server.spare), "no second port")
    assert ask(server.spare, "GET /\r\n") == ask(server.port, "GET /\r\n") == "nginx here"
    check(server)


HAPROXY = """
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 60s
frontend here
  bind 127.0.0.1:PORT
  http-request return status 200 content-type text/plain string "haproxy here"
"""


def test_haproxy_that_executes_itself_anew(serve, check, place):
    """With SIGUSR2 the master does; the new worker takes the second port, too."""
    server = serve(needed("haproxy"), "-W", "-f", "config", config=HAPROXY)
    assert "haproxy here" in ask(server.port, "GET / HTTP/1.0\r\n\r\n")
    config = place / "data/config"
    text = config.read_text()
    bind = f"  bind 127.0.0.1:{server.spare}\n"
    config.write_text(text.replace("  http-request", bind + "  http-request"))
    send(server.popen, signal.SIGUSR2)
    until(lambda: answers(server.spare), "no second port")
    assert "haproxy here" in ask(server.spare, "GET / HTTP/1.0\r\n\r\n")
    check(server)


def test_memcached_drops_its_privileges(serve, check):
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    server = serve(needed("memcached"), "-l", "127.0.0.1", "-p", "{1}", "-U", "0", *user)
    assert ask(server.port, "version\r\n").startswith("VERSION")
    check(server)


def test_postgresql(serve, check, as_user, place):
    become = as_user("postgres")
    data = place / "data/pg"
    subprocess.run(
        [*become, needed("initdb"), "-D", data, "-A", "trust", "-N"],
        check=True, stdout=subprocess.DEVNULL, cwd=place / "data",
    )
    server = serve(
        *become, needed("postgres"), "-D", data, "-p", "{1}", "-k", data, "-h", "127.0.0.1"
    )
    query = [needed("psql"), "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-Atc"]
    # A backend forks for each, and starts when recovery has ended.
    until(lambda: subprocess.run([*query, "select 6*7"], capture_output=True).stdout == b"42\n",
          "no answer")
    check(server)


@pytest.mark.parametrize(
    "program",
    [
        ["-m", "http.server", "--bind", "127.0.0.1", "{1}"],
        ["-c", "import asyncio, sys\n"
         "async def main():\n"
         "    async def hello(reader, writer):\n"
         "        await reader.read(); writer.write(b'asyncio here'); writer.close()\n"
         "    await (await asyncio.start_server(hello, '127.0.0.1', sys.argv[1])).serve_forever()\n"
         "asyncio.run(main())", "{1}"],
    ],
    ids=["http.server", "asyncio"],
)
def test_python(serve, check, program):
    server = serve(PYTHON, *program)
    assert ask(server.port, "GET / HTTP/1.0\r\n\r\n")
    check(server)


def test_iperf3_with_a_source_port_of_its_own(serve, place, real_env):
    iperf3 = needed("iperf3")
    server = serve(iperf3, "-s", "-p", "{1}", ready=lambda port: True)
    client = [place / "portres", "run", "--tcp", "1", "--", "sh", "-c",
              'echo $PORTRES_PORT >source; exec "$0" "$@"', iperf3, "-c", "127.0.0.1",
              "-p", str(server.port), "--cport", "{1}", "-n", "64K", "--json"]

    def measured():
        done = subprocess.run(client, env=real_env, cwd=place / "data",
                              capture_output=True, check=False, timeout=60)
        measured.by = json.loads(done.stdout)["start"]["connected"]
        return measured.by

    until(measured, "no measurement")
    (stream,) = measured.by
    assert stream["local_port"] == int((place / "data/source").read_text())
