/* SPDX-License-Identifier: MIT */
/* What is measured, by whichever functions. */
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

/* Of one bound UDP socket, to itself: it takes no more than it has room for. */
void send_bound(const struct calls *c);

/* What an acquire of 20 ports cannot do without: 20 trial binds. */
void trial_binds(const struct calls *c);
/* A wildcard goes on to other ports each time, which costs the kernel more. */
void wandering_trial_binds(const struct calls *c);

/* With the making of the socket, which the trial binds do without. */
void acquire_specific(const struct calls *c);
void acquire_wildcard(const struct calls *c);

#endif
