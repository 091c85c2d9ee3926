/* SPDX-License-Identifier: MIT */
/*
 * Blocks that this program was started with: `portres run` and the pytest
 * plugin reserve them, name them in PORTRES_TOKENS, and let the program
 * inherit the owning sockets.
 *
 * The program knows of neither. So an explicit bind inside such a block counts
 * as associated, and its owning sockets are kept from the habits of servers:
 * to the program their descriptors are not there. It may close, mark or
 * overwrite every number it likes, and has the block all the same.
 *
 * A persistent block that the program was started with is open in the same
 * way: a socket carries its token, which owns nothing.
 *
 * What is found at the program's start is what the kernel shows: descriptors
 * that carry the leases which the variable names. Where a program has lost
 * them there is nothing to guard.
 */
#ifndef PORTRES_SHIM_HIDDEN_FDS_H
#define PORTRES_SHIM_HIDDEN_FDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/pool/layout.h"

/*
 * Called once by the constructor; costs nothing without the variable. Whether
 * there is anything to guard is sockets_hidden() from then on, one load.
 */
void hidden_fds_find(void);

/* Is it a descriptor that the program does not know of? */
bool hidden_fds_guards(int fd);

/* The lowest such descriptor from `first` to `last`, or -1. */
int hidden_fds_next(unsigned int first, unsigned int last);

/*
 * Makes room at a guarded number, for dup2(): the owning socket gets another
 * one as well. Returns 1, or -EMFILE when there is none.
 */
int hidden_fds_step_aside(int fd);

/* Is the block of this slot one of ours? Checks that we still have it. */
bool hidden_fds_owns(const struct slot *slot);

#endif
