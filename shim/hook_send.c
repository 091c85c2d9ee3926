/* SPDX-License-Identifier: MIT */
/*
 * The first send of an unbound socket gives it a port: a UDP one's to any
 * peer, a TCP one's with MSG_FASTOPEN. send() and write() need a peer from
 * connect() and so a port already. (Without a peer they fail, but UDP has
 * chosen the port by then: docs/limits.md.)
 */
#include "core/kernel/sock.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/shim.h"
#include "shim/unbound.h"
#include "shim/usermem.h"

/* `address` may be NULL. A wild one is refused before any port is chosen. */
SLOW_PATH static int
first_send(int fd, int flags, const void *address, socklen_t size)
{
	enum protocol protocol;

	if (!pools_concern_implicit(fd))
		return 0;
	if (!sock_takes_ports(&sys_kernel, fd, &protocol))
		return 0;
	if (protocol == PROTOCOL_TCP && !(flags & MSG_FASTOPEN))
		return 0;
	if (address && size && !usermem_readable(address, size))
		return 0;
	return unbound_bind(fd,
			    protocol == PROTOCOL_TCP ? EADDRNOTAVAIL : EAGAIN);
}

static inline int
prepare(int fd, int flags, const void *address, socklen_t size)
{
	return unbound_settled(fd) ? 0 : first_send(fd, flags, address, size);
}

/* What has been sent was sent from some port. */
static inline ssize_t
settle(int fd, bool sent, ssize_t r)
{
	if (sent && !unbound_settled(fd))
		unbound_settle(fd);
	return kernels_answer(r);
}

ssize_t
shim_sendto(int fd, const void *buffer, size_t n, int flags,
	    const struct sockaddr *address, socklen_t size)
{
	ssize_t r;

	if (prepare(fd, flags, address, size) < 0)
		return -1;
	r = real_sendto(fd, buffer, n, flags, address, size);
	return settle(fd, r >= 0, r);
}

ssize_t
shim_sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t r;

	if (prepare(fd, flags, NULL, 0) < 0)
		return -1;
	r = real_sendmsg(fd, message, flags);
	return settle(fd, r >= 0, r);
}

int
shim_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	int r;

	if (prepare(fd, flags, NULL, 0) < 0)
		return -1;
	r = real_sendmmsg(fd, messages, n, flags);
	return (int)settle(fd, r > 0, r);
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
