/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_SHIM_EXPLAIN_H
#define PORTRES_SHIM_EXPLAIN_H

#include "core/pool/slot.h"

/*
 * Says on stderr, in one write, why a bind to `port` is refused: by which
 * reservation, whose it is, and the way out. `unjudged`: nobody could tell
 * whether its owner lives. Leaves errno alone.
 */
void explain_refusal(const struct slot *slot, uint16_t port, bool unjudged);

/* The same of a port that is marked, and no slot has it. */
void explain_passing(uint16_t port);

#endif
