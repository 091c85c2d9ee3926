/* SPDX-License-Identifier: MIT */
/*
 * The list of locks page by page: what one read() shows, and whether it joins
 * what was seen before. locklist_read.c says why that matters.
 */
#ifndef PORTRES_CORE_LOCKLIST_PAGE_H
#define PORTRES_CORE_LOCKLIST_PAGE_H

#include "core/lineset.h"

#define LOCKLIST_PAGE 4096 /* what the kernel shows in one read */
#define LOOK_BACK 256

/* A place in the list, and the bytes before it. */
struct place {
	size_t at;
	size_t n;
	char before[LOOK_BACK];
};

/* One descriptor on the list. */
struct reader {
	int fd;
	bool inside_line; /* the last read ended within one */
	struct place place;
};

struct page {
	struct place place; /* where it begins */
	size_t n;	    /* of whole lines */
	char text[LOCKLIST_PAGE];
};

/*
 * Reads up to `size` bytes and keeps the whole lines of them. Returns the
 * number of bytes read, or -Exxx.
 */
int page_read(const struct sys_ops *sys, struct reader *reader, size_t size,
	      struct page *ret);

/* The sum of what the action said of each line, or its first error. */
typedef int line_action(struct lineset *set, const char *body, size_t n);
int page_each_line(const struct page *page, line_action *action,
		   struct lineset *set);

/* Does nothing lie between this page and what was seen before? */
bool page_joins(struct lineset *set, const struct page *page);

/* Are there locks on it that somebody waits for? */
bool page_has_waiters(const struct page *page);

/* Are the bytes before the place what they were when it was come by? */
bool place_held_still(const struct sys_ops *sys, int fd,
		      const struct place *place);

#endif
