/* SPDX-License-Identifier: MIT */
/* Which files have been met already. */
#ifndef PORTRES_CLI_SEEN_H
#define PORTRES_CLI_SEEN_H

#include <stdbool.h>
#include <sys/stat.h>

struct seen {
	void *root; /* of a tree of search.h */
};

/* Was it met before? From now on it was. */
bool seen_before(struct seen *seen, const struct stat *st);

void seen_free(struct seen *seen);

#endif
