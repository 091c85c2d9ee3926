/* SPDX-License-Identifier: MIT */
/*
 * How a block is taken: a certain one, or wherever there is room.
 *
 * A slot in the way may be a dead owner's. To find that out takes a reading of
 * the kernel's list of locks, which may be long, so it is never done inside
 * the pool: reserve_acquire() says -EAGAIN, the caller leaves, judges, and
 * comes again. One judgement is of all slots at once.
 */
#ifndef PORTRES_CORE_POOL_ACQUIRE_H
#define PORTRES_CORE_POOL_ACQUIRE_H

#include "core/kernel/range.h"
#include "core/pool/reserve.h"

/* Up to which token slots have been judged; all zero before the first time. */
struct judgement {
	uint64_t until;
	uint32_t readings;
};

/* The places where a wildcard looks, best first, and those that it never takes.
 */
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
	/* Where to look, best first, and what never to touch, or NULL. */
	const struct range_list *wildcard;
	const struct port_set *forbidden;
	uint32_t align; /* a wildcard begins at a multiple of it; 0: anywhere */
	/* The same ports of the other protocol as well, for this socket. */
	bool both;
	int other_fd;
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

#endif
