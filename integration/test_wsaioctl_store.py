# SPDX-License-Identifier: MIT
"""WSAIoctl while what it stores through its pointers fails, one by one."""

FAKES = r"""
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include "shim/request.h"
#include "shim/shim.h"
#include "shim/usermem.h"
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

int request_acquire(int fd, struct range wanted, enum pool_wait wait,
		  struct reservation *ret)
{
	(void)wait;
	(void)fd;
	errno = 99;
	ret->range = wanted;
	ret->token = 7;
	acquired++;
	return 0;
}

int request_release(int fd, uint64_t token, enum pool_wait wait)
{
	(void)wait;
	(void)fd;
	released += token == 7;
	return 0;
}

int request_associate(int fd, uint64_t token, enum pool_wait wait)
{
	(void)wait;
	(void)fd;
	(void)token;
	return 0;
}

int (*real_ioctl)(int, unsigned long, ...);

int shim_socket(int domain, int type, int protocol)
{
	return socket(domain, type, protocol);
}

int shim_close(int fd)
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
	SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

	WSAStartup(MAKEWORD(2, 2), &data);
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


def test_a_failing_store_gives_the_block_back(
        root, compile_program, run):
    """Memory that another thread unmaps during the call: whichever of our
    writes fails, nothing stays reserved."""
    parts = [root / f"winsock/{name}.c"
             for name in ("call", "ioctl", "error", "startup", "socket",
                          "overlapped", "operation", "handle", "thread",
                          "monitor")]
    program = compile_program(FAKES, "fakes", flags=[
        "-std=gnu11", "-D_GNU_SOURCE", "-DPORTRES_ITSELF", f"-I{root}", *map(str, parts),
        f"{root}/core/kernel/sock.c", f"{root}/core/kernel/sys.c", "-pthread"])
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
