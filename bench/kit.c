/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <portres.h>

#include "bench/bench.h"

static pid_t child;
static int next_port = BENCH_CROWD;

void
die(const char *why)
{
	perror(why);
	end_child();
	exit(1);
}

double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
typical(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 10];
}

void
print_row(const char *name, double ours, double bare, double limit)
{
	printf("%s\t%.0f\t%.0f\t%.3f\t%.2f\n", name, ours, bare, ours / bare,
	       limit);
	fflush(stdout);
}

void
stay_on_one_processor(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(1, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static bool
try_take(int fd, int start, int count)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)start),
		.number_of_ports = (uint16_t)count,
	};

	return ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) == 0;
}

void
take(int fd, int start, int count)
{
	if (!try_take(fd, start, count))
		die("acquire");
}

void
take_ephemeral(int fd)
{
	FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	int first, last;

	if (!range || fscanf(range, "%d %d", &first, &last) != 2)
		die("ip_local_port_range");
	fclose(range);
	/* A port of another process is skipped. */
	for (int port = (first + last) / 2; !try_take(fd, port, 1); port++)
		if (port == last)
			die("acquire");
}

void
hold_blocks(int count)
{
	for (int held = 0; held < count; next_port++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		if (fd < 0 || next_port > 65535)
			die("socket");
		/* A port of another process is skipped. */
		if (try_take(fd, next_port, 1))
			held++;
		else
			close(fd);
	}
}

pid_t
start_child(void (*act)(void *what), void *what)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) < 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		act(what);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("child");
	close(ready[0]);
	return pid;
}

void
end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
act_holder(void *count)
{
	hold_blocks(*(int *)count);
}

void
keep_blocks_in_child(int count)
{
	child = start_child(act_holder, &count);
}

void
end_child(void)
{
	if (child > 0)
		end_process(child);
	child = 0;
}

double
time_one_acquire(int times)
{
	double start = now();

	for (int i = 0; i < times; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		take(fd, BENCH_BLOCK, 1);
		close(fd);
	}
	return (now() - start) / times;
}
