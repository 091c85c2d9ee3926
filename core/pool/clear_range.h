/* SPDX-License-Identifier: MIT */
/*
 * Ports that the system chooses, for sockets that are not associated: never
 * reserved ones. Needed only while a reservation reaches into the kernel's
 * ephemeral range (pool_header.ephemeral).
 *
 * From Linux 6.3 on, and in later 6.1, a socket can be told a part of the
 * ephemeral range (IP_LOCAL_PORT_RANGE), and is told one without reservations.
 * Otherwise a port is picked here and named to the kernel.
 */
#ifndef PORTRES_CORE_POOL_CLEAR_RANGE_H
#define PORTRES_CORE_POOL_CLEAR_RANGE_H

#include "core/pool/pool.h"

/* May a port that the system chooses be a reserved one? One load. */
static inline bool
implicit_matters(struct pool *pool)
{
	return atomic_load_explicit(&pool->file->header.ephemeral[PROTOCOL_TCP],
				    memory_order_relaxed) ||
	       atomic_load_explicit(&pool->file->header.ephemeral[PROTOCOL_UDP],
				    memory_order_relaxed);
}

/*
 * Binds the socket to `address`, whose port is 0, and a port of the system's
 * choice, IP_BIND_ADDRESS_NO_PORT or not. Called inside the pool: outside it
 * the port may be reserved in that moment. Returns 0, -EADDRINUSE when all that
 * is not reserved is taken, or what bind() says.
 */
int implicit_bind(struct pool *pool, enum protocol protocol, int fd,
		  struct sockaddr *address, socklen_t size);

/*
 * What the kernel says of the address before it looks for a port: where there
 * is none left, that goes first. Returns -EADDRINUSE when it has nothing to
 * say.
 */
int implicit_refusal(struct pool *pool, enum protocol protocol,
		     const struct sockaddr *address, socklen_t size);

/*
 * For connect(), which cannot hold the lock while it waits for the peer: lets
 * the kernel choose from one window only, the next after `window`, which is
 * IMPLICIT_FIRST at first. Returns 0 and the program's own setting of the
 * option, or -EADDRNOTAVAIL when there is no window left, or another error
 * where the socket does not know the option. Needs no lock.
 */
#define IMPLICIT_FIRST ((struct range){0, PORT_COUNT})
int implicit_window(struct pool *pool, enum protocol protocol, int fd,
		    struct range *window, uint32_t *ret_own);

/*
 * connect() says EADDRNOTAVAIL also where there is no address to leave from. Is
 * it the ports of this window that are lacking? True when nobody can tell.
 */
bool implicit_full(struct pool *pool, int fd, struct range window);

/* Back to the program's own setting, unless it has set another meanwhile. */
void implicit_window_end(struct pool *pool, int fd, struct range window,
			 uint32_t own);

#endif
