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

#endif
