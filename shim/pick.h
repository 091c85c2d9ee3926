/* SPDX-License-Identifier: MIT */
/*
 * A port that is picked here, because the kernel cannot be asked to choose from
 * these: for associated sockets, for bindresvport(), and for autobind on
 * kernels that cannot be shown a range.
 */
#ifndef PORTRES_SHIM_PICK_H
#define PORTRES_SHIM_PICK_H

#include "core/kernel/range.h"
#include "shim/call.h"

struct pick {
	struct range range;
	uint32_t begin; /* the offset in it where the search begins */
	/* Ports that are passed over, or NULL. */
	const struct port_set *skip;
	/*
	 * Whether a port that another socket has is passed over, whatever the
	 * two may share: the kernel would give it to a socket with SO_REUSEADDR
	 * or SO_REUSEPORT.
	 */
	bool look;
	enum protocol protocol;
	/* Binds the call's socket to its `local`. 0, or -Exxx. */
	long (*bind)(struct call *call);
};

/* Returns 0; -EADDRINUSE when no port of the range is to be had; or -Exxx. */
long pick_port(const struct pick *pick, struct call *call);

/* Binds by the real bind(). */
long pick_bind(struct call *call);

#endif
