/* SPDX-License-Identifier: MIT */
/* What the files named persistent share; all of it is called in the pool. */
#ifndef PORTRES_CORE_PERSISTENT_INSIDE_H
#define PORTRES_CORE_PERSISTENT_INSIDE_H

#include "core/persistent.h"
#include "core/reserve.h"

/* The pool's slot for exactly this block, or NULL. */
struct slot *persistent_slot(struct pool *pool, struct block block);

/* What any persistent block is asked for with; the block is missing. */
struct acquire persistent_wanted(struct pool *pool);

/*
 * Makes the pool agree with the store. Returns 0, or -ENOMEM and has done
 * nothing.
 */
int persistent_agree(struct pool *pool, const struct store *store,
		     struct persistent_report *ret);

/* Compares them, and with `mend` drops what only the pool has. The same. */
int persistent_look(struct pool *pool, const struct store *store, bool mend,
		    struct persistent_difference *ret);

#endif
