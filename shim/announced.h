/* SPDX-License-Identifier: MIT */
/*
 * Calls that bind, announced by this thread (core/announce.h).
 */
#ifndef PORTRES_SHIM_ANNOUNCED_H
#define PORTRES_SHIM_ANNOUNCED_H

#include "core/pool/announce.h"
#include "core/pool/pool.h"

struct announced {
	struct announce announce;
	uint32_t process;
};

/* Announces a bind to `port`. Returns as announce_begin(). */
int announced_begin(struct pool *pool, uint16_t port, struct announced *ret);
void announced_end(const struct announced *announced);

/*
 * A port that the system is about to choose for the socket; `announced` where
 * nobody else needs to look at it: until choice_end() no reservation begins
 * that reaches into the ephemeral range.
 */
struct choice {
	bool announced;
	struct announced announcement;
};

/*
 * Whether it needs our eye: the socket may be associated, or a reservation
 * reaches into the ephemeral range, or nobody can tell and PORTRES_STRICT
 * forbids it. Opens the pool on the process's first such call.
 */
bool choice_begin(int fd, struct choice *ret);
void choice_end(const struct choice *choice);

#endif
