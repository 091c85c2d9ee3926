/* SPDX-License-Identifier: MIT */
#include "cli/seen.h"

#include <search.h>
#include <stdlib.h>

struct place {
	dev_t device;
	ino_t inode;
};

static int
compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return (x->inode > y->inode) - (x->inode < y->inode);
}

bool
seen_before(struct seen *seen, const struct stat *st)
{
	struct place *place = malloc(sizeof(*place));
	struct place **at = NULL;

	if (place) {
		*place = (struct place){st->st_dev, st->st_ino};
		at = tsearch(place, &seen->root, compare);
	}
	if (!at)
		abort();
	if (*at == place)
		return false;
	free(place);
	return true;
}

void
seen_free(struct seen *seen)
{
	tdestroy(seen->root, free);
	seen->root = NULL;
}
