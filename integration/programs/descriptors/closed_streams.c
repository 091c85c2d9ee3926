/* SPDX-License-Identifier: MIT */
/*
 * A daemon that has closed its standard streams, and whose other thread writes error
 * messages there all the same. closed_streams FIRST COUNT: reserves and releases for a
 * second; and with another argument lets the system choose a port in between. Prints each
 * errno of a write that is not EBADF, 0 for one that succeeds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "portres.h"

#define PLACE 50 /* of descriptors that the program keeps */

static atomic_bool done;
static int say;

static void *complain(void *context)
{
	static const char text[] = "something went wrong\n";

	while (!done)
		for (int fd = 0; fd < 3; fd++) {
			int r = write(fd, text, sizeof(text) - 1) < 0 ? errno : 0;

			if (r != EBADF)
				dprintf(say, "%d\n", r);
		}
	return context;
}

/* A socket that may share ports, which is none of the low numbers at any time. */
static int open_sharing(void)
{
	int low[3], place, one = 1, fd;

	for (int i = 0; i < 3; i++)
		low[i] = open("/", O_PATH);
	place = socket(AF_INET, SOCK_STREAM, 0);
	fd = fcntl(place, F_DUPFD, PLACE);
	close(place);
	for (int i = 0; i < 3; i++)
		close(low[i]);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static int have_one_chosen(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int fd = open_sharing(), r = bind(fd, (struct sockaddr *)&any, sizeof(any));

	close(fd);
	return r;
}

int main(int argc, char **argv)
{
	struct timespec now, end;
	pthread_t thread;
	int fd;

	if (argc != 3 && argc != 4)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	fd = fcntl(socket(AF_INET, SOCK_STREAM, 0), F_DUPFD, PLACE);
	say = fcntl(1, F_DUPFD, PLACE);
	for (int n = 0; n < PLACE; n++)
		close(n);
	pthread_create(&thread, NULL, complain, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec++;
	do {
		struct portres_instance block = {
			.start_port = htons(atoi(argv[1])),
			.number_of_ports = atoi(argv[2]),
		};

		if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0 ||
		    (argc == 4 && have_one_chosen() < 0) ||
		    ioctl(fd, SIO_RELEASE_PORT_RESERVATION, &block.token) < 0)
			return dprintf(say, "request: %m\n"), 1;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	done = true;
	pthread_join(thread, NULL);
	return 0;
}
