# SPDX-License-Identifier: MIT
"""WSAIoctl while what it stores through its pointers fails, one by one."""

FAKES = r"""
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include "portres.h"
#include "winsock/usermem.h"
#include "winsock2.h"
#include "mstcpip.h"

static int writes, failing, acquired, released;

int usermem_read(void *to, const void *user, size_t n)
{
	memcpy(to, user, n);
	return 0;
}

int usermem_write(void *user, const void *from, size_t n)
{
	if (++writes == failing)
		return -EFAULT;
	memcpy(user, from, n);
	return 0;
}

int usermem_get(void *to, const void *user, size_t n)
{
	return usermem_read(to, user, n);
}

int usermem_put(void *user, const void *from, size_t n)
{
	return usermem_write(user, from, n);
}

int user_observe(const unsigned long *user, unsigned long *ret)
{
	*ret = *user;
	return 0;
}

int usermem_publish(unsigned long *user, unsigned long value)
{
	return usermem_write(user, &value, sizeof(value));
}

int portres_acquire(int fd, struct portres_instance *block, unsigned int flags)
{
	(void)flags;
	(void)fd;
	errno = 99;
	block->token = 7;
	acquired++;
	return 0;
}

int portres_release(int fd, uint64_t token, unsigned int flags)
{
	(void)flags;
	(void)fd;
	errno = 99;
	released += token == 7;
	return 0;
}

int close(int fd)
{
	(void)fd;
	errno = 99;
	return 0;
}

int main(void)
{
	INET_PORT_RANGE range = {htons(5000), 1};
	INET_PORT_RESERVATION_INSTANCE block;
	DWORD bytes;
	WSADATA data;
	SOCKET s;

	WSAStartup(MAKEWORD(2, 2), &data);
	s = socket(AF_INET, SOCK_STREAM, 0);
	for (failing = 1; failing <= 5; failing++) {
		int r;

		writes = acquired = released = 0;
		errno = 12345;
		r = WSAIoctl(s, SIO_ACQUIRE_PORT_RESERVATION, &range, 4,
			     &block, 16, &bytes, NULL, NULL);
		printf("%d %d %d\n", r == 0 ? 0 : WSAGetLastError(), acquired,
		       released);
	}
	closesocket(s);
	return errno == 12345 ? 42 : 1;
}
"""


REPLACED = r"""
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include "portres.h"
#include "winsock2.h"
#include "mstcpip.h"

static _Atomic int turns, released;

int portres_acquire(int fd, struct portres_instance *block, unsigned int flags)
{
	errno = EAGAIN;
	if (turns++ == 0 || flags != PORTRES_NOWAIT)
		return -1;
	dup2(socket(AF_INET, SOCK_STREAM, 0), fd);
	block->token = 7;
	return 0;
}

int portres_release(int fd, uint64_t token, unsigned int flags)
{
	(void)fd;
	released += token == 7 && flags == 0;
	return 0;
}

int main(void)
{
	INET_PORT_RANGE range = {htons(5000), 1};
	INET_PORT_RESERVATION_INSTANCE block;
	WSAOVERLAPPED o = {0};
	DWORD bytes, flags;
	WSADATA data;
	SOCKET s;

	WSAStartup(MAKEWORD(2, 2), &data);
	s = socket(AF_INET, SOCK_STREAM, 0);
	WSAIoctl(s, SIO_ACQUIRE_PORT_RESERVATION, &range, 4, &block, 16, &bytes,
		 &o, NULL);
	printf("%d ", WSAGetLastError());
	WSAGetOverlappedResult(s, &o, &bytes, TRUE, &flags);
	printf("%d %d\n", WSAGetLastError(), released);
	return 0;
}
"""


def test_a_socket_that_is_replaced_meanwhile(compile_program, run):
    """By another one, at the moment at which a pending request is answered."""
    assert run(compile_program(REPLACED, "replaced")).stdout == "997 995 1\n"


def test_a_failing_store_gives_the_block_back(
        root, compile_program, run):
    """Memory that another thread unmaps during the call: whichever of our
    writes fails, nothing stays reserved."""
    parts = sorted({*(root / "winsock").glob("*.c")} - {root / "winsock/usermem.c"})
    program = compile_program(FAKES, "fakes", flags=[
        "-std=gnu11", "-D_GNU_SOURCE", "-DPORTRES_ITSELF", f"-I{root}", *map(str, parts),
        "-pthread"])
    ended = run(program)
    # And whatever passes through errno on the way to success stays inside.
    assert ended.returncode == 42
    assert ended.stdout.splitlines() == [
        "10014 0 0",  # the number of bytes, 0 at first
        "10014 0 0",  # the output buffer, tried
        "10014 1 1",  # the output buffer, stored
        "10014 1 1",  # the number of bytes
        "0 1 0",
    ]
