/* SPDX-License-Identifier: MIT */
/*
 * Binding sockets that are associated with a reservation.
 */
#ifndef PORTRES_SHIM_IN_BLOCK_H
#define PORTRES_SHIM_IN_BLOCK_H

#include <stdbool.h>

#include "shim/call.h"

/*
 * Binds the call's socket to its `local` in the block that it is associated
 * with, and stores 0 or -Exxx in ret_answer. False, and nothing done, when the
 * socket is not associated, or its block is no longer reserved.
 */
bool in_block_bind(struct call *call, long *ret_answer);

/*
 * The kernel has answered EADDRINUSE to the call's socket, which has a part in
 * that block: binds it all the same, if the port has only connections in
 * TIME_WAIT. Returns 0 or -EADDRINUSE.
 */
long in_block_restart(uint64_t token, struct call *call);

#endif
