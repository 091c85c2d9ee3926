/* SPDX-License-Identifier: MIT */
/*
 * Calls with good, bad and absurd descriptors. For each one: the answer, errno
 * (12345 before it), the lowest free number and all open numbers after it.
 *
 *	lifetime_descriptors [START COUNT]
 *
 * With arguments it owns a reservation meanwhile, where there is somebody to
 * give it one. The output must be the same with and without portres.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "portres.h"

#define UNTOUCHED 12345
#define HIGH 200	/* where the owning socket is */
#define BEYOND 70000	/* above any table of 65536 */

extern int __close(int fd);

/* The open numbers, seen without a descriptor of one's own. */
static void
show_open(int most)
{
	for (int fd = 0; fd < most; fd++)
		if (syscall(SYS_fcntl, fd, F_GETFD) >= 0)
			printf(" %d", fd);
}

static void
show(const char *what, long r, int error)
{
	int lowest = (int)syscall(SYS_fcntl, 0, F_DUPFD, 0);

	syscall(SYS_close, lowest);
	printf("%s = %ld, %d; lowest %d; open", what, r, error, lowest);
	show_open(300);
	for (int fd = 65530; fd < 65545; fd++)
		if (syscall(SYS_fcntl, fd, F_GETFD) >= 0)
			printf(" %d", fd);
	if (syscall(SYS_fcntl, BEYOND, F_GETFD) >= 0)
		printf(" %d", BEYOND);
	printf("\n");
}

#define DO(call)                                                               \
	do {                                                                   \
		long r_;                                                       \
		errno = UNTOUCHED;                                             \
		r_ = (long)(call);                                             \
		show(#call, r_, errno);                                        \
	} while (0)

static struct sockaddr_in
address(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void
closes(void)
{
	int fd = open("/dev/null", O_RDWR);

	DO(close(-1));
	DO(close(INT_MIN));
	DO(close(INT_MAX));
	DO(close(99));
	DO(close(65535));
	DO(close(65536));
	DO(close(BEYOND));
	DO(close(1000000));
	DO(close(fd));
	DO(close(fd));
	DO(__close(-1));
	DO(__close(fd));
	DO(syscall(SYS_close, fd));
}

static void
dups(void)
{
	int fd = open("/dev/null", O_RDWR);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	DO(dup(-1));
	DO(dup(99));
	DO(dup2(fd, fd));
	DO(dup2(s, s));
	DO(dup2(99, 99));
	DO(dup2(fd, -1));
	DO(dup2(fd, INT_MAX));
	DO(dup2(99, fd));
	DO(dup3(fd, fd, 0));
	DO(dup3(fd, 50, 0x1234567));
	DO(dup3(s, 50, O_CLOEXEC));
	DO(fcntl(50, F_GETFD));
	DO(fcntl(fd, F_DUPFD, -1));
	DO(fcntl(fd, F_DUPFD, INT_MAX));
	DO(fcntl(s, F_DUPFD, 60));
	DO(fcntl(s, F_DUPFD_CLOEXEC, 60));
	DO(fcntl(61, F_GETFD));
	DO(fcntl(99, F_GETFD));
	DO(dup2(s, fd));
	DO(dup2(0, s));
	DO(close(s));
	DO(close(fd));
	DO(close(50));
	DO(close(60));
	DO(close(61));
}

static void
ranges(void)
{
	dup2(0, 150);
	dup2(0, 151);
	DO(close_range(10, 5, 0));
	DO(close_range(UINT_MAX, 0, 0));
	DO(close_range(UINT_MAX, UINT_MAX, 0));
	DO(close_range(150, 151, 0x100));
	DO(close_range(150, 151, -1));
	DO(close_range(151, 150, 0x100));
	DO(close_range(150, 151, CLOSE_RANGE_CLOEXEC));
	DO(fcntl(150, F_GETFD));
	DO(close_range(151, 160, CLOSE_RANGE_UNSHARE));
	DO(close_range(150, 150, 0));
	DO(close_range(150, 150, 0));
}

static void
sockets(void)
{
	struct sockaddr_in any = address(0), port = address(23999);
	struct sockaddr_un here = {.sun_family = AF_UNIX};
	int file = open("/dev/null", O_RDWR);
	int s, n = 0;

	DO(socket(-1, SOCK_STREAM, 0));
	DO(socket(AF_INET, 99, 0));
	DO(socket(AF_INET, SOCK_STREAM, 9999));
	DO(s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	DO(fcntl(s, F_GETFD));
	DO(bind(-1, (void *)&any, sizeof(any)));
	DO(bind(file, (void *)&any, sizeof(any)));
	DO(bind(99, (void *)&port, sizeof(port)));
	DO(bind(file, (void *)&port, sizeof(port)));
	DO(bind(s, NULL, sizeof(any)));
	DO(bind(s, (void *)&any, 3));
	DO(bind(s, (void *)&here, sizeof(here)));
	DO(bind(s, (void *)&port, sizeof(port)));
	DO(bind(s, (void *)&any, sizeof(any)));
	DO(ioctl(-1, FIONREAD, &n));
	DO(ioctl(99, FIOCLEX));
	DO(ioctl(file, FIONREAD, &n));
	DO(ioctl(s, 0xdeadbeef, &n));
	DO(ioctl(s, FIOCLEX));
	DO(ioctl(s, FIONCLEX));
	DO(fcntl(s, F_GETFD));
	DO(close(s));
	DO(close(file));
}

static void
beyond(void)
{
	struct rlimit limit = {BEYOND + 1000, BEYOND + 1000};
	struct sockaddr_in any = address(0);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	DO(setrlimit(RLIMIT_NOFILE, &limit));
	DO(fcntl(s, F_DUPFD, 65535));
	DO(fcntl(s, F_DUPFD, 65536));
	DO(dup2(s, BEYOND));
	DO(bind(BEYOND, (void *)&any, sizeof(any)));
	DO(close(65535));
	DO(close(65536));
	DO(close(BEYOND));
	DO(close(BEYOND));
	DO(close(s));
}

/* All but the owning socket, then that as well. */
static void
close_everything(void)
{
	long r = 0;

	for (int fd = 3; fd < 20; fd++)
		r += dup2(0, fd);
	for (int fd = 3; fd < HIGH; fd++)
		r += close(fd);
	show("a loop", r, 0);
	for (int fd = 3; fd < 20; fd++)
		dup2(0, fd);
	DO(close_range(3, HIGH - 1, 0));
	for (int fd = 3; fd < 20; fd++)
		dup2(0, fd);
	DO((closefrom(3), 0));
}

int
main(int argc, char **argv)
{
	struct portres_instance block = {0};
	int s;

	/* Before anything else: programs may expect 0 here. */
	printf("at first %d\n", errno);
	s = socket(AF_INET, SOCK_STREAM, 0);
	dup2(s, HIGH);
	close(s);
	if (argc == 3) {
		block.start_port = htons((uint16_t)atoi(argv[1]));
		block.number_of_ports = (uint16_t)atoi(argv[2]);
		if (ioctl(HIGH, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0)
			block.token = 0;
		fprintf(stderr, "%s\n", block.token ? "owner" : "no owner");
	}
	closes();
	dups();
	ranges();
	sockets();
	beyond();
	close_everything();
	return 0;
}
