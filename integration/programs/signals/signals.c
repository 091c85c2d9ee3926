/* SPDX-License-Identifier: MIT */
/*
 *	storm_signals storm SECONDS START restart|interrupt
 *		a 10 kHz timer whose handler makes the calls that main makes
 *	storm_signals wait acquire|bind|associated START restart|interrupt
 *		after a line: one call with a 1 kHz timer, for when the pool is
 *		locked by somebody else
 *
 * Blocks are START+4 for main, START+4 and up for the handler and for wait.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "portres.h"

#define UNTOUCHED 12345
#define COUNT 4

/* The calls that one context, main or the handler, has under way. */
struct player {
	const char *name;
	int start;
	int step;
	int owner, user, stranger;
	uint64_t token;
	long turns, interrupted;
};

static bool may_interrupt;
static volatile sig_atomic_t storming, forking;
static struct player in_main = {.name = "main"};
static struct player in_handler = {.name = "handler"};

static void
fail(struct player *p, const char *what, int r, int error)
{
	dprintf(1, "%s: %s = %d, errno %d\n", p->name, what, r, error);
	_exit(1);
}

/* True when the call is done; false when it was interrupted, legally. */
static bool
check(struct player *p, const char *what, int r, int wanted)
{
	int error = errno;

	if (r < 0 && error == EINTR && may_interrupt) {
		p->interrupted++;
		return false;
	}
	if (wanted == 0 ? r < 0 || error != UNTOUCHED
			: r >= 0 || error != wanted)
		fail(p, what, r, error);
	return true;
}

static int
bind_to(int fd, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};

	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

static int
acquire(struct player *p)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)p->start),
		.number_of_ports = COUNT,
	};
	int r = ioctl(p->owner, SIO_ACQUIRE_PORT_RESERVATION, &block);

	p->token = block.token;
	return r;
}

static void
tcp(struct player *p, int *ret_fd)
{
	errno = UNTOUCHED;
	*ret_fd = socket(AF_INET, SOCK_STREAM, 0);
	check(p, "socket", *ret_fd, 0);
}

static void
shut(struct player *p, int fd)
{
	errno = UNTOUCHED;
	check(p, "close", close(fd), 0);
}

/* The next one of a round of calls. */
static void
play(struct player *p)
{
	bool done = true;

	errno = UNTOUCHED;
	switch (p->step) {
	case 0:
		tcp(p, &p->owner);
		break;
	case 1:
		done = check(p, "acquire", acquire(p), 0);
		break;
	case 2:
		tcp(p, &p->user);
		break;
	case 3:
		done = check(p, "associate",
			     ioctl(p->user, SIO_ASSOCIATE_PORT_RESERVATION,
				   &p->token),
			     0);
		break;
	case 4:
		done = check(p, "bind inside", bind_to(p->user, p->start + 1),
			     0);
		break;
	case 5:
		tcp(p, &p->stranger);
		break;
	case 6:
		done = check(p, "bind to a reserved port",
			     bind_to(p->stranger, p->start), EADDRINUSE);
		break;
	case 7:
		done = check(p, "bind outside",
			     bind_to(p->stranger, p->start + 100), 0);
		break;
	case 8:
		shut(p, p->stranger);
		break;
	case 9:
		if (p->turns % 2)
			done = check(p, "release",
				     ioctl(p->user,
					   SIO_RELEASE_PORT_RESERVATION,
					   &p->token),
				     0);
		break;
	case 10:
		shut(p, p->user);
		break;
	default:
		shut(p, p->owner);
		p->turns++;
		p->step = -1;
	}
	if (done)
		p->step++;
}

static void
on_timer(int number)
{
	int saved = errno;
	int fd;

	(void)number;
	if (storming && forking) {
		/* The child has copies of our sockets: no round goes on. */
		tcp(&in_handler, &fd);
		shut(&in_handler, fd);
	} else if (storming) {
		play(&in_handler);
	}
	errno = saved;
}

static void
start_timer(long us, bool restart)
{
	struct sigaction action = {.sa_handler = on_timer,
				   .sa_flags = restart ? SA_RESTART : 0};
	struct itimerval every = {{0, us}, {0, us}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static void
stop_timer(void)
{
	struct itimerval never = {{0, 0}, {0, 0}};

	setitimer(ITIMER_REAL, &never, NULL);
}

/* Its timer does not run in the child; the mask must be as it was. */
static void
fork_once(void)
{
	struct player child = {.name = "child", .start = in_main.start + 200};
	sigset_t mask;
	int status;
	pid_t pid;

	forking = 1;
	pid = fork();
	if (pid == 0) {
		storming = 0;
		sigprocmask(SIG_SETMASK, NULL, &mask);
		for (int i = 1; i < 64; i++)
			if (sigismember(&mask, i) == 1)
				fail(&child, "mask", i, 0);
		while (child.turns == 0)
			play(&child);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		;
	if (status != 0)
		_exit(1);
	forking = 0;
}

static int
storm(double seconds, int start, bool restart)
{
	struct timespec began, t;
	long turn = 0;

	may_interrupt = !restart;
	in_main.start = start;
	in_handler.start = start + COUNT;
	storming = 1;
	start_timer(100, restart);
	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		play(&in_main);
		if (in_main.turns != turn) {
			turn = in_main.turns;
			if (turn % 64 == 0)
				fork_once();
		}
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while ((double)(t.tv_sec - began.tv_sec) +
			 (double)(t.tv_nsec - began.tv_nsec) / 1e9 <
		 seconds);
	stop_timer();
	printf("main %ld handler %ld interrupted %ld\n", in_main.turns,
	       in_handler.turns, in_main.interrupted + in_handler.interrupted);
	return 0;
}

static int
port_of(int fd)
{
	struct sockaddr_in at = {0};
	socklen_t size = sizeof(at);

	getsockname(fd, (struct sockaddr *)&at, &size);
	return ntohs(at.sin_port);
}

static int
wait_once(const char *what, int start, bool restart)
{
	struct player *p = &in_main;
	int r, error;
	char c;

	p->start = start;
	p->owner = socket(AF_INET, SOCK_STREAM, 0);
	p->user = socket(AF_INET, SOCK_STREAM, 0);
	if (!strcmp(what, "associated")) {
		acquire(p);
		ioctl(p->user, SIO_ASSOCIATE_PORT_RESERVATION, &p->token);
	} else {
		bind_to(p->user, start + 100); /* opens the pool */
		close(p->user);
		p->user = socket(AF_INET, SOCK_STREAM, 0);
	}
	dprintf(1, "ready\n");
	if (read(0, &c, 1) != 1)
		return 1;
	start_timer(1000, restart);
	errno = UNTOUCHED;
	if (!strcmp(what, "acquire"))
		r = acquire(p);
	else
		r = bind_to(p->user, what[0] == 'b' ? start : 0);
	error = errno;
	stop_timer();
	dprintf(1, "%d %d %d\n", r, error, port_of(p->user));
	return 0;
}

int
main(int argc, char **argv)
{
	bool restart;

	if (argc != 5)
		return 1;
	restart = !strcmp(argv[4], "restart");
	if (!strcmp(argv[1], "storm"))
		return storm(atof(argv[2]), atoi(argv[3]), restart);
	return wait_once(argv[2], atoi(argv[3]), restart);
}
