/* SPDX-License-Identifier: MIT */
/*
 * Fork handlers of other libraries. -DLIBRARY makes the library, which is
 * initialised before portres, so that its handlers run inside of portres'.
 *
 *	lifetime_atfork calls START	handlers that make socket calls
 *	lifetime_atfork late START	the same, outside of portres' own
 *	lifetime_atfork signal START	a signal comes in the middle of a fork,
 *					and its handler makes socket calls
 *	lifetime_atfork inside START	one thread forks while another is in the
 *					pool, in the middle of a bind
 *	lifetime_atfork stuck START	that bind goes on only when the fork
 *					has come through
 *	lifetime_atfork slow START	two threads fork; the handler of one
 *					goes on for as long as the other needs
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "portres.h"

#ifdef LIBRARY

void (*handler)(const char *when);

static void
before(void)
{
	if (handler)
		handler("before");
}

static void
in_parent(void)
{
	if (handler)
		handler("in the parent");
}

static void
in_child(void)
{
	if (handler)
		handler("in the child");
}

__attribute__((constructor)) static void
start(void)
{
	pthread_atfork(before, in_parent, in_child);
}

void (*in_bind)(void);

/* Portres' binds count too: this library comes before libc. */
int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
	if (in_bind)
		in_bind();
	return (int)syscall(SYS_bind, fd, address, size);
}

#else

extern void (*handler)(const char *when);
extern void (*in_bind)(void);

static int first;
static sem_t inside, done;
static __thread int slow;
static bool stuck; /* and therefore late */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
check(const char *when, const char *what, int r)
{
	if (r >= 0)
		return;
	printf("%s: %s: %s\n", when, what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static void
make_calls(const char *when)
{
	/* Parent and child come here at the same time. */
	int start = first + (strcmp(when, "in the child") ? 0 : 10);
	struct portres_instance block = {.start_port = htons((uint16_t)start),
					 .number_of_ports = 2};
	struct sockaddr_in at = {.sin_family = AF_INET};
	int owner = socket(AF_INET, SOCK_STREAM, 0);
	int user = socket(AF_INET, SOCK_STREAM, 0);
	double began = now();

	check(when, "acquire",
	      ioctl(owner, SIO_ACQUIRE_PORT_RESERVATION, &block));
	check(when, "associate",
	      ioctl(user, SIO_ASSOCIATE_PORT_RESERVATION, &block.token));
	check(when, "bind", bind(user, (struct sockaddr *)&at, sizeof(at)));
	check(when, "close", close(user));
	check(when, "release",
	      ioctl(owner, SIO_RELEASE_PORT_RESERVATION, &block.token));
	check(when, "close", close(owner));
	errno = ETIME;
	check(when, "time", now() - began < 1 || stuck ? 0 : -1);
}

static volatile sig_atomic_t signals;

static void
on_signal(int number)
{
	(void)number;
	signals++;
	make_calls("in the signal's handler");
}

/* Not in the middle: what the handler waited for could be waiting for it. */
static void
interrupt(const char *when)
{
	if (!strcmp(when, "before"))
		raise(SIGUSR1);
	errno = EINTR;
	check(when, "signal", signals ? -1 : 0);
}

static void
late_before(void)
{
	make_calls("before");
}

static void
late_in_parent(void)
{
	make_calls("in the parent");
}

static void
late_in_child(void)
{
	make_calls("in the child");
}

static void
linger(const char *when)
{
	struct timespec limit;

	if (!slow || strcmp(when, "before"))
		return;
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 10;
	sem_post(&inside);
	sem_timedwait(&done, &limit);
}

static void
stay(void)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_nsec += 200000000;
	limit.tv_sec += limit.tv_nsec / 1000000000;
	limit.tv_nsec %= 1000000000;
	sem_post(&inside);
	/* The fork should be waiting for us, not we for it. */
	if (sem_timedwait(&done, &limit) == 0) {
		errno = EBUSY;
		check("in a bind", "fork", -1);
	}
}

static void
stay_stuck(void)
{
	sem_post(&inside);
	sem_wait(&done);
}

static void *
bind_inside(void *stay_how)
{
	in_bind = stay_how;
	make_calls("in a thread");
	return NULL;
}

static void
tell(const char *when)
{
	if (!strcmp(when, "before"))
		sem_post(&done);
}

/* The child has nobody inside, whatever the parent had. */
static void
tell_and_call(const char *when)
{
	in_bind = NULL;
	tell(when);
	if (!strcmp(when, "in the child"))
		make_calls(when);
}

static void
fork_once(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	check("fork", "fork", child);
	waitpid(child, &status, 0);
	if (status != 0)
		_exit(1);
}

static void *
fork_slowly(void *nothing)
{
	slow = 1;
	fork_once();
	slow = 0;
	return nothing;
}

int
main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3)
		return 1;
	first = atoi(argv[2]);
	if (!strcmp(argv[1], "late")) {
		pthread_atfork(late_before, late_in_parent, late_in_child);
		fork_once();
		return 0;
	}
	if (!strcmp(argv[1], "calls")) {
		handler = make_calls;
		fork_once();
		return 0;
	}
	if (!strcmp(argv[1], "signal")) {
		signal(SIGUSR1, on_signal);
		handler = interrupt;
		fork_once();
		errno = ENOMSG;
		check("afterwards", "signal", signals == 1 ? 0 : -1);
		return 0;
	}
	sem_init(&inside, 0, 0);
	sem_init(&done, 0, 0);
	if (!strcmp(argv[1], "inside") || !strcmp(argv[1], "stuck")) {
		stuck = argv[1][0] == 's';
		pthread_create(&thread, NULL, bind_inside,
			       stuck ? stay_stuck : stay);
		sem_wait(&inside);
		handler = stuck ? tell_and_call : tell;
		fork_once();
		pthread_join(thread, NULL);
		return 0;
	}
	make_calls("at first");
	handler = linger;
	pthread_create(&thread, NULL, fork_slowly, NULL);
	sem_wait(&inside);
	fork_once();
	sem_post(&done);
	pthread_join(thread, NULL);
	handler = NULL;
	make_calls("afterwards");
	return 0;
}

#endif
