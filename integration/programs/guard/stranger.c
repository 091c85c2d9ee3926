/* SPDX-License-Identifier: MIT */
/*
 * A program without the library binds a port in every way there is, and prints
 * one line for each: the way, and the error or 0.
 *
 *	stranger PORT [udp]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OP_BIND 56 /* IORING_OP_BIND, Linux 6.11 */

static int
by_libc(int fd, const void *address, socklen_t size)
{
	return bind(fd, address, size) < 0 ? errno : 0;
}

static int
by_system_call(int fd, const void *address, socklen_t size)
{
	return syscall(SYS_bind, fd, address, size) < 0 ? errno : 0;
}

/* One request through a ring of its own. ENOSYS: no such ring here. */
static int
by_io_uring(int fd, const void *address, socklen_t size)
{
	struct io_uring_params p = {0};
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);
	size_t length = p.cq_off.cqes + p.cq_entries * 16;
	struct io_uring_sqe *sqe;
	char *rings;
	int r;

	if (ring < 0)
		return ENOSYS;
	if (length < p.sq_off.array + p.sq_entries * 4)
		length = p.sq_off.array + p.sq_entries * 4;
	rings = mmap(NULL, length, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (rings == MAP_FAILED || sqe == MAP_FAILED)
		exit(2);
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = OP_BIND;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)address;
	sqe->off = size;
	*(unsigned *)(rings + p.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(rings + p.sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) < 0)
		exit(3);
	r = -((struct io_uring_cqe *)(rings + p.cq_off.cqes))->res;
	close(ring);
	return r == EINVAL ? ENOSYS : r;
}

static const struct {
	const char *name;
	int (*bind)(int fd, const void *address, socklen_t size);
} way[] = {
	{"libc", by_libc},
	{"raw", by_system_call},
	{"io_uring", by_io_uring},
};

static const struct {
	const char *name;
	int domain, family;
	const char *address;
} place[] = {
	{"v4", AF_INET, AF_INET, "127.0.0.1"},
	{"v4-any", AF_INET, AF_INET, "0.0.0.0"},
	{"v4-unspec", AF_INET, AF_UNSPEC, "0.0.0.0"},
	{"v6", AF_INET6, AF_INET6, "::1"},
	{"v6-any", AF_INET6, AF_INET6, "::"},
	{"mapped", AF_INET6, AF_INET6, "::ffff:127.0.0.1"},
};

static const int reuse[] = {0, SO_REUSEADDR, SO_REUSEPORT};

static socklen_t
fill(size_t i, int port, struct sockaddr_in6 *six)
{
	struct sockaddr_in *four = (struct sockaddr_in *)six;

	memset(six, 0, sizeof(*six));
	four->sin_family = (sa_family_t)place[i].family;
	four->sin_port = htons((uint16_t)port);
	if (place[i].domain == AF_INET) {
		inet_pton(AF_INET, place[i].address, &four->sin_addr);
		return sizeof(*four);
	}
	inet_pton(AF_INET6, place[i].address, &six->sin6_addr);
	return sizeof(*six);
}

static void
try(int port, int type, int protocol, const char *name)
{
	for (size_t w = 0; w < sizeof(way) / sizeof(*way); w++)
		for (size_t i = 0; i < sizeof(place) / sizeof(*place); i++)
			for (size_t r = 0; r < 3; r++) {
				struct sockaddr_in6 address;
				socklen_t size = fill(i, port, &address);
				int fd =
					socket(place[i].domain, type, protocol);
				int one = 1;

				if (fd < 0)
					continue;
				if (reuse[r])
					setsockopt(fd, SOL_SOCKET, reuse[r],
						   &one, sizeof(one));
				printf("%s/%s/%s/%d %d\n", name, way[w].name,
				       place[i].name, reuse[r],
				       way[w].bind(fd, &address, size));
				close(fd);
			}
}

int
main(int argc, char **argv)
{
	int port = atoi(argv[1]);

	if (argc > 2) {
		try(port, SOCK_DGRAM, 0, "udp");
		return 0;
	}
	try(port, SOCK_STREAM, 0, "tcp");
	try(port, SOCK_STREAM, 262, "mptcp");
	return 0;
}
