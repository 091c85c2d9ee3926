/* SPDX-License-Identifier: MIT */
/*
 * Reservations: acquire, release, find. The rules are those of Windows' port
 * reservations (SIO_ACQUIRE_PORT_RESERVATION and its kin), the errors Linux'.
 *
 * All functions are called by the holder of the pool's lock (pool_enter) and
 * return 0 or -Exxx; ret_ parameters are untouched on failure. Ports are in
 * host byte order.
 */
#ifndef PORTRES_CORE_RESERVE_H
#define PORTRES_CORE_RESERVE_H

#include "core/pool.h"
#include "core/port_set.h"

struct reservation {
	enum reservation_kind kind;
	enum protocol protocol;
	struct range range;
	uint64_t token;
	uint64_t cookie; /* of the owning socket */
};

struct acquire {
	enum reservation_kind kind;
	enum protocol protocol;
	struct range range;	/* start 0: anywhere in `wildcard` */
	int fd;			/* the socket that is to own a runtime block */
	uint64_t now;		/* CLOCK_REALTIME, nanoseconds */
	bool though_in_use;	/* a persistent block that comes back */
	struct range ephemeral; /* where the kernel picks ports itself */
	/* Where to look, best first, and what never to touch, or NULL. */
	const struct range_list *wildcard;
	const struct port_set *forbidden;
};

/*
 * Reserves a block for the socket. Errors: -EINVAL (count 0, or past 65535),
 * -EADDRINUSE (reserved, or in use), -ENOBUFS (no room for a wildcard, or the
 * pool's slots are all taken), -EMFILE, -ENFILE, -ENETDOWN.
 */
int reserve_acquire(struct pool *pool, const struct acquire *wanted,
		    struct reservation *ret);

/*
 * The reservation with this token: a runtime one if this process holds its
 * owning socket, of which ret_holder becomes a descriptor, or a persistent
 * one, whoever asks. Errors: -EINVAL (unknown or of
 * the other protocol), -EACCES (held elsewhere), -EMFILE, -ENFILE.
 */
int reserve_find(struct pool *pool, enum protocol protocol, uint64_t token,
		 struct reservation *ret, int *ret_holder);

/* Gives back the runtime reservation that reserve_find() found. */
void reserve_release(struct pool *pool, const struct reservation *reservation,
		     int holder);

/*
 * Ends all reservations of a socket that is known to be gone. Needs no lock,
 * as slot_end(), which does it for one.
 */
void reserve_end_socket(struct pool *pool, uint64_t cookie);

/*
 * The same of those reservations that are dead; returns how many are not.
 */
uint32_t reserve_check_socket(struct pool *pool, uint64_t cookie);

/*
 * The living reservation that covers the port, or NULL; a dead one that is
 * found there is freed.
 */
struct slot *reserve_holder(struct pool *pool, enum protocol protocol,
			    uint32_t port);

/*
 * The same without the lock, for saying no: NULL means that it takes the lock
 * to know. The slot's contents may change under the reader's eyes.
 */
const struct slot *reserve_peek(struct pool *pool, enum protocol protocol,
				uint32_t port);

/* Frees all dead reservations and returns how many there were. */
uint32_t reserve_sweep(struct pool *pool);

#endif
