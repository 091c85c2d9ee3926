/* SPDX-License-Identifier: MIT */
/*
 * The store of persistent reservations: a text file named `persistent` in a
 * directory of its own, one block a line,
 *
 *	tcp 5000 20	# the protocol, the first port, the number of ports
 *
 * Blank lines and comments (from a # on) are kept and mean nothing. A line that
 * makes no sense is kept too, and skipped. The file is replaced, never written
 * in place: a reader sees the old text or the new one, after a crash too.
 *
 * A user who may write the directory may put anything there, and root reads it.
 * So the file is checked before it is read: a regular file without a second
 * name, of at most STORE_MAX bytes of text. Nothing else is followed, waited
 * for or replaced. The new file has the mode 0644, or 0664 where the
 * directory's group may write the directory and has the file, too.
 *
 * Writers exclude each other by flock() on the file `persistent.lock`. A user
 * who may not write the store cannot open that file, and so cannot hold the
 * lock.
 */
#ifndef PORTRES_CORE_POOL_STORE_H
#define PORTRES_CORE_POOL_STORE_H

#include "core/kernel/low_fds.h"
#include "core/kernel/range.h"
#include "core/kernel/sys.h"

#define STORE_MAX (1u << 20)

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

/* The store, open, with its text in memory. */
struct store {
	const struct sys_ops *sys;
	int directory; /* -1: there is none */
	int lock;      /* held while open for writing; else -1 */
	struct low_fds low;
	uid_t owner; /* of the directory, as the next two */
	gid_t group;
	bool shared; /* its group may write in it */
	char *text;  /* mapped; NULL when there is no file */
	size_t length;
};

/*
 * Opens the store in `path`, reads it, and with `write` locks out other
 * writers first; `write` makes the directory when it is missing. A directory
 * or file that is not there is an empty store. Returns 0, or
 *
 *	-EACCES		no right to write it, or to read the file
 *	-EMEDIUMTYPE	the file is none: a link, directory, FIFO, device …
 *	-EMLINK		it has a second name
 *	-EFBIG		it has more than STORE_MAX bytes
 *	-EILSEQ		it is no text: a control character is in it
 *	-EISDIR		a directory stands where the lock belongs
 *	-EBUSY		no lock within 5 s, or somebody replaces files there
 *
 * or an error of the system calls. Then nothing was changed.
 */
int store_open(const struct sys_ops *sys, const char *path, bool write,
	       struct store *ret);
void store_close(struct store *store);

/* Called for each line that is not blank or a comment, with its number from 1.
 * A `bad` line makes no sense and has no block. Non-zero ends the reading. */
typedef int store_line(void *context, unsigned line, bool bad,
		       struct block block);

/* Returns what the last callback returned, 0 after all lines. */
int store_each(const struct store *store, store_line *each, void *context);

/*
 * Replaces the file by its text without the lines of `without` and with a
 * line for `with` at the end; either may be NULL. On disk when it returns 0.
 * 1: replaced, but the disk did not confirm it, so that a power failure may
 * bring the old file back. Otherwise -Exxx, -EFBIG where the text or the
 * process' limit does not allow a longer one, and the old file is as it was.
 */
int store_replace(struct store *store, const struct block *without,
		  const struct block *with);

/* Does this process have the right to write the store? */
bool store_right(const struct sys_ops *sys, const char *path);

#endif
