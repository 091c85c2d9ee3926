/* SPDX-License-Identifier: MIT */
/*
 * Reservations: acquire, release, find. The rules are those of Windows' port
 * reservations (SIO_ACQUIRE_PORT_RESERVATION and its kin), the errors Linux'.
 *
 * A slot in the way may be a dead owner's. To find that out takes a reading of
 * the kernel's list of locks, which may be long, so it is never done inside
 * the pool: reserve_acquire() says -EAGAIN, the caller leaves, judges, and
 * comes again. One judgement is of all slots at once.
 *
 * Functions return 0 or -Exxx; ret_ parameters are untouched on failure. Ports
 * are in host byte order.
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

/* Up to which token slots have been judged; all zero before the first time. */
struct judgement {
	uint64_t until;
	uint32_t readings;
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
	struct judgement judged;
};

/*
 * Under the lock: reserves a block for the socket. Errors: -EINVAL (count 0, or
 * past 65535), -EADDRINUSE (reserved, or in use), -ENOBUFS (no room for a
 * wildcard, or the pool's slots are all taken), -EMFILE, -ENFILE, -ENETDOWN;
 * -EAGAIN: who is in the way may be dead; leave, ask reserve_judge_for(), and
 * enter again.
 */
int reserve_acquire(struct pool *pool, const struct acquire *wanted,
		    struct reservation *ret);

/*
 * Without the lock, after reserve_acquire() has said -EAGAIN: judges, twice for
 * one request at most. Then who is in the way lives. Returns 0, -EMFILE or
 * -ENFILE.
 */
int reserve_judge_for(struct pool *pool, struct acquire *wanted);

/*
 * Without the lock: has all dead slots marked ended (lease_judge), and returns
 * how many there were, or -Exxx.
 */
int reserve_judge(struct pool *pool);

/*
 * Without the lock: does the reservation with this token live? May have to
 * judge. 1, 0, or -Exxx where nobody can tell, so that it counts as alive.
 */
int reserve_lives(struct pool *pool, uint64_t token);

/*
 * Under the lock: the reservation with this token: a runtime one if this
 * process holds its owning socket, of which ret_holder becomes a descriptor,
 * or a persistent one, whoever asks. Errors: -EINVAL (unknown or of the other
 * protocol), -EACCES (not held here: elsewhere, or nowhere; reserve_lives()
 * tells), -EMFILE, -ENFILE.
 */
int reserve_find(struct pool *pool, enum protocol protocol, uint64_t token,
		 struct reservation *ret, int *ret_holder);

/* Under the lock: gives back the runtime reservation of reserve_find(). */
void reserve_release(struct pool *pool, const struct reservation *reservation,
		     int holder);

/*
 * Ends all reservations of a socket that is known to be gone. Needs no lock,
 * as slot_end(), which does it for one.
 */
void reserve_end_socket(struct pool *pool, uint64_t cookie);

/* Under the lock: frees all slots that are marked ended; how many? */
uint32_t reserve_sweep(struct pool *pool);

#endif
