/* SPDX-License-Identifier: MIT */
/*
 * A server that is started again finds the connections of the one before on its
 * port, in TIME_WAIT, for a minute. The kernel lets a TCP socket pass them
 * where both have SO_REUSEADDR, and asks at bind() and again at listen().
 *
 * So a socket that binds in a block that it has a part in is given the option
 * for as long as such a call takes, and for good once it listens or has a peer:
 * then its own connections let the next one pass, and nobody can be bound
 * beside it by that. A connect() that is under way counts as a peer, and leaves
 * the option on when it fails. A program that has set the option itself keeps
 * it as it is.
 */
#ifndef PORTRES_SHIM_RESTART_H
#define PORTRES_SHIM_RESTART_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shim/call.h"

/* Has this process bound a socket in a block? listen() and connect() pay this
 * load. */
extern atomic_bool restart_matters __attribute__((visibility("hidden")));

static inline bool
restart_any(void)
{
	return atomic_load_explicit(&restart_matters, memory_order_relaxed);
}

static inline void
restart_bound(void)
{
	if (!restart_any())
		atomic_store_explicit(&restart_matters, true,
				      memory_order_relaxed);
}

/* Would the option help: is it a TCP socket, and not set? */
bool restart_helps(const struct call *call);

/* Has the call's port only connections in TIME_WAIT? Not sure is no. */
bool restart_passes(const struct call *call);

/*
 * Makes the attempt with the option set. With the pool's lock held, or another
 * could be bound beside the socket meanwhile. Returns as the attempt, -Exxx.
 */
long restart_reusing(struct call *call, long (*attempt)(struct call *call));

/* Listens, over TIME_WAIT too. `listen` makes the call; returns as it. */
long restart_listen(const struct call *call,
		    long (*listen)(const struct call *call));

/* The socket has a peer, or waits for it. */
void restart_connected(const struct call *call);

#endif
