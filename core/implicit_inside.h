/* SPDX-License-Identifier: MIT */
/* What implicit.c and implicit_pick.c share. */
#ifndef PORTRES_CORE_IMPLICIT_INSIDE_H
#define PORTRES_CORE_IMPLICIT_INSIDE_H

#include <sys/socket.h>

#include "core/pool.h"
#include "core/port_set.h"

/*
 * Old kernels, and sockets that do not know the option (MPTCP): binds to any
 * free port of the window, beginning somewhere in it, and not to one that the
 * administrator keeps from the kernel's choice, nor, whatever the socket may
 * share, to one that another socket has. Returns 0, -EADDRINUSE or -Exxx.
 */
int implicit_pick(struct pool *pool, enum protocol protocol,
		  struct range window, const struct port_set *kept, int fd,
		  struct sockaddr *address, socklen_t size);

#endif
