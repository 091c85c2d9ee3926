/* SPDX-License-Identifier: MIT */
/*
 * The store of persistent reservations: a text file named `persistent` in a
 * directory of its own, one block a line,
 *
 *	tcp 5000 20	# the protocol, the first port, the number of ports
 *
 * Blank lines and what follows a # are kept and mean nothing. A line that
 * makes no sense is kept too, and skipped. The file is replaced, never
 * written in place: a reader sees the old text or the new one, and so does
 * whoever comes after a crash. Writers exclude each other by flock() on the
 * directory, because the file itself changes its inode.
 */
#ifndef PORTRES_CORE_STORE_H
#define PORTRES_CORE_STORE_H

#include "core/range.h"
#include "core/sys.h"

/* One persistent reservation; ports in host byte order. */
struct block {
	enum protocol protocol;
	struct range range;
};

static inline bool
block_equal(struct block a, struct block b)
{
	return a.protocol == b.protocol && range_equal(a.range, b.range);
}

/* Could this block be reserved at all? Wildcards cannot. */
static inline bool
block_valid(struct block block)
{
	return block.protocol < PROTOCOL_COUNT && block.range.start != 0 &&
	       range_valid(block.range);
}

/* The store, open and locked, with its text in memory. */
struct store {
	const struct sys_ops *sys;
	int directory; /* locked while open for writing */
	char *text;    /* mapped; NULL when there is no file or it is empty */
	size_t length;
	size_t room;   /* of the mapping */
	uint32_t mode; /* of the file */
};

/*
 * Opens the store in `path`, reads it, and with `write` locks out other
 * writers first; `write` makes the directory when it is missing. A directory
 * or file that is not there is an empty store. Returns 0, -EACCES, or what
 * the system calls said.
 */
int store_open(const struct sys_ops *sys, const char *path, bool write,
	       struct store *ret);
void store_close(struct store *store);

/*
 * Called for each line that is not blank or a comment, with its number from
 * 1. `bad` lines have no meaning, and no block. Returning non-zero ends it.
 */
typedef int store_line(void *context, unsigned line, bool bad,
		       struct block block);

/* Returns what the last callback returned, 0 after all lines. */
int store_each(const struct store *store, store_line *each, void *context);

/*
 * Replaces the file by its text without the lines of `without` and with a
 * line for `with` at the end; either may be NULL. On disk when it returns 0.
 * Otherwise -Exxx, and the old file is as it was.
 */
int store_replace(struct store *store, const struct block *without,
		  const struct block *with);

/* Does this process have the right to write the store? */
bool store_right(const struct sys_ops *sys, const char *path);

#endif
