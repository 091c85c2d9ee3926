# SPDX-License-Identifier: MIT
"""Small C programs for tests: a body that says what it sees, line by line."""

import pytest

PREAMBLE = r"""
#include <winsock2.h>
#include <mstcpip.h>
#include <ws2spi.h>
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
	printf("%s %lld\n", name, (long long)value);
}

/* 0 or the Winsock code of the error. */
static int ioc(SOCKET s, unsigned long code, const void *in, DWORD in_size,
	       void *out, DWORD out_size, DWORD *bytes)
{
	return WSAIoctl(s, code, (void *)in, in_size, out, out_size, bytes,
			NULL, NULL) == 0 ? 0 : WSAGetLastError();
}

/* The same of WSPIoctl, which leaves the last error alone. */
static int spi(SOCKET s, unsigned long code, const void *in, DWORD in_size,
	       void *out, DWORD out_size, DWORD *bytes)
{
	int error = 0;
	int r;

	errno = 4321;
	r = WSPIoctl(s, code, (void *)in, in_size, out, out_size, bytes, NULL,
		     NULL, NULL, &error);
	if (errno != 4321)
		printf("errno %d\n", errno);
	return r == 0 ? 0 : error;
}

/* Both with an overlapped structure. */
static int ioc_over(SOCKET s, unsigned long code, const void *in,
		    DWORD in_size, void *out, DWORD out_size, DWORD *bytes,
		    void *overlapped)
{
	return WSAIoctl(s, code, (void *)in, in_size, out, out_size, bytes,
			overlapped, NULL) == 0 ? 0 : WSAGetLastError();
}

static int spi_over(SOCKET s, unsigned long code, const void *in,
		    DWORD in_size, void *out, DWORD out_size, DWORD *bytes,
		    void *overlapped)
{
	int error = 0;

	return WSPIoctl(s, code, (void *)in, in_size, out, out_size, bytes,
			overlapped, NULL, NULL, &error) == 0 ? 0 : error;
}

static int over_buffers(SOCKET s, void *overlapped, const void *in, void *out,
			DWORD *bytes)
{
	return ioc_over(s, ACQUIRE, in, 4, out, 16, bytes, overlapped);
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

/* Also for tests of what comes before WSAStartup: a socket lives on. */
static SOCKET kind(int family, int type)
{
	SOCKET s;

	started();
	s = socket(family, type, 0);
	WSACleanup();
	return s;
}

static SOCKET tcp(void)
{
	return kind(AF_INET, SOCK_STREAM);
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


def program_text(body, before=""):
    """A program with that body of main, and what stands before it."""
    return (PREAMBLE + before + "int main(void)\n{\n" + body
            + "\n\treturn 0;\n}\n")


@pytest.fixture
def run_c(compile_program, run):
    """run_c(body) -> {name: value} of what the body of main said."""

    def run_c(body, before=""):
        program = compile_program(
            program_text(body, before), "body",
            flags=["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                   "-Wno-unused", "-pthread"])
        ended = run(program)
        assert ended.returncode == 0, (ended.returncode, ended.stderr)
        said = (line.rsplit(" ", 1) for line in ended.stdout.splitlines())
        return {name: int(value) for name, value in said}

    return run_c
