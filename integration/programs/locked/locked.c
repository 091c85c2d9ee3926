/* SPDX-License-Identifier: MIT */
/*
 * A libc whose bind() tells whether the pool is locked meanwhile, to be
 * preloaded after the library. RACE_POOL is the pool's file, RACE_SAYS the
 * file that it is told to, "PORT locked" or "PORT open" a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By an open file of its own, which is not the library's. */
static bool
locked(void)
{
	int fd = open(getenv("RACE_POOL"), O_RDWR | O_CLOEXEC);
	bool locked = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;

	syscall(SYS_close, fd);
	return locked;
}

int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
	int port = ntohs(((const struct sockaddr_in *)address)->sin_port);
	int says = open(getenv("RACE_SAYS"), O_WRONLY | O_APPEND | O_CLOEXEC);

	dprintf(says, "%d %s\n", port, locked() ? "locked" : "open");
	syscall(SYS_close, says);
	return (int)syscall(SYS_bind, fd, address, size);
}
