/* SPDX-License-Identifier: MIT */
/*
 * Acquires blocks of some lengths and closes their sockets, against 20 bare
 * trial binds of the same protocol, the two alternating in short rounds. Prints
 * rows as bench.c does. Run preloaded.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"

enum { TRIALS = 20, TIMES = 10 };

/* libc's own: the trial binds are not to be asked about reservations. */
static int (*bare_bind)(int, const struct sockaddr *, socklen_t);
static int (*bare_close)(int);

struct row {
	const char *name;
	int type;
	int start; /* 0: a wildcard */
	int count;
	double limit;
};

static double
time_blocks(const struct row *row)
{
	int fd[TIMES];
	double start;

	for (int i = 0; i < TIMES; i++)
		fd[i] = socket(AF_INET, row->type, 0);
	start = now();
	for (int i = 0; i < TIMES; i++) {
		take(fd[i], row->start, row->count);
		close(fd[i]);
	}
	return (now() - start) / TIMES;
}

/* A wildcard goes on to other ports each time, which costs the kernel more. */
static double
time_trials(const struct row *row)
{
	static int first = BENCH_BLOCK;
	double start = now();

	for (int i = 0; i < TIMES * TRIALS; i++) {
		int port = row->start ? row->start + i % TRIALS : first + i;
		struct sockaddr_in6 any = {.sin6_family = AF_INET6,
					   .sin6_port = htons((uint16_t)port)};
		int fd = socket(AF_INET6, row->type, 0);

		bare_bind(fd, (struct sockaddr *)&any, sizeof(any));
		bare_close(fd);
	}
	first = first < 28000 ? first + TIMES * TRIALS : BENCH_BLOCK;
	return (now() - start) / TIMES;
}

static void
measure(const struct row *row)
{
	double mine[ROUNDS], theirs[ROUNDS];

	for (int round = -2; round < ROUNDS; round++) {
		double ours = time_blocks(row), bare = time_trials(row);

		if (round < 0)
			continue; /* warming up */
		mine[round] = ours;
		theirs[round] = bare;
	}
	print_row(row->name, typical(mine), typical(theirs), row->limit);
}

/* The close of a socket that owns a block, against that of one that does not.
 */
static void
measure_close(void)
{
	double mine[ROUNDS], theirs[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double start, middle;
		int fd[2 * TIMES];

		for (int i = 0; i < 2 * TIMES; i++)
			fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		for (int i = 0; i < TIMES; i++)
			take(fd[i], 0, 1);
		start = now();
		for (int i = 0; i < TIMES; i++)
			close(fd[i]);
		middle = now();
		for (int i = TIMES; i < 2 * TIMES; i++)
			bare_close(fd[i]);
		mine[round] = (middle - start) / TIMES;
		theirs[round] = (now() - middle) / TIMES;
	}
	print_row("close of an owner : bare", typical(mine), typical(theirs),
		  NO_LIMIT);
}

/* One acquire beside 4,000 live blocks against one beside 10. */
static void
measure_crowd(void)
{
	double few[ROUNDS], many[ROUNDS];

	hold_blocks(10);
	for (int round = 0; round < ROUNDS; round++)
		few[round] = time_one_acquire(20);
	hold_blocks(4000 - 10);
	for (int round = 0; round < ROUNDS; round++)
		many[round] = time_one_acquire(20);
	print_row("acquire 1 port, 4,000 live : 10", typical(many),
		  typical(few), 1.1);
}

int
main(void)
{
	static const struct row rows[] = {
		{"TCP 20 + close : 20 trial binds", SOCK_STREAM, BENCH_BLOCK,
		 20, 1.15},
		{"TCP 2,000", SOCK_STREAM, BENCH_BLOCK, 2000, 6},
		{"TCP 10,000", SOCK_STREAM, BENCH_BLOCK, 10000, 7},
		{"TCP 20, wildcard", SOCK_STREAM, 0, 20, 1.15},
		{"TCP 2,000, wildcard", SOCK_STREAM, 0, 2000, 6},
		{"TCP 10,000, wildcard", SOCK_STREAM, 0, 10000, 7},
		{"UDP 20 + close : 20 trial binds", SOCK_DGRAM, BENCH_BLOCK, 20,
		 0.75},
		{"UDP 2,000", SOCK_DGRAM, BENCH_BLOCK, 2000, 1.5},
		{"UDP 10,000", SOCK_DGRAM, BENCH_BLOCK, 10000, 1.5},
		{"UDP 20, wildcard", SOCK_DGRAM, 0, 20, 0.75},
		{"UDP 2,000, wildcard", SOCK_DGRAM, 0, 2000, 1.5},
		{"UDP 10,000, wildcard", SOCK_DGRAM, 0, 10000, 1.5},
	};
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	struct rlimit files = {20000, 20000};

	bare_bind = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(
		libc, "bind");
	bare_close = (int (*)(int))dlsym(libc, "close");
	setrlimit(RLIMIT_NOFILE, &files);
	stay_on_one_processor();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		measure(&rows[i]);
	measure_close();
	measure_crowd();
	return 0;
}
