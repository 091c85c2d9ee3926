/* SPDX-License-Identifier: MIT */
/*
 * Ports that the system chooses, for sockets that are not associated: never
 * reserved ones. Needed only while a block reaches into the kernel's ephemeral
 * range.
 *
 * From Linux 6.3 on, and in later 6.1, a socket can be shown a part of the
 * ephemeral range (IP_LOCAL_PORT_RANGE). It is shown a clear one for the length
 * of the call, and the next one when the kernel says that this one is full. A
 * socket that has its port does not heed it, so nobody asks whether it has one.
 * Otherwise a port is picked here and named to the kernel.
 */
#ifndef PORTRES_SHIM_AUTOBIND_H
#define PORTRES_SHIM_AUTOBIND_H

#include "core/pool/pool.h"
#include "shim/call.h"

/*
 * Makes the real call so that no reserved port is chosen. Called while the
 * choice is announced, where the call does not wait for others. Returns what
 * the kernel answers. ret_none: all ports that are not reserved are taken, and
 * the answer says so.
 */
long autobind(struct pool *pool, enum protocol protocol, struct call *call,
	      bool *ret_none);

#endif
