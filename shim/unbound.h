/* SPDX-License-Identifier: MIT */
/*
 * Sockets that are about to get a port without a bind().
 */
#ifndef PORTRES_SHIM_UNBOUND_H
#define PORTRES_SHIM_UNBOUND_H

#include <netinet/in.h>
#include <stdbool.h>

/* An unbound socket, and the wildcard address that it could be bound to. */
struct unbound {
	int fd;
	struct sockaddr_in6 any;
	socklen_t size;
};

/* False for bound sockets and for other families. */
bool unbound_is(int fd, struct unbound *ret);

/*
 * Binds an associated socket inside its reservation. Returns 0, also when it
 * is not associated, or -1 with errno.
 */
int unbound_associated(struct unbound *unbound);

/*
 * Binds a socket that is not associated where nothing is reserved, if that
 * takes care today; `address` is its own wildcard, or what a bind() with port
 * 0 named. Returns 0, also when the kernel may choose by itself (ret_bound
 * false), or -1 with errno.
 */
int unbound_choose(int fd, struct sockaddr *address, socklen_t size,
		   bool *ret_bound);

/* Both, for a call that binds at once: listen(), sendto(). */
int unbound_bind(int fd);

/*
 * Descriptors whose socket has sent before, and so has a port: the next send
 * pays a load and nothing else. socket() makes a number new again. (A number
 * that comes back as the duplicate of an unbound socket is taken for the old
 * one; its port may then be a reserved one where blocks reach into the
 * ephemeral range.)
 */
bool unbound_settled(int fd);
void unbound_settle(int fd);
void unbound_renew(int fd);

#endif
