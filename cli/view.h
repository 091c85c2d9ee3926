/* SPDX-License-Identifier: MIT */
/*
 * The pool as the command sees it: what is reserved right now, and by whom.
 */
#ifndef PORTRES_CLI_VIEW_H
#define PORTRES_CLI_VIEW_H

#include "cli/entry.h"
#include "core/pool/pool.h"

struct view {
	struct entry *entries; /* by protocol, then port */
	size_t count;
	uint32_t swept; /* dead ones that were ended on the way */
	bool judged;	/* false: some of the entries may be dead */
};

/* The same for commands that need it: has said why not, STATUS_REFUSED. */
int view_need_pool(struct pool *ret_pool);

/*
 * Ends the dead and copies what is left, without waiting for the lock. 0, or
 * -ESTALE when the file was cut short, -ENOMEM.
 */
int view_take(struct pool *pool, struct view *ret);
void view_free(struct view *view);

/* view_need_pool() and view_take() in one: 0 or STATUS_REFUSED. */
int view_now(struct view *ret);

/* The entry that covers the port, or NULL. */
const struct entry *view_find(const struct view *view, enum protocol protocol,
			      struct range range);

/* "pid 12 (nginx)", "the persistent store, used by …" for messages. */
char *entry_holder(const struct entry *entry, char *to, size_t size);

#endif
