/* SPDX-License-Identifier: MIT */
/*
 *	associated CALL START COUNT
 *
 * Reserves that block and associates a socket, puts a filter on itself that
 * answers EPERM to that system call, and binds the socket to port 0. Prints its
 * port, 0 for none, and its exit status is 0 or the errno.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "filter.h"
#include "portres.h"

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof(at);
	int owner = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct portres_instance block = {0};
	int error;

	if (argc != 4)
		return 255;
	block.start_port = htons((uint16_t)atoi(argv[2]));
	block.number_of_ports = (uint16_t)atoi(argv[3]);
	if (ioctl(owner, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0 ||
	    ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &block.token) < 0 ||
	    answer_to(argv[1], EPERM) < 0 || put_filter_on() < 0)
		return 255;
	error = bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
	getsockname(fd, (struct sockaddr *)&at, &size);
	printf("%d\n", ntohs(at.sin_port));
	return error;
}
