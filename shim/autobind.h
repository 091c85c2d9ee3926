/* SPDX-License-Identifier: MIT */
/*
 * Autobind: the kernel picks a port for a socket that is not associated, and
 * must not pick a reserved one. Needed only while a block reaches into the
 * ephemeral range.
 *
 * From Linux 6.3 on, and in later 6.1, a socket can be restricted to a part of
 * the ephemeral range (IP_LOCAL_PORT_RANGE): to a clear range for the length of
 * the call, and to the next one when the kernel finds that one full. A socket
 * that has a port ignores the option, so nobody asks whether it has one. On
 * other kernels a port is picked here (pick.h).
 */
#ifndef PORTRES_SHIM_AUTOBIND_H
#define PORTRES_SHIM_AUTOBIND_H

#include "core/pool/pool.h"
#include "shim/call.h"

/*
 * Makes the real call so that the kernel picks no reserved port. Called while
 * autobind is announced, unless the call may wait for a peer. Returns the
 * kernel's answer. ret_none: all ports that are not reserved are taken, and the
 * answer says so.
 */
long autobind(struct pool *pool, enum protocol protocol, struct call *call,
	      bool *ret_none);

#endif
