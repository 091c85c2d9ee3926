/* SPDX-License-Identifier: MIT */
/* Lines of the store whose blocks the pool does not have, and why. */
#ifndef PORTRES_CLI_UNFOLLOWED_H
#define PORTRES_CLI_UNFOLLOWED_H

#include "cli/view.h"
#include "core/pool/store.h"

enum unfollowed_why {
	UNFOLLOWED_SENSELESS, /* no block */
	UNFOLLOWED_IN_THE_WAY,
	UNFOLLOWED_FULL,    /* the pool */
	UNFOLLOWED_NOT_YET, /* nothing is in the way */
};

struct unfollowed {
	unsigned line;
	enum unfollowed_why why;
	struct block block;	   /* not where it is senseless */
	const struct entry *entry; /* in the way */
};

/* Told of each, in the order of the lines. */
typedef void unfollowed_visit(void *context, const struct unfollowed *line);
void unfollowed_each(const struct store *store, const struct view *view,
		     unfollowed_visit *visit, void *context);

/* "line 3, tcp 5000-5019, …: the way out". */
char *unfollowed_text(const struct unfollowed *line, char *to, size_t size);

#endif
