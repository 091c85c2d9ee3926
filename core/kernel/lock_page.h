/* SPDX-License-Identifier: MIT */
/*
 * A set of lines that have been seen, by a 32-bit hash, each with the number
 * that it had last. In memory of its own, because it is too large for a signal
 * stack and malloc is not ours to call. It grows as long as there is memory.
 */
#ifndef PORTRES_CORE_KERNEL_LOCK_PAGE_H
#define PORTRES_CORE_KERNEL_LOCK_PAGE_H

#include <stdbool.h>

#include "core/kernel/sys.h"

struct lineset_entry {
	uint32_t hash; /* 0 = empty */
	uint32_t number;
};

struct lineset {
	const struct sys_ops *sys;
	struct lineset_entry *entry;
	uint32_t size; /* a power of two */
	uint32_t count;
};

/* Returns 0 or -Exxx. */
int lineset_make(const struct sys_ops *sys, struct lineset *ret);
void lineset_free(struct lineset *set);

/* Forgets all lines. */
void lineset_clear(struct lineset *set);

/* Never 0. The same line has another hash under another seed. */
uint32_t lineset_hash(const char *line, size_t n, uint64_t seed);

/* The entry, or NULL. It stays where it is until the next lineset_put(). */
struct lineset_entry *lineset_find(const struct lineset *set, uint32_t hash);

/* Adds it, or gives it a new number. Returns 0, or -ENOMEM. */
int lineset_put(struct lineset *set, uint32_t hash, uint32_t number);

/* The list of locks page by page: the lines of one read, and whether they join
 * the lines that were seen before. proc_locks.c says why that matters. */

#define LOCK_PAGE 4096	     /* the kernel's buffer for one read */
#define LOCK_PAGE_MAX 65536u /* and after a long record */
#define LOCK_ROOM 1024
#define LOOK_BACK 256

/* A place in the list, and the bytes before it, if they have been read. */
struct place {
	size_t at;
	size_t n;
	char before[LOOK_BACK];
};

/* One descriptor on the list. */
struct reader {
	int fd;
	bool inside_line; /* the last read ended in one */
	bool room;	  /* its buffer had room for another line */
	struct place place;
};

/* Moves the reader to another place, where it has seen nothing. */
void reader_put(struct reader *reader, size_t at);

struct line {
	uint32_t hash;
	uint32_t number;
	bool waits; /* it is no lock but a waiter for one */
	bool old;   /* it belongs to the read before */
};

struct page {
	struct place place; /* where it begins */
	size_t n;	    /* of whole lines */
	size_t lines;
	size_t locks; /* fresh ones */
	size_t fresh; /* bytes from the first of them on */
	struct line line[LOCK_PAGE_MAX / 32]; /* none is that short */
	char text[LOOK_BACK + LOCK_PAGE_MAX];
};

/*
 * Reads up to `size` bytes and keeps the whole lines of them. Returns the
 * number of bytes read, or -Exxx.
 */
int page_read(const struct sys_ops *sys, struct reader *reader, size_t size,
	      uint64_t seed, struct page *ret);

/* Is there no gap between this page and the lines that were seen before? */
enum joining {
	JOINS_NOT,
	JOINS_PERHAPS,
	JOINS,
	JOINS_WHOLLY, /* there is nothing new on it */
};

/* Counts lines that were seen before with a number within `reach` of theirs
 * now; `strictly`: the page must begin with some. */
enum joining page_joins(const struct lineset *set, const struct page *page,
			size_t reach, bool strictly);

/* Adds its lines to the set. Returns 0 or -ENOMEM. */
int page_remember(struct lineset *set, const struct page *page);

/* Does a waiter stand on the page, or before the place? */
bool page_has_waiters(const struct page *page);
bool place_has_waiters(const struct place *place);

/* Have the bytes before it not been read? */
bool place_is_new(const struct place *place);

/* Are the bytes before the place still those that were read? False if none
 * were. */
bool place_held_still(const struct sys_ops *sys, int fd,
		      const struct place *place);

#endif
