/* SPDX-License-Identifier: MIT */
/*
 * The cost of the guard to programs that have nothing to do with it:
 *
 *     guard GUARDED OTHER
 *
 * Times calls in a cgroup that is guarded against the same ones in another, the
 * process moving between the two, beside a hundred blocks that the guard has.
 * Prints rows as bench.c does. Not preloaded.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <portres.h>

#include "bench/bench.h"
#include "bench/paths.h"

enum { BLOCKS = 100 };

static const struct calls bare = {socket, bind, close, ioctl, sendto};

/* A socket is of the cgroup in which it is made. */
static void
enter(const char *cgroup)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

static void
ask(int fd, int op, int start)
{
	struct portres_guard request = {
		.token = 1,
		.fd = -1,
		.start_port = htons((uint16_t)start),
		.number_of_ports = 1,
	};

	if (setsockopt(fd, PORTRES_GUARD, op, &request, sizeof(request)) < 0)
		die("the guard");
}

static void
hold_guarded_blocks(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		ask(fd, PORTRES_GUARD_ACQUIRE, BENCH_CROWD + i);
		ask(fd, PORTRES_GUARD_COMMIT, BENCH_CROWD + i);
	}
}

static int tcp; /* of the cgroup that is measured */

static void
set_option(const struct calls *c)
{
	int yes = 1;

	(void)c;
	setsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
}

static void
connect_cycle(const struct calls *c)
{
	struct sockaddr_in own = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(own);
	const struct linger no_time_wait = {.l_onoff = 1};
	int client = c->socket(AF_INET, SOCK_STREAM, 0);
	int server;

	if (getsockname(tcp, (struct sockaddr *)&own, &size) < 0 ||
	    connect(client, (struct sockaddr *)&own, size) < 0)
		die("connect");
	server = accept(tcp, NULL, NULL);
	setsockopt(client, SOL_SOCKET, SO_LINGER, &no_time_wait,
		   sizeof(no_time_wait));
	c->close(client);
	c->close(server);
}

struct row {
	const char *name;
	void (*path)(const struct calls *);
	int times; /* a round */
	double limit;
};

static double
time_in(const char *cgroup, const struct row *row)
{
	double start;

	enter(cgroup);
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	if (listen(tcp, 1) < 0)
		die("listen");
	start = now();
	for (int i = 0; i < row->times; i++)
		row->path(&bare);
	start = now() - start;
	close(tcp);
	return start / row->times;
}

int
main(int argc, char *argv[])
{
	static const struct row rows[] = {
		{"guarded: socket+bind+close", bind_close, 200, 1.08},
		{"guarded: socket+close", socket_close, 200, 1.02},
		{"guarded: setsockopt", set_option, 2000, NO_LIMIT},
		{"guarded: connect+accept+close", connect_cycle, 50, NO_LIMIT},
	};
	double guarded[ROUNDS], other[ROUNDS];

	if (argc != 3)
		return 2;
	stay_on_one_processor();
	enter(argv[1]);
	hold_guarded_blocks();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		time_in(argv[1], &rows[i]); /* warming up */
		for (int round = 0; round < ROUNDS; round++) {
			guarded[round] = time_in(argv[1], &rows[i]);
			other[round] = time_in(argv[2], &rows[i]);
		}
		print_row(rows[i].name, typical(guarded), typical(other),
			  rows[i].limit);
	}
	return 0;
}
