/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "portres.h"
#include "ways.h"

#define DUP2_COPY 20
#define DUP3_COPY 21
#define FCNTL_COPY 30

extern int __close(int fd);

struct row row;

void
fail(const char *what)
{
	dprintf(2, "%s %s %s: %s: %s\n", row.where, row.dup, row.close, what,
		strerror(errno));
	_exit(1);
}

void
step(const char *word)
{
	char line[64];
	size_t n = strlen(word);

	memcpy(line, word, n);
	line[n++] = '\n';
	if (write(1, line, n) != (ssize_t)n)
		_exit(2);
	do {
		if (read(0, line, 1) != 1)
			_exit(2);
	} while (line[0] != '\n');
}

void
end(void)
{
	if (write(1, "end\n", 4) != 4)
		_exit(2);
	_exit(0);
}

static void
skip(void)
{
	step("skip");
	end();
}

void
expect_owner(int error)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int r, port;

	MUST(fd);
	errno = 0;
	r = ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &row.token);
	if (errno != error || (r == 0) != (error == 0)) {
		dprintf(2, "wanted %d: ", error);
		fail("associate");
	}
	if (r == 0) {
		MUST(bind(fd, (struct sockaddr *)&at, size));
		MUST(getsockname(fd, (struct sockaddr *)&at, &size));
		port = ntohs(at.sin_port);
		if (port < row.start || port >= row.start + row.count)
			fail("bound outside of the block");
	}
	close(fd);
}

int
take(int flags)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)row.start),
		.number_of_ports = (uint16_t)row.count,
	};
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	MUST(fd);
	MUST(dup3(fd, ORIGINAL, flags & SOCK_CLOEXEC ? O_CLOEXEC : 0));
	close(fd);
	MUST(ioctl(ORIGINAL, SIO_ACQUIRE_PORT_RESERVATION, &block));
	row.token = block.token;
	step("owned");
	return ORIGINAL;
}

static void
post(const int pair[2], int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec byte = {.iov_base = "x", .iov_len = 1};
	struct msghdr message = {.msg_iov = &byte,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	MUST(sendmsg(pair[0], &message, 0));
}

static int
fetch(const int pair[2])
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec room = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &room,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int fd;

	MUST(recvmsg(pair[1], &message, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	close(pair[0]);
	close(pair[1]);
	return fd;
}

struct copy
duplicate(int fd)
{
	const char *way = row.dup;
	struct copy copy = {-1, {-1, -1}};

	if (!strcmp(way, "none"))
		return copy;
	if (!strcmp(way, "dup"))
		copy.fd = dup(fd);
	else if (!strcmp(way, "dup2"))
		copy.fd = dup2(fd, DUP2_COPY);
	else if (!strcmp(way, "dup3"))
		copy.fd = dup3(fd, DUP3_COPY, 0);
	else if (!strcmp(way, "F_DUPFD"))
		copy.fd = fcntl(fd, F_DUPFD, FCNTL_COPY);
	else if (!strcmp(way, "F_DUPFD_CLOEXEC"))
		copy.fd = fcntl(fd, F_DUPFD_CLOEXEC, FCNTL_COPY);
	else {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, copy.pair));
		post(copy.pair, fd);
		if (!strcmp(way, "in flight"))
			return copy;
		copy.fd = fetch(copy.pair);
		copy.pair[0] = copy.pair[1] = -1;
	}
	MUST(copy.fd);
	return copy;
}

/* close() by io_uring, with bare system calls; no liburing needed. */
static void
close_by_ring(int fd)
{
	struct io_uring_params p = {0};
	struct io_uring_sqe *sqe;
	char *rings;
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);

	if (ring < 0)
		skip(); /* ENOSYS, or EPERM by sysctl or seccomp */
	rings = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		     IORING_OFF_SQ_RING);
	sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	if (rings == MAP_FAILED || sqe == MAP_FAILED)
		fail("io_uring");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_CLOSE;
	sqe->fd = fd;
	((unsigned *)(rings + p.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(rings + p.sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	MUST(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		     NULL, 0));
	munmap(rings, 4096);
	munmap(sqe, 4096);
	syscall(SYS_close, ring);
}

void
close_by(int fd)
{
	const char *way = row.close;
	int null;

	if (!strcmp(way, "close")) {
		MUST(close(fd));
	} else if (!strcmp(way, "__close")) {
		MUST(__close(fd));
	} else if (!strcmp(way, "close_range")) {
		MUST(close_range((unsigned)fd, (unsigned)fd, 0));
	} else if (!strcmp(way, "close_range unshare")) {
		MUST(close_range((unsigned)fd, (unsigned)fd,
				 CLOSE_RANGE_UNSHARE));
	} else if (!strcmp(way, "closefrom")) {
		closefrom(fd);
	} else if (!strcmp(way, "dup2")) {
		MUST(null = open("/dev/null", O_RDWR));
		MUST(dup2(null, fd));
		close(null);
	} else if (!strcmp(way, "dup3")) {
		MUST(null = open("/dev/null", O_RDWR));
		MUST(dup3(null, fd, O_CLOEXEC));
		close(null);
	} else if (!strcmp(way, "fclose")) {
		MUST(fclose(fdopen(fd, "r+")));
	} else if (!strcmp(way, "freopen")) {
		if (!freopen("/dev/null", "r", fdopen(fd, "r+")))
			fail("freopen");
	} else if (!strcmp(way, "syscall")) {
		MUST(syscall(SYS_close, fd));
	} else if (!strcmp(way, "io_uring")) {
		close_by_ring(fd);
	} else {
		fail("no such way to close");
	}
}

void
end_copy(struct copy copy)
{
	bool message = copy.pair[0] >= 0;

	if (message || copy.fd >= 0) {
		step("copied");
		/* Nobody holds a socket that is in flight. */
		expect_owner(message ? EACCES : 0);
		if (message)
			copy.fd = fetch(copy.pair);
		expect_owner(0);
		close_by(copy.fd);
	}
	step("closed");
	expect_owner(EINVAL);
}

void
hold(int fd)
{
	struct copy copy;

	expect_owner(0);
	copy = duplicate(fd);
	close_by(fd);
	end_copy(copy);
}

void
vanish(int fd)
{
	struct copy copy = duplicate(fd);

	close_by(fd);
	if (copy.pair[0] >= 0)
		copy.fd = fetch(copy.pair);
	if (copy.fd >= 0)
		close_by(copy.fd);
}
