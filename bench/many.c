/* SPDX-License-Identifier: MIT */
/*
 * Many processes acquire blocks of 20 ports and close them, each as fast as it
 * can, on one pool. Prints rows as bench.c does: how much slower all together
 * are than one alone; how much the slowest one gets of an equal share; and the
 * longest wait of all. Run preloaded.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

enum { MOST = 64 };

#define DURATION 2e9 /* nanoseconds */
#define WAIT_LIMIT 2.5e8

struct worker {
	uint64_t done;
	double longest; /* nanoseconds of one acquire and close */
};

static struct board {
	_Atomic int go; /* 1: work; 2: stop */
	_Atomic int ready;
	struct worker worker[MOST];
} * board;

static void
work(struct worker *worker)
{
	atomic_fetch_add(&board->ready, 1);
	while (atomic_load(&board->go) == 0)
		usleep(100);
	while (atomic_load(&board->go) == 1) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		double start = now(), took;

		take(fd, 0, 20);
		close(fd);
		took = now() - start;
		if (took > worker->longest)
			worker->longest = took;
		worker->done++;
	}
	_exit(0);
}

static void
run(int count)
{
	*board = (struct board){0};
	for (int i = 0; i < count; i++)
		if (fork() == 0)
			work(&board->worker[i]);
	while (atomic_load(&board->ready) < count)
		usleep(1000);
	atomic_store(&board->go, 1);
	usleep((useconds_t)(DURATION / 1e3));
	atomic_store(&board->go, 2);
	for (int i = 0; i < count; i++) {
		int status;

		if (wait(&status) < 0 || status != 0)
			die("worker");
	}
}

static double
total(int count)
{
	uint64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += board->worker[i].done;
	return (double)sum;
}

int
main(void)
{
	double alone;

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		die("mmap");
	run(1);
	alone = DURATION / total(1);
	for (int count = 4; count <= MOST; count *= 4) {
		double each, slowest = 1e18, longest = 0;
		char name[64];

		run(count);
		each = total(count) / count;
		for (int i = 0; i < count; i++) {
			if ((double)board->worker[i].done < slowest)
				slowest = (double)board->worker[i].done;
			if (board->worker[i].longest > longest)
				longest = board->worker[i].longest;
		}
		snprintf(name, sizeof(name), "%d processes, a block : one's",
			 count);
		print_row(name, DURATION / total(count), alone, 1.11);
		snprintf(name, sizeof(name), "%d processes, the slowest : mean",
			 count);
		print_row(name, DURATION / slowest, DURATION / each, 2.0);
		snprintf(name, sizeof(name), "%d processes, longest : 250 ms",
			 count);
		print_row(name, longest, WAIT_LIMIT, 1.0);
	}
	return 0;
}
