# SPDX-License-Identifier: MIT
"""A program that has locked its memory, and may lock no more, cannot map the pool. That
is its own trouble: the pool is that of the others as before. Nor can it read the store."""

import subprocess
from errno import EADDRINUSE

import pytest

from kits.playing import refused

START, COUNT = 26500, 3

# It may not lock as much as the pool has, whoever runs the test.
LOCKED = r"""
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int lock_all(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct caps[2];
	struct rlimit limit = {256 << 10, 256 << 10};

	if (syscall(SYS_capget, &header, caps) < 0)
		return -1;
	caps[0].effective &= ~(1u << CAP_IPC_LOCK);
	if (syscall(SYS_capset, &header, caps) < 0)
		return -1;
	return setrlimit(RLIMIT_MEMLOCK, &limit) < 0 ? -1 : mlockall(MCL_FUTURE);
}

static int bind_to(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};

	return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof(at));
}

/* With another argument it has a pool, and makes the port a persistent block. */
int main(int argc, char **argv)
{
	int (*create)(int, uint16_t, uint16_t, uint64_t *);
	int port = argc > 1 ? atoi(argv[1]) : 0;
	uint64_t token;

	*(void **)&create = dlsym(RTLD_DEFAULT, "portres_persistent_create");
	if (!create || (argc > 2 && bind_to(port + 1) < 0) || lock_all() < 0)
		return 1;
	if (argc > 2)
		puts(create(IPPROTO_TCP, htons(port), 1, &token) < 0 ? strerror(errno) : "made");
	else
		puts(bind_to(port) == 0 ? "bound" : strerror(errno));
	return 0;
}
"""


@pytest.fixture
def run_locked(compile_program, shim_env, namespace):
    program = compile_program(LOCKED, "locked", flags=["-D_GNU_SOURCE"])

    def run_locked(port, *words, **settings):
        return subprocess.run([*namespace, program, str(port), *words], env={**shim_env, **settings},
                              stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    return run_locked


@pytest.fixture
def where(namespace):
    return namespace


def test_the_pool_of_the_others_stays(owner, player, run_locked, pool, where):
    owner.tcp().acquire(START, COUNT)
    (file,) = pool.glob("pool-*")
    before = file.stat().st_ino
    assert run_locked(START + COUNT) == "bound"
    assert file.stat().st_ino == before
    assert [f.name for f in pool.iterdir()] == [file.name]
    newcomer = player(prefix=where).tcp()
    with refused(EADDRINUSE):
        newcomer.bind(START)
    with refused(EADDRINUSE):
        newcomer.acquire(START, 1)


def test_it_is_told_that_there_is_no_pool(owner, run_locked):
    owner.tcp().acquire(START, COUNT)
    assert run_locked(START + COUNT, PORTRES_STRICT="1") == "Network is down"


def test_it_is_told_that_there_is_no_memory(run_locked, pool):
    """And not that somebody has the pool."""
    (pool / "persistent").write_text(f"tcp {START} 1\n")
    assert run_locked(START + COUNT, "create") == "Cannot allocate memory"
