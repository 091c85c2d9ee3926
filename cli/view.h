/* SPDX-License-Identifier: MIT */
/* The pool as the command shows it: the live reservations and their owners. */
#ifndef PORTRES_CLI_VIEW_H
#define PORTRES_CLI_VIEW_H

#include "cli/entry.h"
#include "core/pool/pool.h"
#include "core/pool/store.h"

struct view {
	struct entry *entries; /* by protocol, then port */
	size_t count;
	uint32_t swept; /* dead slots that were freed */
	bool judged;	/* false: some of the entries may be dead */
};

/* For commands that need a pool: 0, or STATUS_REFUSED after a message. */
int view_need_pool(struct pool *ret_pool);

/* Marks dead slots and copies the live ones, without waiting for the lock. 0,
 * or -ESTALE when the file was cut short, -ENOMEM. */
int view_take(struct pool *pool, struct view *ret);
void view_free(struct view *view);

/* view_need_pool() and view_take() in one: 0 or STATUS_REFUSED. */
int view_now(struct view *ret);

/* The entry that covers the port, or NULL. */
const struct entry *view_find(const struct view *view, enum protocol protocol,
			      struct range range);

/* Is there a persistent reservation of exactly these ports? */
bool view_has_persistent(const struct view *view, struct block block);

/* "pid 12 (nginx)", "the persistent store, used by …" for messages. */
char *entry_holder(const struct entry *entry, char *to, size_t size);

#endif
