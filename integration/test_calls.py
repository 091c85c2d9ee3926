# SPDX-License-Identifier: MIT
"""The system calls that a bind makes beside bind() itself: those that
docs/limits.md lists for people with a sandbox, and no others."""

import pathlib
import re
import shutil
import tempfile

import pytest

from kits import limits

START = 25800
PROGRAM = """
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Marks the trace: writes nothing to nobody. */
static void mark(void) { writev(-1, NULL, 0); }

int main(int n, char **argument)
{
	for (int i = 1; i < n; i++) {
		struct sockaddr_in at = {.sin_family = AF_INET,
					 .sin_port = htons(atoi(argument[i]))};
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		mark();
		bind(fd, (struct sockaddr *)&at, sizeof(at));
	}
	mark();
	return 0;
}
"""


@pytest.fixture
def pool():
    """In memory, as the usual ones."""
    path = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def calls(compile_program, start, shim_env, tmp_path, has):
    """calls(port …) -> for each bind the names of the other calls."""
    if not has("strace"):
        pytest.skip("needs strace")
    program = compile_program(PROGRAM, "binds")

    def calls(*ports):
        out = tmp_path / "trace"
        variables = [f"-E{v}={shim_env[v]}" for v in ("LD_PRELOAD", "PORTRES_POOL")]
        bare = {k: v for k, v in shim_env.items() if k not in ("LD_PRELOAD", "PORTRES_POOL")}
        traced = start(["strace", "-o", out, *variables, program, *ports], bare)
        assert traced.popen.wait(timeout=60) == 0
        parts = re.split(r"^writev\(.*\n", out.read_text(), flags=re.M)[1:-1]
        return [[w for w in re.findall(r"^(\w+)\(", part, re.M) if w not in ("bind", "socket")]
                for part in parts]

    return calls


def test_the_table_is_true(calls, owner):
    table = {when: set(made) for when, (made, _) in limits.rows().items()}
    there = table["first bind, pool there"]
    later, reserved = table["a later bind"], table["a bind to a reserved port"]
    disk, missing = table["the same, pool on a disk"], table["the same, pool not there"]
    new, again = calls(START, START + 1)
    assert missing <= set(new) <= there | disk | missing
    assert set(again) == later
    owner.tcp().acquire(START + 10, 1)
    first, again, refused = calls(START, START + 1, START + 10)
    assert set(first) == there
    assert set(again) == later and len(again) == 1
    assert set(refused) == later | reserved
    # None of them is made twice for the same reason.
    assert len(first) == 22 and len(refused) <= 5
