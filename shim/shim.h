/* SPDX-License-Identifier: MIT */
/*
 * What the hooks share: our side of each call, and the edge where -Exxx
 * becomes errno.
 */
#ifndef PORTRES_SHIM_SHIM_H
#define PORTRES_SHIM_SHIM_H

#include <errno.h>
#include <sys/socket.h>

#include "shim/real.h"

int shim_bind(int fd, const struct sockaddr *address, socklen_t size);
int shim_close(int fd);
int shim_ioctl(int fd, unsigned long request, void *argument);
int shim_socket(int domain, int type, int protocol);

/* The only writer of errno in the shim. */
static inline int
ret_errno(int r)
{
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return r;
}

#endif
