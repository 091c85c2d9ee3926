/* SPDX-License-Identifier: MIT */
/*
 * A libc whose bind() dawdles, to be preloaded after the library: what lies
 * between the library's look at the books and the kernel's bind is otherwise
 * some hundred nanoseconds, and no race would ever be seen to be lost. Every
 * fourth call only, so that there are binds at full speed as well.
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
	static __thread unsigned turn;
	long end = now() + (++turn % 4 ? 0 : turn / 4 % 32 * 5000);

	while (now() < end)
		;
	return (int)syscall(SYS_bind, fd, address, size);
}
