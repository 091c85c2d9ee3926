/* SPDX-License-Identifier: MIT */
/*
 * Two processes that end the same persistent blocks for some seconds, and until the
 * third has tried 101 times, which has a block of its own:
 *
 *	enders SECONDS
 *
 * Prints how often it tried to bind in that without the right, and how often it
 * was let in.
 */
#include <arpa/inet.h>
#include <portres.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OWN 6000  /* a runtime block's port */
#define KEPT 9000 /* a persistent one's */
#define MORE 2900

static int
tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
ask(int fd, int what, int port)
{
	struct portres_guard request = {
		.token = 7,
		.fd = -1,
		.start_port = htons((uint16_t)port),
		.number_of_ports = 1,
		.gid = PORTRES_GUARD_NOBODY,
	};

	return setsockopt(fd, PORTRES_GUARD, what, &request, sizeof(request));
}

static int
take_port(int fd, int port)
{
	struct sockaddr_in here = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
	};

	return bind(fd, (struct sockaddr *)&here, sizeof(here));
}

static int
is_let_in(int port)
{
	int fd = tcp();
	int r = take_port(fd, port);

	close(fd);
	return r == 0;
}

static int
hold(int fd, int port)
{
	return ask(fd, PORTRES_GUARD_ACQUIRE, port) < 0 ||
	       ask(fd, PORTRES_GUARD_COMMIT, port) < 0;
}

static void
keep_and_drop(void)
{
	int fd = tcp();

	for (;;) {
		ask(fd, PORTRES_GUARD_KEEP, KEPT);
		ask(fd, PORTRES_GUARD_DROP, KEPT);
	}
}

int
main(int argc, char **argv)
{
	time_t until = time(NULL) + (argc > 1 ? atoi(argv[1]) : 0);
	long tried = 0, let_in = 0;
	pid_t enders[2];
	int fd = tcp();

	if (hold(fd, OWN))
		return 1;
	for (int i = 0; i < 2; i++)
		if ((enders[i] = fork()) == 0)
			keep_and_drop();
	for (; time(NULL) < until || tried <= 100; tried++)
		let_in += is_let_in(OWN);
	for (int i = 0; i < 2; i++) {
		kill(enders[i], SIGKILL);
		waitpid(enders[i], NULL, 0);
	}
	ask(fd, PORTRES_GUARD_DROP, KEPT);
	/* The guard counts its blocks, and asks first whether there are any: a
	 * count that is too low is 0 at one of these. */
	for (int i = 1; i < MORE; i++) {
		if (hold(fd, OWN + i))
			return 1;
		let_in += is_let_in(OWN);
	}
	printf("%ld %ld\n", tried, let_in);
	return 0;
}
