/* SPDX-License-Identifier: MIT */
/*
 * The three operations, for whoever decodes them: ioctl(), WSAIoctl().
 * All return 0 or -Exxx (semantics.md says which); ret is untouched on
 * failure. Ports are in host byte order. With POOL_TRY they answer -EBUSY
 * instead of waiting for the pool, and nothing is done then.
 */
#ifndef PORTRES_SHIM_REQUEST_H
#define PORTRES_SHIM_REQUEST_H

#include "core/pool/reserve.h"

/* Reserves `wanted` (start 0: anywhere) for the socket. */
int request_acquire(int fd, struct range wanted, enum pool_wait wait,
		    struct reservation *ret);

/* Gives back a reservation whose owning socket this process holds. */
int request_release(int fd, uint64_t token, enum pool_wait wait);

/* Lets the unbound socket have ports out of the reservation. */
int request_associate(int fd, uint64_t token, enum pool_wait wait);

#endif
