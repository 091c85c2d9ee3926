/* SPDX-License-Identifier: MIT */
/*
 *	starved_fork START FORKS
 *
 * Forks while 4 threads ask for START+50 again and again, whose last port is
 * bound: there is always one inside the pool. The thread that forks shares one
 * processor with them, and is scheduled after all others. Prints for each fork
 * how often the threads had come out of the pool by its end, and how many
 * descriptors the child has that the parent did not open.
 */
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "portres.h"

#define THREADS 4
#define PORTS 50

static struct portres_instance block = {.number_of_ports = PORTS};
static atomic_int turns;

static void
fail(const char *what)
{
	dprintf(1, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

static void *
thread_main(void *nothing)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct portres_instance wish = block;

	while (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &wish) < 0 &&
	       (errno == EADDRINUSE || errno == ENETDOWN))
		atomic_fetch_add(&turns, 1);
	fail("acquire in a thread");
	return nothing;
}

/* In the child, where nobody opens any. */
static int
descriptors(void)
{
	DIR *all = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(all))
		n++;
	closedir(all);
	return n;
}

static void
fork_once(int expected)
{
	int before = atomic_load(&turns);
	pid_t child = fork();
	int status;

	if (child < 0)
		fail("fork");
	if (child == 0)
		_exit(descriptors());
	before = atomic_load(&turns) - before;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		fail("waitpid");
	printf("%d %d\n", before, WEXITSTATUS(status) - expected);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	cpu_set_t here;
	pthread_t thread;
	int start, fd, expected;

	if (argc != 3)
		return 2;
	start = atoi(argv[1]);
	block.start_port = htons((uint16_t)start);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_port = htons((uint16_t)(start + PORTS - 1));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		fail("bind");
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) < 0)
		fail("sched_setaffinity");
	/* Each thread opens a socket. */
	expected = descriptors() + THREADS;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, thread_main, NULL);
	while (atomic_load(&turns) < THREADS * 10)
		sched_yield();
	/* The priority is this thread's alone. */
	if (setpriority(PRIO_PROCESS, 0, 19) < 0)
		fail("setpriority");
	for (int i = 0; i < atoi(argv[2]); i++)
		fork_once(expected);
	return 0;
}
