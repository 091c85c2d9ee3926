/* SPDX-License-Identifier: MIT */
/* Persistent blocks that are deleted outside of a guard's cgroup. */
#ifndef PORTRES_CLI_GUARD_FORGET_H
#define PORTRES_CLI_GUARD_FORGET_H

#include "core/pool/store.h"

/*
 * Takes the block, which is none any more, from each guard of this network
 * namespace that has it: a socket of ours reaches those guards alone that this
 * process is under. For root; others cannot, and see none. False: one has it
 * still.
 */
bool guard_forget(struct block block);

#endif
