/* SPDX-License-Identifier: MIT */
/*
 * The pool as the command sees it: what is reserved right now, and by whom.
 */
#ifndef PORTRES_CLI_VIEW_H
#define PORTRES_CLI_VIEW_H

#include "core/pool/pool.h"

/* One living reservation, copied out of the pool. */
struct entry {
	enum protocol protocol;
	struct range range;
	enum reservation_kind kind;
	uint32_t pid;	/* of a process that has it, 0 when not known */
	int fd;		/* the owning socket's number there, or -1 */
	uint32_t inode; /* of the owning socket */
	uint32_t device;
	uint64_t token;
	uint64_t since;
	char command[17];
	bool own; /* we may know the token */
};

struct view {
	struct entry *entries; /* by protocol, then port */
	size_t count;
	uint32_t swept; /* dead ones that were ended on the way */
	bool judged;	/* false: some of the entries may be dead */
};

/* Opens the pool of our network namespace. 0, or -Exxx as pool_open(). */
int view_open_pool(struct pool *ret_pool);

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

/* "pid 12 (nginx)", "nobody: it is persistent" for messages. */
char *entry_holder(const struct entry *entry, char *to, size_t size);

#endif
