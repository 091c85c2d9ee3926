/* SPDX-License-Identifier: MIT */
/*
 * The first send of an unbound socket gives it a port: a UDP one's to any
 * peer, a TCP one's with MSG_FASTOPEN. send() and write() need a peer from
 * connect() and so a port already. (Without a peer they fail, but UDP has
 * chosen the port by then: docs/limits.md.)
 */
#include "shim/shim.h"

#include "core/endpoint.h"
#include "shim/announced.h"
#include "shim/pools.h"
#include "shim/unbound.h"

/* A fast open waits for the peer, as connect() does: not announced. */
SLOW_PATH static int
first_send(int fd, int flags, struct choice *choice)
{
	enum protocol protocol;

	if (flags & MSG_FASTOPEN ? !pools_concern_implicit(fd)
				 : !choice_begin(fd, choice))
		return 0;
	if (!endpoint_takes_ports(&sys_kernel, fd, &protocol))
		return 0;
	if (protocol == PROTOCOL_TCP && !(flags & MSG_FASTOPEN))
		return 0;
	return unbound_bind(fd,
			    protocol == PROTOCOL_TCP ? EADDRNOTAVAIL : EAGAIN);
}

static inline int
prepare(int fd, int flags, struct choice *choice)
{
	choice->announced = false;
	return unbound_settled(fd) ? 0 : first_send(fd, flags, choice);
}

/* What has been sent was sent from some port. */
static inline ssize_t
settle(int fd, const struct choice *choice, ssize_t r)
{
	choice_end(choice);
	if (r >= 0 && !unbound_settled(fd))
		unbound_settle(fd);
	return r;
}

ssize_t
shim_sendto(int fd, const void *buffer, size_t n, int flags,
	    const struct sockaddr *address, socklen_t size)
{
	struct choice choice;

	if (prepare(fd, flags, &choice) < 0)
		return -1;
	return settle(fd, &choice,
		      real_sendto(fd, buffer, n, flags, address, size));
}

ssize_t
shim_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct choice choice;

	if (prepare(fd, flags, &choice) < 0)
		return -1;
	return settle(fd, &choice, real_sendmsg(fd, message, flags));
}

int
shim_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	struct choice choice;

	if (prepare(fd, flags, &choice) < 0)
		return -1;
	return (int)settle(fd, &choice, real_sendmmsg(fd, messages, n, flags));
}

EXPORTED ssize_t
sendto(int fd, const void *buffer, size_t n, int flags,
       const struct sockaddr *address, socklen_t size)
{
	return shim_sendto(fd, buffer, n, flags, address, size);
}

EXPORTED ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	return shim_sendmsg(fd, message, flags);
}

EXPORTED int
sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	return shim_sendmmsg(fd, messages, n, flags);
}
