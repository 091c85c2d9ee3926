/* SPDX-License-Identifier: MIT */
/* Blocks that were reserved before there was a guard. */
#ifndef PORTRES_CLI_GUARD_ADOPT_H
#define PORTRES_CLI_GUARD_ADOPT_H

#include <stdint.h>

struct adopted {
	uint32_t runtime;
	uint32_t persistent;
	uint32_t left; /* live ones that the guard could not be given */
};

/*
 * Gives the guard of this network namespace the persistent blocks of the pool
 * that the command sees, and every guard that there is the runtime blocks of all
 * pools that are found: the machine's, those of users, and those that processes
 * name in PORTRES_POOL, in whatever container. One that was reserved after
 * the guard came is the guard's already.
 */
void guard_adopt(const char *cgroup, struct adopted *ret);

#endif
