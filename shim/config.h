/* SPDX-License-Identifier: MIT */
/*
 * What the environment says, read once with secure_getenv.
 *
 * PORTRES_POOL      the pool's directory; else /run/portres where there is
 *                   one, else /dev/shm/portres-UID, made on demand
 *                   The store of persistent blocks is in PORTRES_POOL too,
 *                   else in /etc/portres, else in $XDG_STATE_HOME/portres.
 * PORTRES_STRICT    1: a bind that cannot be checked fails with ENETDOWN
 * PORTRES_DEBUG     1: one line on stderr for each refused bind
 * PORTRES_WILDCARD  where wildcards look, "61000-65535,10000-32767"
 */
#ifndef PORTRES_SHIM_CONFIG_H
#define PORTRES_SHIM_CONFIG_H

#include <stdbool.h>

#include "core/kernel/range.h"
#include "core/pool/pool.h"

struct config {
	/* Of the pool; an own one may have the next name. */
	char directory[256];
	char store[256]; /* of the persistent blocks; empty: nowhere */
	const char *why; /* that directory: for humans */
	bool own;	 /* the user's own one: see core/user_pool.h */
	bool strict;
	bool debug;
	struct range_list wildcard; /* empty: around the ephemeral range */
};

/*
 * Opens the pool of a network namespace, where the settings say. Returns as
 * pool_open().
 */
int config_open_pool(uint64_t netns, const struct fork_block *forks,
		     struct pool *ret_pool);

/*
 * The directory of the pool, as it is or, with `make`, as it will be: one's own
 * may not have the usual name. Returns 0 or -ENETDOWN, with the usual one.
 */
int config_pool_directory(bool make, char to[POOL_PATH_MAX]);

/* Never NULL; the first caller reads it, normally our constructor. */
const struct config *config_get(void);

#endif
