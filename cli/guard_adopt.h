/* SPDX-License-Identifier: MIT */
/* Blocks that were reserved before there was a guard. */
#ifndef PORTRES_CLI_GUARD_ADOPT_H
#define PORTRES_CLI_GUARD_ADOPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct adopted {
	uint32_t runtime; /* that the guard had not before */
	uint32_t persistent;
	uint32_t left;	 /* live ones that the guard could not be given */
	uint32_t busy;	 /* those in pools that others kept locked */
	uint32_t unread; /* files and directories */
	int keeping;	 /* -Exxx: no persistent block was given */
	bool whole;	 /* the search has come to its end */
};

/*
 * Gives the guard of this network namespace the persistent blocks of the pool
 * that the command sees, and every guard that there is the runtime blocks of
 * all pools that are found (cli/guard_pools.h). One that was reserved after the
 * guard came is the guard's already.
 */
void guard_adopt(const char *cgroup, struct adopted *ret);

/* Moves this process to that cgroup, or to one below it of its own, which goes
 * by guard_adopt_left() when the process has ended. */
bool guard_adopt_join(const char *cgroup);
void guard_adopt_left(const char *cgroup, pid_t pid);

#endif
