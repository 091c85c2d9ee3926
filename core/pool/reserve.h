/* SPDX-License-Identifier: MIT */
/*
 * Reservations: find, judge, release; acquire.h makes them. The rules are those
 * of Windows' port reservations (SIO_ACQUIRE_PORT_RESERVATION and its kin), the
 * errors Linux'.
 *
 * Functions return 0 or -Exxx; ret_ parameters are untouched on failure. Ports
 * are in host byte order.
 */
#ifndef PORTRES_CORE_POOL_RESERVE_H
#define PORTRES_CORE_POOL_RESERVE_H

#include "core/pool/pool.h"

struct reservation {
	enum reservation_kind kind;
	enum protocol protocol;
	struct range range;
	uint64_t token;
	uint64_t cookie; /* of the owning socket */
};

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
 * as slot_mark_dead(), which does it for one.
 */
void reserve_end_socket(struct pool *pool, uint64_t cookie);

/* What its owner is told of a slot. */
struct reservation reserve_grant(const struct slot *slot);

/* Under the lock: frees all slots that are marked ended; how many? */
uint32_t reserve_sweep(struct pool *pool);

#endif
