/* SPDX-License-Identifier: MIT */
/*
 * How a block is reserved: a certain one, or a wildcard.
 *
 * A slot in the way may have a dead owner. To find out takes a reading of the
 * kernel's list of locks, which may be long, so that is never done with the
 * lock held: reserve_acquire() returns -EAGAIN, the caller drops the lock,
 * calls reserve_judge_for(), and enters again. One reading checks all slots.
 */
#ifndef PORTRES_CORE_POOL_ACQUIRE_H
#define PORTRES_CORE_POOL_ACQUIRE_H

#include "core/kernel/range.h"
#include "core/pool/reserve.h"

/* The sequence up to which slots have been checked; all zero at first. */
struct judgement {
	uint64_t until;
	uint32_t readings;
};

/* The places of a wildcard, best first, and the ports that it never takes. */
struct anywhere {
	struct range_list ranges;
	struct port_set forbidden;
};

struct acquire {
	enum reservation_kind kind;
	enum protocol protocol;
	struct range range;	/* start 0: anywhere in `wildcard` */
	int fd;			/* the socket that is to own a runtime block */
	uint64_t now;		/* CLOCK_REALTIME, nanoseconds */
	bool though_in_use;	/* a persistent block that comes back */
	struct range ephemeral; /* where the kernel picks ports itself */
	/* For wildcards: the ranges to look in, best first, and ports never to
	 * take; or NULL. */
	const struct range_list *wildcard;
	const struct port_set *forbidden;
	uint32_t align; /* a wildcard begins at a multiple of it; 0: anywhere */
	/* The same ports of the other protocol as well, for this socket. */
	bool both;
	int other_fd;
	bool heirs; /* processes that inherit it bind, without the library too */
	struct judgement judged;
};

/* Is a block of this protocol asked for? */
static inline bool
acquires(const struct acquire *wanted, enum protocol protocol)
{
	return protocol == wanted->protocol || wanted->both;
}

/*
 * Under the lock: reserves a block for the socket, or, with `both`, the two
 * blocks ret[0] and ret[1], or none. Errors: -EINVAL (count 0, or
 * past 65535), -EADDRINUSE (reserved, or in use), -ENOBUFS (no room for a
 * wildcard, or the pool's slots are all taken), -EMFILE, -ENFILE, -ENETDOWN;
 * -EAGAIN: the owner in the way may be dead; leave, call reserve_judge_for(),
 * and enter again.
 */
int reserve_acquire(struct pool *pool, const struct acquire *wanted,
		    struct reservation *ret);

/*
 * Without the lock, after reserve_acquire() has returned -EAGAIN: marks dead
 * slots, twice for one request at most. After that the owner in the way counts
 * as alive. Returns 0, -EMFILE or -ENFILE.
 */
int reserve_judge_for(struct pool *pool, struct acquire *wanted);

#endif
