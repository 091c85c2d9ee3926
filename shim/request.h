/* SPDX-License-Identifier: MIT */
/*
 * The three operations, behind ioctl() and the native API. All return 0 or
 * -Exxx (portres(3) lists them); ret is untouched on failure. Ports are in host
 * byte order. With POOL_TRY they return -EBUSY instead of waiting for the
 * pool's lock, and have done nothing then.
 */
#ifndef PORTRES_SHIM_REQUEST_H
#define PORTRES_SHIM_REQUEST_H

#include "core/pool/pool.h"
#include "core/pool/reserve.h"

/* A request: the fields of struct acquire that a program chooses. */
struct asked {
	int fd;
	struct range range; /* start 0: anywhere */
	uint32_t align;
	bool both; /* `fd` is TCP's, `other_fd` UDP's */
	int other_fd;
	bool heirs; /* PORTRES_HEIRS */
};

/* Reserves it for the socket; `ret` are two with `both`. */
int request_acquire(const struct asked *asked, enum pool_wait wait,
		    struct reservation *ret);

/* Releases a reservation whose owning socket this process has. */
int request_release(int fd, uint64_t token, enum pool_wait wait);

/* Associates the unbound socket with the reservation. */
int request_associate(int fd, uint64_t token, enum pool_wait wait);

/*
 * The native API (portres.h), and ioctl(), which is a part of it. Pointers are
 * the program's. All return 0 or -Exxx; -EBUSY is POOL_TRY's.
 */

/* `block` is a struct portres_instance. */
int native_acquire(int fd, void *block, enum pool_wait wait);

/* `token` is a uint64_t. */
int native_release(int fd, const void *token);
int native_associate(int fd, const void *token);

#endif
