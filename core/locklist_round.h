/* SPDX-License-Identifier: MIT */
/*
 * One reading of the list of locks from its start to its end, with two
 * descriptors in turns. locklist_read.c says why, and why not only one.
 */
#ifndef PORTRES_CORE_LOCKLIST_ROUND_H
#define PORTRES_CORE_LOCKLIST_ROUND_H

#include "core/locklist.h"
#include "core/locklist_open.h"
#include "core/locklist_page.h"

#define ROUNDS_MOST 24

/* Mapped, because it is too large for a signal stack. */
struct reading {
	const struct sys_ops *sys;
	locklist_seen *seen;
	void *context;
	struct open_list list;

	/* The round */
	struct lineset set; /* the lines of pages that joined */
	uint64_t seed;
	struct reader reader[2];
	struct page page;
	bool joined; /* that page */
	bool shown;  /* the lock that is known to be there */
	uint32_t ends;
	uint32_t chase; /* pages that ended with the list and had nothing new */

	/* All rounds */
	size_t length; /* of the list, when it ended last */
	bool restless; /* something moved, or might move unseen */
	bool doubtful; /* a page was taken that may not have joined */
	size_t furthest;
	uint32_t failures; /* since that was come to */

	/* Steps back */
	uint32_t in_a_row;
	size_t lost_at;
	size_t step, helped; /* pages */
};

/* Returns 0, or -Exxx: -EAGAIN when there is no progress any more. */
int round_read(struct reading *reading);

/* How many rounds it takes to be sure. */
size_t rounds_wanted(const struct reading *reading);

#endif
