/* SPDX-License-Identifier: MIT */
/*
 * Why a call that was to give a socket a port is refused, and the way out: one
 * line on stderr, in one write, where PORTRES_DEBUG is set. Errno is left
 * alone.
 */
#ifndef PORTRES_SHIM_EXPLAIN_H
#define PORTRES_SHIM_EXPLAIN_H

#include <stdbool.h>

#include "core/pool/slot.h"

/* The port is reserved. `unjudged`: it could not be checked whether the owner
 * lives. */
void explain_reserved(const struct slot *slot, uint16_t port, bool unjudged);

/* The port is marked, and in no live slot. */
void explain_passing(uint16_t port);

/* The socket is associated with that block: no port of it is free; or the port
 * is not in it. */
void explain_exhausted(const struct slot *slot);
void explain_outside(const struct slot *slot, uint16_t port);

/* An associated socket is to be bound to any port of its block, and the pool's
 * lock is not to be had: another process has it, or no descriptor is left (`r`,
 * -Exxx); or its file cannot be opened any more, and the socket shares ports.
 */
void explain_locked(int r);
void explain_out_of_reach(void);

/* The system finds no port that is neither reserved nor in use. */
void explain_none_left(void);

/* Nobody can tell whether the port is reserved, and PORTRES_STRICT is set. */
void explain_unchecked(void);

#endif
