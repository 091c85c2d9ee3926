/* SPDX-License-Identifier: MIT */
/*
 * Persistent reservations: blocks that no socket owns, that outlive every
 * process, and come back with the machine (Windows: the functions
 * CreatePersistentTcpPortReservation and so on of iphlpapi).
 *
 * The store on disk (store.h) lists them; the pool has a slot for each. A
 * process that changes the store holds its lock from the reading to the
 * writing, and first makes the pool agree with it, so that the next change
 * repairs what a death in between has left.
 *
 * The right to write the store is the right to create, delete and associate.
 * The pool must not be entered by the caller. All return 0 or -Exxx; what
 * store_open() returns of a store that cannot be used comes through, and then
 * nothing was changed.
 */
#ifndef PORTRES_CORE_POOL_PERSISTENT_H
#define PORTRES_CORE_POOL_PERSISTENT_H

#include "core/pool/acquire.h"
#include "core/pool/pool.h"
#include "core/pool/store.h"

/*
 * Reserves the block for good, and where its start is 0, wherever it fits in
 * `anywhere`, which may be NULL otherwise; *block becomes what was reserved.
 * -EINVAL: not a block; -EACCES: no right to the store; -EADDRINUSE: overlaps a
 * reservation, or a port is in use; -ENOBUFS: the pool is full, or has no room
 * for a wildcard; others, such as -ENOSPC or -EIO, from writing the store: then
 * nothing is reserved.
 *
 * PERSISTENT_UNCONFIRMED: reserved, in the store and in the pool, but the disk
 * did not confirm it; a power failure may undo it. PERSISTENT_UNGUARDED, alone
 * or with that: there is a guard, and it has not taken it, so only the library
 * keeps it.
 */
#define PERSISTENT_UNCONFIRMED 1
#define PERSISTENT_UNGUARDED 2
int persistent_add(struct pool *pool, const char *store, struct block *block,
		   const struct anywhere *anywhere, uint64_t *ret_token);

/*
 * Ends it. -EINVAL, -EACCES, -ENOENT: no block of exactly these numbers,
 * neither in the store nor, left by a killed add or delete, in the pool.
 * Positive as persistent_add(): deleted, but a power failure may bring it back,
 * or the guard goes on refusing it to all.
 */
int persistent_delete(struct pool *pool, const char *store, struct block block);

/* Its token, the same for all processes until the pool is made anew. Needs no
 * right. -EINVAL, -ENOENT. */
int persistent_lookup(struct pool *pool, struct block block,
		      uint64_t *ret_token);

/*
 * Opens the persistent block that has all of `wanted` to the socket's heirs,
 * by a lease on it: shim/hidden_fds.h looks for those. The right to the store
 * is the caller's to check. -ENOENT: no port of it is in a persistent block;
 * -EADDRINUSE: some are, but not all in one; -EUSERS: the guard has no room for
 * one more; -EPERM: it knows of no right to the store.
 */
int persistent_join(struct pool *pool, struct block wanted, int fd,
		    uint64_t *ret_token);

/* The changes that made the pool agree with the store. */
struct persistent_report {
	uint32_t added;
	uint32_t removed;
	uint32_t kept;
	/* Lines that could not be followed: no sense, or in conflict with an
	 * earlier line or a runtime reservation, or too many for the pool. The
	 * first one's number. */
	uint32_t bad;
	uint32_t first_bad;
	/* Blocks that the guard did not take, or give back. */
	uint32_t unguarded;
};

/*
 * Makes the pool agree with the store, for an administrator who edited it.
 * Ports in use do not matter: they are reserved from now on. -EACCES.
 */
int persistent_reload(struct pool *pool, const char *store,
		      struct persistent_report *ret);

/* The differences between store and pool. */
struct persistent_difference {
	uint32_t left_over; /* blocks of the pool that no line has */
	uint32_t missing;   /* lines whose block the pool does not have */
};

/* Frees the `left_over` blocks, which a killed add or delete left in the pool,
 * and no more. -EACCES. */
int persistent_mend(struct pool *pool, const char *store,
		    struct persistent_difference *ret);

/* Only counts, and without the store's lock: needs no right, but a change that
 * is under way counts as a difference, too. */
int persistent_compare(struct pool *pool, const char *store,
		       struct persistent_difference *ret);

/* Gives the blocks to the machine's guard, where there is one, with the lock of
 * a store that may be written; the number that it has more now, or -Exxx: none.
 * -EBUSY: others had that lock for 5 s. ret_refused: those that it did not
 * take. */
int persistent_keep(struct pool *pool, const char *store,
		    uint32_t *ret_refused);

/*
 * As persistent_reload(), for a pool that pool_open() is making: a user who may
 * make the pool may load it, if he can read the store. Never fails: a store
 * that cannot be used is an empty one to a program that only wants to bind.
 */
void persistent_load(struct pool *pool, const char *store);

#endif
