/* SPDX-License-Identifier: MIT */
/*
 *	lifetime_handover TIMES START COUNT
 *
 * A server that reserves ports for others: each owning socket is passed on
 * and closed here while somebody else still has it, and ends out of our
 * sight. Says whether it can do all that it could at first.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "portres.h"

#define ALIVE 8	   /* at a time */
#define ELSEWHERE 100 /* where the sockets live on */

static uint64_t
acquire(int fd, int start, int count)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)start),
		.number_of_ports = (uint16_t)count,
	};

	if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) == 0)
		return block.token;
	perror("acquire");
	exit(1);
}

int
main(int argc, char **argv)
{
	long times = argc == 4 ? atol(argv[1]) : 0;
	int start = argc == 4 ? atoi(argv[2]) : 0;
	int count = argc == 4 ? atoi(argv[3]) : 0;
	uint64_t token;
	int owner, user;

	for (long i = 0; i < times; i++) {
		int there = ELSEWHERE + (int)(i % ALIVE);

		syscall(SYS_close, there);
		owner = socket(AF_INET, SOCK_STREAM, 0);
		acquire(owner, start + (int)(i % ALIVE), 1);
		dup2(owner, there);
		close(owner);
	}
	for (int i = 0; i < ALIVE; i++)
		syscall(SYS_close, ELSEWHERE + i);

	owner = socket(AF_INET, SOCK_STREAM, 0);
	user = socket(AF_INET, SOCK_STREAM, 0);
	token = acquire(owner, start, count);
	if (ioctl(user, SIO_ASSOCIATE_PORT_RESERVATION, &token) < 0) {
		perror("associate");
		return 1;
	}
	puts("ok");
	return 0;
}
