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
int shim_bindresvport(int fd, struct sockaddr_in *address);
int shim_close(int fd);
int shim_close_range(unsigned int first, unsigned int last, int flags);
void shim_closefrom(int lowest);
int shim_connect(int fd, const struct sockaddr *address, socklen_t size);
int shim_dup2(int from, int to);
int shim_dup3(int from, int to, int flags);
int shim_fcntl(int fd, int command, void *argument);
int shim_ioctl(int fd, unsigned long request, void *argument);
int shim_listen(int fd, int backlog);
int shim_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags);
ssize_t shim_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t shim_sendto(int fd, const void *buffer, size_t n, int flags,
		    const struct sockaddr *address, socklen_t size);
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
