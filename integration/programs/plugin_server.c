/* SPDX-License-Identifier: MIT */
/*
 * plugin_server PORT [MILLISECONDS]: the smallest real server. Takes so long
 * to start, as larger ones do; says "listening", tells its pid to the first
 * who connects, and ends when that one has hung up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
failed(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "")),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), peer, on = 1;
	char end;

	alarm(60);
	usleep(1000 * (useconds_t)atoi(argc > 2 ? argv[2] : "0"));
	/* As all servers do. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return failed("bind");
	if (listen(fd, 1) < 0)
		return failed("listen");
	puts("listening");
	fflush(stdout);
	peer = accept(fd, NULL, NULL);
	if (peer < 0)
		return failed("accept");
	dprintf(peer, "%d\n", (int)getpid());
	/* The side that hangs up first has its port in TIME_WAIT. */
	return read(peer, &end, 1) != 0;
}
