/* SPDX-License-Identifier: MIT */
#include "bench/paths.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/bench.h"

void
dup_close(const struct calls *c)
{
	c->close(dup(0));
}

void
socket_close(const struct calls *c)
{
	c->close(c->socket(AF_INET, SOCK_STREAM, 0));
}

void
ioctl_other(const struct calls *c)
{
	static int fd = -1;
	int n;

	if (fd < 0)
		fd = c->socket(AF_INET, SOCK_STREAM, 0);
	c->ioctl(fd, FIONREAD, &n);
}

void
bind_close(const struct calls *c)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(BENCH_FREE_PORT)};
	int fd = c->socket(AF_INET, SOCK_STREAM, 0);

	if (c->bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("bind");
	c->close(fd);
}

void
send_bound(const struct calls *c)
{
	static struct sockaddr_in own = {.sin_family = AF_INET};
	static int fd = -1;
	socklen_t size = sizeof(own);

	if (fd < 0) {
		own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		own.sin_port = htons(BENCH_FREE_PORT);
		fd = c->socket(AF_INET, SOCK_DGRAM, 0);
		if (c->bind(fd, (struct sockaddr *)&own, size) < 0)
			die("bind");
	}
	if (c->sendto(fd, "!", 1, MSG_DONTWAIT, (struct sockaddr *)&own, size) <
	    0)
		die("sendto");
}
