/* SPDX-License-Identifier: MIT */
/*
 *	storm_threads SECONDS START
 *
 * One owner of START+4 beside 8 threads that open, duplicate, reserve and
 * close, each in 16 ports of its own above START+100. Says "ready", storms
 * (0 seconds: for ever), says "done N" and waits for its input to end.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "portres.h"

#define THREADS 8

static int start;
static uint64_t owners_token;
static atomic_bool over;
static atomic_long rounds;

static void
fail(const char *what)
{
	dprintf(1, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

static int
tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		fail("socket");
	return fd;
}

static void
shut(int fd)
{
	if (close(fd) < 0)
		fail("close");
}

static int
bind_to(int fd, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};

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

static uint64_t
acquire(int fd, int first, int count)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)first),
		.number_of_ports = (uint16_t)count,
	};

	if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0)
		fail("acquire");
	return block.token;
}

/* Some port of somebody's block. */
static void
bind_inside(uint64_t token, int first, int count)
{
	int fd = tcp();

	if (ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &token) < 0)
		fail("associate");
	/* All ports of the owner's block may be others' at this moment. */
	if (bind_to(fd, 0) < 0) {
		if (errno != EADDRINUSE || first != start)
			fail("bind inside");
	} else if (port_of(fd) < first || port_of(fd) >= first + count) {
		fail("bind inside went outside");
	}
	shut(fd);
}

static void *
close_it(void *fd)
{
	shut((int)(intptr_t)fd);
	return NULL;
}

/* Both of a socket's two descriptors at once: both may be the last. */
static void
close_twice(int fd)
{
	pthread_t other;
	int copy = dup(fd);

	if (copy < 0)
		fail("dup");
	if (pthread_create(&other, NULL, close_it, (void *)(intptr_t)copy))
		fail("pthread_create");
	shut(fd);
	pthread_join(other, NULL);
}

static void
play(int mine, long round)
{
	int fd = tcp();
	int stranger = tcp();

	if (bind_to(stranger, start + (int)(round % 4)) == 0 ||
	    errno != EADDRINUSE)
		fail("bind to the owner's port");
	if (round % 2) {
		bind_inside(acquire(fd, mine, 16), mine, 16);
		bind_inside(owners_token, start, 4);
	}
	switch (round % 6) {
	case 1:
		if (dup2(stranger, fd) != fd)
			fail("dup2");
		break;
	case 3:
		close_twice(fd);
		fd = tcp();
		break;
	case 5:
		/* Another thread's socket may get the number at once. */
		syscall(SYS_close, fd);
		fd = tcp();
		break;
	}
	shut(stranger);
	shut(fd);
}

static void *
thread_main(void *number)
{
	int mine = start + 100 + 16 * (int)(intptr_t)number;
	long round = 0;

	for (; !over; round++)
		play(mine, round);
	rounds += round;
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread[THREADS];
	struct timespec nap;
	double seconds;
	int owner;
	char c;

	if (argc != 3)
		return 1;
	seconds = atof(argv[1]);
	start = atoi(argv[2]);
	owner = tcp();
	owners_token = acquire(owner, start, 4);
	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, thread_main, (void *)i))
			fail("pthread_create");
	dprintf(1, "ready\n");
	nap.tv_sec = (time_t)seconds;
	nap.tv_nsec = (long)((seconds - (double)nap.tv_sec) * 1e9);
	if (seconds > 0)
		nanosleep(&nap, NULL);
	else
		pause();
	over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	bind_inside(owners_token, start, 4);
	dprintf(1, "done %ld\n", (long)rounds);
	return read(0, &c, 1) != 0;
}
