/* SPDX-License-Identifier: MIT */
/*
 * Inherited blocks: `portres run` and the pytest plugin reserve them, name them
 * in PORTRES_TOKENS, and let the program inherit the owning sockets.
 *
 * The program knows of neither. So an explicit bind inside such a block counts
 * as associated, and the owning sockets are hidden from it: servers close, mark
 * and overwrite all descriptors at their start, and keep the block all the
 * same.
 *
 * A persistent block that the program was started with is open in the same
 * way: a socket carries its token, which owns nothing.
 *
 * The descriptors are found at the program's start by the kernel's list of
 * their locks: the leases whose tokens the variable names; without /proc by the
 * pool. A program that has lost them has nothing to hide.
 */
#ifndef PORTRES_SHIM_HIDDEN_FDS_H
#define PORTRES_SHIM_HIDDEN_FDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/pool/layout.h"

/* Called once by the constructor; costs nothing without the variable. From then
 * on sockets_hidden() tells whether any descriptor is hidden, in one load. */
void hidden_fds_find(void);

/* Is the descriptor hidden? */
bool hidden_fds_guards(int fd);

/* The lowest hidden descriptor from `first` to `last`, or -1. */
int hidden_fds_next(unsigned int first, unsigned int last);

/* Makes room at a hidden number, for dup2(): the owning socket gets another
 * one. Returns 1, or -EMFILE when there is none. */
int hidden_fds_step_aside(int fd);

/* If this is the slot of an inherited block: the number of its owning socket,
 * while that is still here. Or -1. */
int hidden_fds_owner(const struct slot *slot);

#endif
