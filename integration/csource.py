# SPDX-License-Identifier: MIT
"""Small C programs for tests: a body that says what it sees, line by line."""

import subprocess

import pytest

PREAMBLE = r"""
#include <winsock2.h>
#include <mstcpip.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <unistd.h>

#define ACQUIRE SIO_ACQUIRE_PORT_RESERVATION
#define RELEASE SIO_RELEASE_PORT_RESERVATION
#define ASSOCIATE SIO_ASSOCIATE_PORT_RESERVATION

static void say(const char *name, long value)
{
	printf("%s %ld\n", name, value);
}

/* 0 or the Winsock code of the error. */
static int ioc(SOCKET s, unsigned long code, const void *in, DWORD in_size,
	       void *out, DWORD out_size, DWORD *bytes)
{
	return WSAIoctl(s, code, (void *)in, in_size, out, out_size, bytes,
			NULL, NULL) == 0 ? 0 : WSAGetLastError();
}

static INET_PORT_RANGE ports(int start, int count)
{
	INET_PORT_RANGE range = {htons(start), count};

	return range;
}

static void started(void)
{
	WSADATA data;

	if (WSAStartup(MAKEWORD(2, 2), &data))
		abort();
}

static SOCKET tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

/* An address where nothing is, and a page that cannot be written. */
static void *nowhere(void)
{
	char *page = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	munmap(page, 8192);
	return page;
}

static void *read_only(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
"""


@pytest.fixture
def run_c(compile_program, shim_env):
    """run_c(body) -> {name: value} of what the body of main said."""

    def run_c(body):
        text = PREAMBLE + "int main(void)\n{\n" + body + "\n\treturn 0;\n}\n"
        program = compile_program(
            text, "body", flags=["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                                 "-Wno-unused", "-pthread"])
        run = subprocess.run([program], env=shim_env, capture_output=True,
                             text=True, check=False, timeout=60)
        assert run.returncode == 0, (run.returncode, run.stderr)
        said = (line.rsplit(" ", 1) for line in run.stdout.splitlines())
        return {name: int(value) for name, value in said}

    return run_c
