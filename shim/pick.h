/* SPDX-License-Identifier: MIT */
/*
 * Ports that are picked here, because the kernel cannot be told to pick from
 * these: for associated sockets, for bindresvport(), and for autobind on
 * kernels without IP_LOCAL_PORT_RANGE.
 */
#ifndef PORTRES_SHIM_PICK_H
#define PORTRES_SHIM_PICK_H

#include "core/kernel/guard.h"
#include "core/kernel/range.h"
#include "shim/call.h"

struct pick {
	struct range range;
	uint32_t begin; /* the offset in it where the search begins */
	/* Ports to pass over, or NULL. */
	const struct port_set *skip;
	/* Whether to pass over ports of other sockets: the kernel would give
	 * them to a socket with SO_REUSEADDR or SO_REUSEPORT. */
	bool look;
	/* For the look into a block that the machine's guard has: its owning
	 * socket, and the block; or NULL. */
	int owner;
	const struct guarded *block;
	enum protocol protocol;
	/* Binds the call's socket to its `local`. 0, or -Exxx. */
	long (*bind)(struct call *call);
};

/* Returns 0; -EADDRINUSE when no port of the range is free; or -Exxx. */
long pick_port(const struct pick *pick, struct call *call);

/* Binds by the real bind(). */
long pick_bind(struct call *call);

#endif
