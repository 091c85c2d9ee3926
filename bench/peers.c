/* SPDX-License-Identifier: MIT */
/*
 * usage: peers WAY WHAT NUMBER [NUMBER]
 *
 * A way to ports (bind-0, lock-file, portres), and one thing that it is asked:
 *
 *	time COUNT TIMES	picks so many ports in one go and gives them back;
 *				prints the median in nanoseconds
 *	many COUNT		picks them one by one, prints them, and has them
 *				until its input ends
 *	late COUNT		picks them one by one and prints "picked"; after a
 *				line of input it binds them, and prints how many
 *				it did not get
 *	rate MILLISECONDS BEGIN	prints how often it picked one and gave it back in
 *				that time, which begins at that second of the
 *				monotonic clock for all who are asked
 *
 * Or: peers busy SOCKETS, which binds to port 0 some thousand times a second and
 * has so many sockets at a time; peers server, which answers on $PORTRES_PORT, or
 * on the socket that it was started with.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <portres.h>

#include "bench/bench.h"

enum { PICKED = 16384 };

/* The ports that were picked, and what keeps them, if anything does. */
static struct picked {
	int port;
	int keeper;
	uint64_t token;
} picked[PICKED];

struct way {
	const char *name;
	void (*pick)(struct picked *to, int count);
	void (*give_back)(struct picked *from, int count);
	int (*bind)(struct picked *one);
};

static struct sockaddr_in
address(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* A bound socket, or -1. */
static int
bound(int port)
{
	struct sockaddr_in to = address(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
bind_picked(struct picked *one)
{
	return bound(one->port);
}

/* Ask the kernel, close, and hope. */

static void
bind_0_pick(struct picked *to, int count)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	for (int i = 0; i < count; i++) {
		to[i].keeper = bound(0);
		if (to[i].keeper < 0 ||
		    getsockname(to[i].keeper, (struct sockaddr *)&at, &size) < 0)
			die("bind to 0");
		to[i].port = ntohs(at.sin_port);
	}
	for (int i = 0; i < count; i++)
		close(to[i].keeper);
}

static void
bind_0_give_back(struct picked *from, int count)
{
	(void)from;
	(void)count;
}

/* A locked file a port, in a directory that all agree on, and a trial bind: as
 * the tests of PostgreSQL do, whose range this is. */

enum { LOCK_FIRST = 49152, LOCK_COUNT = 16384 };

static void
lock_path(int port, char *path, size_t size)
{
	snprintf(path, size, "%s/%d.lock", getenv("PEERS_DIRECTORY"), port);
}

static bool
lock_one(struct picked *to, int port)
{
	char path[512];
	int trial;

	lock_path(port, path, sizeof(path));
	to->keeper = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (to->keeper < 0)
		die(path);
	if (flock(to->keeper, LOCK_EX | LOCK_NB) == 0) {
		trial = bound(port);
		if (trial >= 0) {
			close(trial);
			to->port = port;
			return true;
		}
	}
	close(to->keeper);
	return false;
}

static void
lock_pick(struct picked *to, int count)
{
	static int next;

	if (!next) {
		srand((unsigned int)getpid());
		next = rand() % LOCK_COUNT;
	}
	for (int i = 0; i < count; next = (next + 1) % LOCK_COUNT)
		i += lock_one(&to[i], LOCK_FIRST + next);
}

static void
lock_give_back(struct picked *from, int count)
{
	for (int i = 0; i < count; i++)
		close(from[i].keeper);
}

/* By requests, for which nothing is linked: only this way is preloaded. The first
 * port of a block has what keeps all of it. */

static void
portres_pick(struct picked *to, int count)
{
	struct portres_instance block = {.number_of_ports = (uint16_t)count};

	to->keeper = socket(AF_INET, SOCK_STREAM, 0);
	if (ioctl(to->keeper, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0)
		die("acquire");
	for (int i = 0; i < count; i++)
		to[i].port = ntohs(block.start_port) + i;
	to->token = block.token;
}

static void
portres_give_back(struct picked *from, int count)
{
	(void)count;
	close(from->keeper);
}

static int
portres_bind(struct picked *one)
{
	struct sockaddr_in to = address(one->port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &one->token) < 0)
		die("associate");
	return bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ? fd : -1;
}

static const struct way ways[] = {
	{"bind-0", bind_0_pick, bind_0_give_back, bind_picked},
	{"lock-file", lock_pick, lock_give_back, bind_picked},
	{"portres", portres_pick, portres_give_back, portres_bind},
};

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
time_it(const struct way *way, int count, int times)
{
	double *took = calloc((size_t)times, sizeof(*took));

	for (int i = 0; took && i < times; i++) {
		double start = now();

		way->pick(picked, count);
		way->give_back(picked, count);
		took[i] = now() - start;
	}
	if (!took)
		die("memory");
	qsort(took, (size_t)times, sizeof(*took), compare);
	printf("%.0f\n", took[times / 2]);
	free(took);
}

static void
pick_one_by_one(const struct way *way, int count)
{
	for (int i = 0; i < count; i++)
		way->pick(&picked[i], 1);
}

static void
many(const struct way *way, int count)
{
	pick_one_by_one(way, count);
	for (int i = 0; i < count; i++)
		printf("%d\n", picked[i].port);
	fflush(stdout);
	while (getchar() != EOF)
		;
}

static void
late(const struct way *way, int count)
{
	int lost = 0;

	pick_one_by_one(way, count);
	puts("picked");
	fflush(stdout);
	if (getchar() == EOF)
		return;
	for (int i = 0; i < count; i++)
		lost += way->bind(&picked[i]) < 0;
	printf("%d\n", lost);
}

static void
rate(const struct way *way, int milliseconds, const char *begin)
{
	double start = begin ? atof(begin) * 1e9 : now();
	struct timespec at = {.tv_sec = (time_t)(start / 1e9)};
	long times = 0;

	at.tv_nsec = (long)(start - (double)at.tv_sec * 1e9);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	for (; now() < start + milliseconds * 1e6; times++) {
		way->pick(picked, 1);
		way->give_back(picked, 1);
	}
	printf("%ld\n", times);
}

/* A program that connects and serves all the time, as far as ports go. */
static void
busy(int sockets)
{
	struct timespec pause = {.tv_nsec = 1000000};
	int *open = calloc((size_t)sockets, sizeof(*open));

	for (long i = 0; open; i++) {
		int *one = &open[i % sockets];

		if (*one > 0)
			close(*one);
		*one = bound(0);
		if (i == sockets) {
			puts("busy");
			fflush(stdout);
		}
		if (i > sockets)
			nanosleep(&pause, NULL);
	}
}

static int
server(void)
{
	const char *port = getenv("PORTRES_PORT");
	int fd = port ? bound(atoi(port)) : 3, peer;

	if (port && listen(fd, 1) < 0)
		die("listen");
	peer = accept(fd, NULL, NULL);
	return peer < 0 || write(peer, "!", 1) != 1;
}

static int
number(const char *text)
{
	return text ? atoi(text) : 1;
}

int
main(int argc, char **argv)
{
	struct rlimit files = {20000, 20000};
	const char *what = argc > 2 ? argv[2] : "";

	setrlimit(RLIMIT_NOFILE, &files);
	if (argc == 2 && strcmp(argv[1], "server") == 0)
		return server();
	if (argc == 3 && strcmp(argv[1], "busy") == 0)
		busy(number(argv[2]));
	for (size_t i = 0; argc > 3 && i < sizeof(ways) / sizeof(*ways); i++) {
		int first = number(argv[3]);

		if (strcmp(ways[i].name, argv[1]) != 0 || first < 1 ||
		    first > PICKED)
			continue;
		if (strcmp(what, "time") == 0)
			time_it(&ways[i], first, number(argv[4]));
		else if (strcmp(what, "many") == 0)
			many(&ways[i], first);
		else if (strcmp(what, "late") == 0)
			late(&ways[i], first);
		else if (strcmp(what, "rate") == 0)
			rate(&ways[i], first, argv[4]);
		else
			return 2;
		return 0;
	}
	return 2;
}
