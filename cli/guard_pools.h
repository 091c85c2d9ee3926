/* SPDX-License-Identifier: MIT */
/*
 * The pool files of all processes: the machine's, those of users, and those
 * that processes name in PORTRES_POOL, in whatever container. Any user may have
 * made one, and the directory that leads to it, so nothing else is ever opened.
 */
#ifndef PORTRES_CLI_GUARD_POOLS_H
#define PORTRES_CLI_GUARD_POOLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct guard_pool {
	int fd;
	uid_t owner;
	bool machines; /* in /run/portres, as we see it */
	uint64_t netns;
};

/* Does the visitor keep the descriptor, and close it later? */
typedef bool guard_pool_found(void *context, const struct guard_pool *pool);

/*
 * Calls `found` once for each file: those of root's processes first. Returns
 * the number of files and directories that could not be opened.
 */
uint32_t guard_pools_each(guard_pool_found *found, void *context);

#endif
