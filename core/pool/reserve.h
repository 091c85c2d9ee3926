/* SPDX-License-Identifier: MIT */
/*
 * Reservations: find, check, release; acquire.h makes them. The rules are those
 * of Windows' port reservations (SIO_ACQUIRE_PORT_RESERVATION and its kin), the
 * errors Linux'.
 *
 * Functions return 0 or -Exxx; ret_ parameters are untouched on failure. Ports
 * are in host byte order.
 */
#ifndef PORTRES_CORE_POOL_RESERVE_H
#define PORTRES_CORE_POOL_RESERVE_H

#include "core/kernel/guard.h"
#include "core/pool/pool.h"

struct reservation {
	enum reservation_kind kind;
	enum protocol protocol;
	struct range range;
	uint64_t token;
	uint64_t cookie; /* of the owning socket */
	struct guarded guard;
};

/* Without the lock: marks all dead slots (lease_judge). Returns their number,
 * or -Exxx. */
int reserve_judge(struct pool *pool);

/*
 * Without the lock: does the reservation with this token live? May call
 * reserve_judge(). 1, 0, or -Exxx when it cannot be checked, and counts as
 * alive.
 */
int reserve_lives(struct pool *pool, uint64_t token);

/*
 * Under the lock: the reservation with this token. Any process may find a
 * persistent one; a runtime one only a process that has its owning socket, of
 * which ret_holder becomes a descriptor. Errors: -EINVAL (unknown, or of the
 * other protocol), -EACCES (the socket is not here; reserve_lives() tells
 * whether it is elsewhere), -EMFILE, -ENFILE.
 */
int reserve_find(struct pool *pool, enum protocol protocol, uint64_t token,
		 struct reservation *ret, int *ret_holder);

/* Under the lock: releases the runtime reservation that reserve_find()
 * found. */
void reserve_release(struct pool *pool, const struct reservation *reservation,
		     int holder);

/* Marks all slots of a socket dead that is known to be gone. Needs no lock. */
void reserve_end_socket(struct pool *pool, uint64_t cookie);

/* The slot as a reservation. */
struct reservation reserve_grant(const struct slot *slot);

/* Under the lock: frees all slots that are marked dead. Returns their
 * number. */
uint32_t reserve_sweep(struct pool *pool);

#endif
