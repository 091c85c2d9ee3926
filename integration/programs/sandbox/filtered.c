/* SPDX-License-Identifier: MIT */
/*
 *	filtered CALL PORT [EARLIER-PORT]
 *	filtered CALL listen
 *
 * Binds to the earlier port, puts a filter on itself that answers EPERM to that
 * system call, and binds to the port, or listens on descriptor 0. Its exit
 * status is 0 or the errno.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "filter.h"

static int
bind_to(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
}

int
main(int argc, char **argv)
{
	if (argc < 3 || (argc > 3 && bind_to(argv[3]) != 0) ||
	    answer_to(argv[1], EPERM) < 0 || put_filter_on() < 0)
		return 255;
	if (strcmp(argv[2], "listen") == 0)
		return listen(0, 1) < 0 ? errno : 0;
	return bind_to(argv[2]);
}
