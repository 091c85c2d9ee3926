/* SPDX-License-Identifier: MIT */
/*
 *	storm_forks START CHILDREN
 *
 * Forks while 4 threads are inside the pool nearly all of the time: they ask
 * for START+50, whose last port is bound, and are refused after 49 trials.
 * Each child must be able to reserve at once; they live until their input
 * ends. Says "ready" when they are all there; then, after a line, the parent
 * forks once more and kills itself in the same breath.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "portres.h"

#define THREADS 4
#define PORTS 50

static int start;

static void
fail(const char *what)
{
	dprintf(1, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

static int
acquire(int fd, int first, int count)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)first),
		.number_of_ports = (uint16_t)count,
	};

	return ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block);
}

static void *
thread_main(void *nothing)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	while (acquire(fd, start, PORTS) < 0 && errno == EADDRINUSE)
		;
	fail("acquire in a thread");
	return nothing;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
child_main(int number, int bound, int ready)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd input = {.fd = 0};
	double began = now();

	close(bound);
	if (acquire(fd, start + 100 + number, 1) < 0)
		fail("acquire in a child");
	if (now() - began > 1)
		fail("acquire in a child took long");
	close(fd);
	(void)!write(ready, "x", 1);
	close(ready);
	/* Its end, and not the line, which is the parent's. */
	poll(&input, 1, -1);
	_exit(0);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	pthread_t thread;
	int children, bound;
	int ready[2];
	char c;

	if (argc != 3)
		return 1;
	start = atoi(argv[1]);
	children = atoi(argv[2]);
	bound = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_port = htons((uint16_t)(start + PORTS - 1));
	if (bind(bound, (struct sockaddr *)&at, sizeof(at)) || pipe(ready))
		fail("bind");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, thread_main, NULL);
	for (int i = 0; i < children; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0)
			child_main(i, bound, ready[1]);
	}
	close(ready[1]);
	for (int i = 0; i < children; i++)
		if (read(ready[0], &c, 1) != 1)
			fail("a child is missing");
	dprintf(1, "ready\n");
	if (read(0, &c, 1) != 1)
		return 1;
	if (fork() == 0)
		child_main(children, bound, ready[0]);
	kill(getpid(), SIGKILL);
}
