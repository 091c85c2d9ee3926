/* SPDX-License-Identifier: MIT */
/*
 * One row of the lifetime matrix, or its judge.
 *
 *	matrix judge START COUNT
 *		answers each line with free, taken, or the error's number
 *	matrix hammer START COUNT
 *		after a line, says so and asks until the next line comes or
 *		the block is free; then says taken or free, and how often
 *	matrix actor WHERE DUP CLOSE START COUNT
 *		says what it has just done and waits for a line, until "end":
 *		owned	a socket owns the block
 *		left	our copies are closed, another's is open
 *		copied	the original is closed, a duplicate is open
 *		closed	nothing is open any more
 *		skip	this kernel cannot do it
 *	matrix hold|after …
 *		the actor's new image, after exec
 *
 * In between it asks by itself whether it owns what it should own. Raw
 * read() and write() only: some of this runs in vfork children.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "places.h"
#include "portres.h"

static void
act(void)
{
	const char *where = row.where;
	struct copy copy = {-1, {-1, -1}};
	int fd;

	if (!strcmp(where, "same")) {
		hold(take(0));
	} else if (!strcmp(where, "fork")) {
		by_fork(take(0));
	} else if (!strcmp(where, "fork child first")) {
		by_fork_child_first(take(0));
	} else if (!strcmp(where, "vfork")) {
		by_vfork(take(0));
	} else if (!strcmp(where, "vfork exec")) {
		by_vfork_exec(take(SOCK_CLOEXEC));
	} else if (!strcmp(where, "spawn")) {
		by_spawn(take(SOCK_CLOEXEC));
	} else if (!strcmp(where, "daemon")) {
		fd = take(0);
		MUST(daemon(1, 1));
		hold(fd);
	} else if (!strcmp(where, "exec")) {
		copy.fd = take(0);
		become("hold", copy);
	} else if (!strcmp(where, "exec FIONCLEX")) {
		copy.fd = take(SOCK_CLOEXEC);
		MUST(ioctl(copy.fd, FIONCLEX));
		become("hold", copy);
	} else if (!strcmp(where, "exec SOCK_CLOEXEC")) {
		become("after", duplicate(take(SOCK_CLOEXEC)));
	} else if (!strcmp(where, "exec F_SETFD")) {
		fd = take(0);
		MUST(fcntl(fd, F_SETFD, FD_CLOEXEC));
		become("after", duplicate(fd));
	} else if (!strcmp(where, "exec FIOCLEX")) {
		fd = take(0);
		MUST(ioctl(fd, FIOCLEX));
		become("after", duplicate(fd));
	} else {
		fail("no such place");
	}
}

/* The new image: holds what it was given, or what is left of it. */
static void
resume(const char *what, const char *token, const char *fds, int wait)
{
	struct copy copy;

	row.token = strtoul(token, NULL, 10);
	sscanf(fds, "%d,%d,%d", &copy.fd, &copy.pair[0], &copy.pair[1]);
	if (wait >= 0)
		gate_wait(wait);
	if (!strcmp(what, "hold")) {
		hold(copy.fd);
		end();
	}
	/* The kernel knows what came through. */
	if (fcntl(ORIGINAL, F_GETFD) >= 0)
		fail("close-on-exec");
	if (fcntl(copy.fd, F_GETFD) < 0)
		copy.fd = -1;
	end_copy(copy);
	end();
}

/* Is the block free? */
static const char *
ask(int start, int count)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)start),
		.number_of_ports = (uint16_t)count,
	};
	static char number[16];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int r = ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block);

	snprintf(number, sizeof(number), "%d", errno);
	if (r < 0 && errno != EADDRINUSE)
		return number;
	close(fd);
	return r == 0 ? "free" : "taken";
}

static void
judge(int start, int count)
{
	char line[64];

	while (read(0, line, sizeof(line)) > 0)
		dprintf(1, "%s\n", ask(start, count));
	exit(0);
}

static void
hammer(int start, int count)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};
	char line[64];

	while (read(0, line, sizeof(line)) > 0) {
		const char *answer = "taken";
		long times = 0;

		dprintf(1, "hammering\n");
		for (; !strcmp(answer, "taken") && !poll(&input, 1, 0); times++)
			answer = ask(start, count);
		if (read(0, line, sizeof(line)) <= 0)
			break;
		dprintf(1, "%s %ld\n", answer, times);
	}
	exit(0);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "judge"))
		judge(atoi(argv[2]), atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "hammer"))
		hammer(atoi(argv[2]), atoi(argv[3]));
	if (argc < 7)
		return 1;
	row.where = argv[2];
	row.dup = argv[3];
	row.close = argv[4];
	row.start = atoi(argv[5]);
	row.count = atoi(argv[6]);
	if (argc == 10)
		resume(argv[1], argv[7], argv[8], atoi(argv[9]));
	act();
	end();
}
