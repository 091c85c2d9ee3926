# SPDX-License-Identifier: MIT
"""Windows programs under Wine, whose server makes their binds: where wine and a
compiler for it are installed, which tests/packages does not ask for."""

import os
import subprocess

import pytest


# Prints what bind() and an acquire by WSAIoctl() come to.
PROGRAM = r"""
#include <winsock2.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	char wanted[4] = {0, 0, 1, 0}, got[16];
	WSADATA data;
	DWORD n;
	SOCKET s;
	int r;

	WSAStartup(MAKEWORD(2, 2), &data);
	s = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_port = htons(atoi(argv[argc - 1]));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r = bind(s, (struct sockaddr *)&at, sizeof(at));
	printf("bind %d\n", r ? WSAGetLastError() : 0);
	r = WSAIoctl(s, 0x98000064, wanted, 4, got, 16, &n, NULL, NULL);
	printf("acquire %d\n", r ? WSAGetLastError() : 0);
	return 0;
}
"""

BOUND, REFUSED = "bind 0", "bind 10048"


@pytest.fixture(scope="module")
def prefix(has, tmp_path_factory):
    """(Wine's folder, the program in it); made once, which takes ten seconds."""
    for program in "wine", "wineserver", "x86_64-w64-mingw32-gcc":
        if not has(program):
            pytest.skip(f"no {program}")
    folder = tmp_path_factory.mktemp("wine")
    (folder / "program.c").write_text(PROGRAM)
    subprocess.run(["x86_64-w64-mingw32-gcc", "program.c", "-o", "program.exe", "-lws2_32"],
                   cwd=folder, check=True)
    done = subprocess.run(["wineboot", "-i"], env=settings(folder), cwd=folder, check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
    subprocess.run(["wineserver", "-k"], env=settings(folder), check=False, timeout=60)
    if done.returncode != 0:
        pytest.skip("wineboot fails here")
    return folder


def settings(folder):
    bare = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    return {**bare, "WINEPREFIX": str(folder / "prefix"), "WINEDEBUG": "-all", "DISPLAY": "",
            "WINEDLLOVERRIDES": "mscoree,mshtml="}


@pytest.fixture
def wine(prefix, cli_env):
    """wine(command, port, **variables) -> what the program says, with a wineserver
    of its own, that ends with it."""
    env = {**cli_env, **settings(prefix), "PORTRES_POOL": cli_env["PORTRES_POOL"]}

    def wine(command, port, **variables):
        run = subprocess.run([*command, "wine", "program.exe", str(port)], cwd=prefix,
                             env={**env, **variables}, stdout=subprocess.PIPE, text=True,
                             check=False, timeout=120)
        subprocess.run(["wineserver", "-k"], env=env, check=False, timeout=60)
        return run.stdout.split("\n")[:2]

    return wine


def test_a_preloaded_wineserver_refuses(cli, wine, build, listed):
    """All programs of its prefix. Requests are answered by Wine itself. A guard needs
    no preload."""
    cli("persistent", "add", "tcp", 28500, 2)
    (block,) = listed()
    preload = {"LD_PRELOAD": str(build / "libportres.so")}
    assert wine([], 28501, **preload) == [REFUSED, "acquire 10045"]
    assert wine([], 28502, **preload) == [BOUND, "acquire 10045"]
    assert wine([], 28501) == [REFUSED if block["guarded"] else BOUND, "acquire 10045"]


def test_run_gives_it_ports(cli, wine, build):
    """The wineserver that it starts has the block."""
    cli("persistent", "add", "tcp", 28500, 2)
    run = [build / "portres", "run", "--tcp", "28500+1", "--"]
    assert wine(run, 28500)[0] == BOUND
    elsewhere = [build / "portres", "run", "--tcp", "28510+1", "--"]
    assert wine(elsewhere, 28500)[0] == REFUSED
    assert wine(elsewhere, 28510)[0] == BOUND
