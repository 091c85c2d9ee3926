/* SPDX-License-Identifier: MIT */
/*
 *	lifetime_emfile START COUNT TAKEN
 *
 * Acquires and binds with 0, 1, 2, ... descriptors left. TAKEN is a port of
 * somebody else's block. Says for each number what came of it, and how many
 * locks the socket carries afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "portres.h"

#define MOST 6

static struct rlimit all;

static void
leave_free(int n)
{
	int lowest = dup(0);
	struct rlimit limit = {(rlim_t)(lowest + n), all.rlim_max};

	close(lowest);
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int
locks_on(int fd)
{
	char path[64], line[256];
	FILE *file;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, "lock:") != NULL;
	if (file)
		fclose(file);
	return n;
}

static int
bind_to(int fd, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};

	errno = 0;
	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

static int
port_of(int fd)
{
	struct sockaddr_in at = {0};
	socklen_t size = sizeof(at);

	getsockname(fd, (struct sockaddr *)&at, &size);
	return ntohs(at.sin_port);
}

static void
acquire(struct portres_instance block)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	for (int n = 0; n <= MOST; n++) {
		struct portres_instance got = block;
		int r, error;

		leave_free(n);
		errno = 0;
		r = ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &got);
		error = errno;
		setrlimit(RLIMIT_NOFILE, &all);
		printf("acquire %d %d %d\n", n, error, locks_on(fd));
		if (r == 0)
			ioctl(fd, SIO_RELEASE_PORT_RESERVATION, &got.token);
	}
	close(fd);
}

static void
bind_others(int port)
{
	for (int n = 0; n <= MOST; n++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		leave_free(n);
		bind_to(fd, port);
		printf("bind %d %d\n", n, errno);
		setrlimit(RLIMIT_NOFILE, &all);
		close(fd);
	}
}

static void
bind_associated(struct portres_instance block)
{
	int owner = socket(AF_INET, SOCK_STREAM, 0);

	ioctl(owner, SIO_ACQUIRE_PORT_RESERVATION, &block);
	for (int n = 0; n <= MOST; n++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &block.token);
		leave_free(n);
		bind_to(fd, 0);
		printf("associated %d %d %d\n", n, errno, port_of(fd));
		setrlimit(RLIMIT_NOFILE, &all);
		close(fd);
	}
	close(owner);
}

/* Closing takes a descriptor to be prompt; without one it is still right. */
static void
close_one(struct portres_instance block)
{
	int owner = socket(AF_INET, SOCK_STREAM, 0);
	int copy;

	ioctl(owner, SIO_ACQUIRE_PORT_RESERVATION, &block);
	copy = dup(owner);
	leave_free(0);
	errno = 0;
	printf("close %d", close(owner));
	printf(" %d\n", errno);
	setrlimit(RLIMIT_NOFILE, &all);
	printf("one is left\n");
	fflush(stdout);
	getchar();
	printf("close %d", close(copy));
	printf(" %d\n", errno);
	printf("none is left\n");
	fflush(stdout);
	getchar();
}

int
main(int argc, char **argv)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)atoi(argv[1])),
		.number_of_ports = (uint16_t)atoi(argv[2]),
	};

	if (argc != 4)
		return 1;
	getrlimit(RLIMIT_NOFILE, &all);
	acquire(block); /* the pool is opened on the way */
	bind_others(atoi(argv[3]));
	bind_associated(block);
	close_one(block);
	return 0;
}
