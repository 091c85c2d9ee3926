/* SPDX-License-Identifier: MIT */
/*
 * Times each path against its bare counterpart, the two alternating in short
 * rounds within one process, and prints one line a row:
 *
 *     name TAB ours (ns) TAB bare (ns) TAB ratio TAB limit
 *
 * Run preloaded. "Bare" is libc's own function, found by dlsym in libc.so.6
 * itself. The times are those of the best tenth of the rounds: other load only
 * ever adds time, and whole runs differ by more than the differences measured
 * here.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <portres.h>

#include "bench/bench.h"
#include "bench/paths.h"

static struct calls ours = {socket, bind, close, ioctl, sendto};
static struct calls bare;

static void
find_bare(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);

	bare.socket = (int (*)(int, int, int))dlsym(libc, "socket");
	bare.bind = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(
		libc, "bind");
	bare.close = (int (*)(int))dlsym(libc, "close");
	bare.ioctl = (int (*)(int, unsigned long, ...))dlsym(libc, "ioctl");
	bare.sendto = (ssize_t(*)(int, const void *, size_t, int,
				  const struct sockaddr *,
				  socklen_t))dlsym(libc, "sendto");
	if (ours.close == bare.close)
		die("run this with the library preloaded");
}

struct row {
	const char *name;
	void (*ours)(const struct calls *);
	void (*bare)(const struct calls *);
	int times; /* a round */
	double limit;
};

static void
measure(const struct row *row)
{
	double mine[ROUNDS], theirs[ROUNDS];

	for (int round = -2; round < ROUNDS; round++) {
		double start = now();
		double middle, end;

		for (int i = 0; i < row->times; i++)
			row->ours(&ours);
		middle = now();
		for (int i = 0; i < row->times; i++)
			row->bare(&bare);
		end = now();
		if (round < 0)
			continue; /* warming up */
		mine[round] = (middle - start) / row->times;
		theirs[round] = (end - middle) / row->times;
	}
	print_row(row->name, typical(mine), typical(theirs), row->limit);
}

static double
time_closes(const struct calls *c)
{
	int fd[1000];
	double start;

	for (int i = 0; i < 1000; i++)
		fd[i] = open("/dev/null", O_RDONLY);
	start = now();
	for (int i = 0; i < 1000; i++)
		c->close(fd[i]);
	return (now() - start) / 1000;
}

static void
measure_close(void)
{
	double mine[ROUNDS], theirs[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		mine[round] = time_closes(&ours);
		theirs[round] = time_closes(&bare);
	}
	print_row("close", typical(mine), typical(theirs), 1.01);
}

/* send() is libc's own: sendto() is the one that may autobind. */
static void
measure_send(void)
{
	static const struct row row = {
		"sendto, bound, beside an ephemeral block", send_bound,
		send_bound, 1000, 1.10};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	take_ephemeral(fd);
	measure(&row);
	close(fd);
}

int
main(void)
{
	static const struct row rows[] = {
		{"dup+close", dup_close, dup_close, 1000, 1.01},
		{"socket+close", socket_close, socket_close, 200, 1.01},
		{"ioctl", ioctl_other, ioctl_other, 1000, 1.01},
	};
	static const struct row beside[] = {
		{"socket+bind+close, 100 live", bind_close, bind_close, 200,
		 1.08},
	};

	stay_on_one_processor();
	find_bare();
	measure_close();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		measure(&rows[i]);
	keep_blocks_in_child(100);
	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++)
		measure(&beside[i]);
	end_child();
	measure_send();
	return 0;
}
