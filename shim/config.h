/* SPDX-License-Identifier: MIT */
/*
 * The settings in the environment, read once with secure_getenv.
 *
 * PORTRES_POOL      the pool's directory; else /run/portres where there is
 *                   one, else /dev/shm/portres-UID, made on demand
 *                   The store of persistent blocks is in PORTRES_POOL too,
 *                   else in /etc/portres, else in $XDG_STATE_HOME/portres.
 * PORTRES_STRICT    1: a bind that cannot be checked fails with ENETDOWN
 * PORTRES_DEBUG     1: one line on stderr for each refusal (explain.h)
 * PORTRES_WILDCARD  where wildcards look, "61000-65535,10000-32767"
 */
#ifndef PORTRES_SHIM_CONFIG_H
#define PORTRES_SHIM_CONFIG_H

#include <stdbool.h>

#include "core/kernel/range.h"
#include "core/pool/pool.h"

struct config {
	/* The pool's; an own one may have the next name (user_pool.h). */
	char directory[256];
	char store[256]; /* of the persistent blocks; empty: nowhere */
	const char *why; /* that directory: for humans */
	bool own;	 /* the user's own one: see user_pool.h */
	bool strict;
	bool debug;
	struct range_list wildcard; /* empty: around the ephemeral range */
};

/* Opens the pool of a network namespace, as the settings have it. Returns as
 * pool_open(). */
int config_open_pool(uint64_t netns, const struct fork_block *forks,
		     struct pool *ret_pool);

/* The directory of the pool; with `make` it is made: a user's own may not have
 * the usual name. Returns 0, or -ENETDOWN with the usual name. */
int config_pool_directory(bool make, char to[POOL_PATH_MAX]);

/* Never NULL. The first caller, normally our constructor, reads the
 * environment. */
const struct config *config_get(void);

#endif
