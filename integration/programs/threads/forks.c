/* SPDX-License-Identifier: MIT */
/*
 *	storm_forks START CHILDREN
 *
 * Forks while 4 threads are inside the pool nearly all of the time: they ask
 * for START+50, whose last port is bound, and are refused after 49 trials.
 * When they have come out, each child must be able to reserve without waiting:
 * who is inside by then came along with the fork. The children live until their
 * input ends. Says "ready" when they are all there; then, after a line, the
 * parent forks once more and kills itself in the same breath, and that child
 * says "there".
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "portres.h"

#define THREADS 4
#define PORTS 50

static int start, bound;
/* The one who forks has it, and no thread goes in until the child has been let
 * go on. */
static pthread_mutex_t entrance = PTHREAD_MUTEX_INITIALIZER;
static atomic_int outside;

static void
fail(const char *what)
{
	dprintf(1, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

static struct portres_instance
block_at(int first, int count)
{
	return (struct portres_instance){
		.start_port = htons((uint16_t)first),
		.number_of_ports = (uint16_t)count,
	};
}

/* By the bound port; or, where a busy machine has no turn for it in five
 * seconds, by the pool. */
static bool
is_refused(int fd)
{
	struct portres_instance block = block_at(start, PORTS);

	return ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0 &&
	       (errno == EADDRINUSE || errno == ENETDOWN);
}

static void *
thread_main(void *nothing)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	while (is_refused(fd)) {
		atomic_fetch_add(&outside, 1);
		pthread_mutex_lock(&entrance);
		atomic_fetch_sub(&outside, 1);
		pthread_mutex_unlock(&entrance);
	}
	fail("acquire in a thread");
	return nothing;
}

static void
child_main(int number, int go, int told, const char *word)
{
	struct portres_instance block = block_at(start + 100 + number, 1);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd input = {.fd = 0};
	char c;

	close(bound);
	if (read(go, &c, 1) != 0) /* its end */
		fail("read");
	close(go);
	if (portres_acquire(fd, &block, PORTRES_NOWAIT) < 0)
		fail("acquire in a child");
	close(fd);
	dprintf(told, "%s", word);
	close(told);
	/* Its end, and not the line, which is the parent's. */
	poll(&input, 1, -1);
	_exit(0);
}

/* So that the fork is in the middle of it: they are all in line. */
static void
wait_until_all_are_inside(int fd)
{
	struct portres_instance block = block_at(start + PORTS - 1, 1);

	while (atomic_load(&outside) > 0 ||
	       portres_acquire(fd, &block, PORTRES_NOWAIT) == 0 ||
	       errno != EAGAIN)
		sched_yield();
}

/* Returns what lets the child go on when it is closed: here, or by our death.
 */
static int
fork_child(int number, int told, const char *word)
{
	int go[2];
	pid_t child;

	if (pipe(go))
		fail("pipe");
	wait_until_all_are_inside(bound);
	pthread_mutex_lock(&entrance);
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		close(go[1]);
		child_main(number, go[0], told, word);
	}
	close(go[0]);
	return go[1];
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	pthread_t thread;
	int children;
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
		int go = fork_child(i, ready[1], "x");

		while (atomic_load(&outside) < THREADS)
			sched_yield();
		close(go);
		if (read(ready[0], &c, 1) != 1)
			fail("a child is missing");
		pthread_mutex_unlock(&entrance);
	}
	dprintf(1, "ready\n");
	if (read(0, &c, 1) != 1)
		return 1;
	fork_child(children, 1, "there\n");
	kill(getpid(), SIGKILL);
}
