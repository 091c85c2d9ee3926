/* SPDX-License-Identifier: MIT */
/*
 * Sockets that are about to get a port without a bind().
 */
#ifndef PORTRES_SHIM_UNBOUND_H
#define PORTRES_SHIM_UNBOUND_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/pool/pool.h"

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

/* Is the pool unusable, and the call one that PORTRES_STRICT forbids then? */
bool unbound_forbidden(int fd);

/*
 * Binds a socket that is not associated where nothing is reserved, if that
 * takes care today; `address` is its own wildcard, or what a bind() with port
 * 0 named. Returns 0, also when the kernel may choose by itself (ret_bound
 * false), or -1 with errno.
 */
int unbound_choose(int fd, struct sockaddr *address, socklen_t size,
		   bool *ret_bound);

/* Frees what is reserved by the dead, if the pool is to be had. Was there any?
 */
bool unbound_sweep(int fd, enum pool_wait wait);

/*
 * Both, for a call that binds at once: listen(), sendto(). `none_left` is the
 * kernel's error of that call when the system has no port for it.
 */
int unbound_bind(int fd, int none_left);

/*
 * Descriptors whose socket has sent before, and so has a port: the next send
 * pays a load and nothing else. socket() makes a number new again, and
 * connect() to AF_UNSPEC, which takes the port away, makes all of them new. (A
 * number that comes back as the duplicate of an unbound socket is taken for the
 * old one, and so is one whose socket another process took apart; its port may
 * then be a reserved one where blocks reach into the ephemeral range.)
 */
#define UNBOUND_NUMBERS 65536

extern _Atomic uint64_t unbound_numbers[UNBOUND_NUMBERS / 64]
	__attribute__((visibility("hidden")));

static inline bool
unbound_settled(int fd)
{
	return (unsigned)fd < UNBOUND_NUMBERS &&
	       (atomic_load_explicit(&unbound_numbers[fd / 64],
				     memory_order_relaxed) >>
			fd % 64 &
		1);
}

static inline void
unbound_settle(int fd)
{
	if ((unsigned)fd < UNBOUND_NUMBERS)
		atomic_fetch_or(&unbound_numbers[fd / 64],
				(uint64_t)1 << fd % 64);
}

void unbound_renew_all(void);

static inline void
unbound_renew(int fd)
{
	if (unbound_settled(fd))
		atomic_fetch_and(&unbound_numbers[fd / 64],
				 ~((uint64_t)1 << fd % 64));
}

#endif
