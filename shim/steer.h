/* SPDX-License-Identifier: MIT */
/*
 * The one door: each call that may give its socket a port comes in here, and
 * goes one of these ways:
 *
 *   the kernel's	nothing of ours concerns it
 *   announced		the port is not reserved, or the kernel picks one while
 *			no block is in the ephemeral range: the real call, while
 *			nobody can reserve the port (core/pool/announce.h)
 *   in its block	the socket is associated (in_block.h)
 *   autobind		the kernel picks, from a clear range (autobind.h)
 *   refused		the port is reserved: EADDRINUSE; or it cannot be
 *			checked, and PORTRES_STRICT is set: ENETDOWN
 */
#ifndef PORTRES_SHIM_STEER_H
#define PORTRES_SHIM_STEER_H

#include <stdbool.h>

#include "shim/call.h"

/* Reads bind()'s address into `local`. False for an address that the kernel
 * will refuse. */
bool steer_read(struct call *call, const struct sockaddr *address,
		socklen_t size);

/* A bind() whose address has been read. The kernel's answer, or -Exxx. */
long steer_bind(struct call *call);

/* A call that autobinds an unbound socket: listen(), connect(), a first send.
 * Returns as steer_bind(). */
long steer_choice(struct call *call);

#endif
