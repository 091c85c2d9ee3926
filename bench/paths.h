/* SPDX-License-Identifier: MIT */
/* The calls that are measured, with the preloaded or the bare functions. */
#ifndef PORTRES_BENCH_PATHS_H
#define PORTRES_BENCH_PATHS_H

#include <sys/socket.h>

struct calls {
	int (*socket)(int, int, int);
	int (*bind)(int, const struct sockaddr *, socklen_t);
	int (*close)(int);
	int (*ioctl)(int, unsigned long, ...);
	ssize_t (*sendto)(int, const void *, size_t, int,
			  const struct sockaddr *, socklen_t);
};

void dup_close(const struct calls *c);
void socket_close(const struct calls *c);
void ioctl_other(const struct calls *c);
void bind_close(const struct calls *c);

/* One bound UDP socket sends to itself, which drops a packet without room. */
void send_bound(const struct calls *c);

#endif
