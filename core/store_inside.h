/* SPDX-License-Identifier: MIT */
/* What the files named store share. */
#ifndef PORTRES_CORE_STORE_INSIDE_H
#define PORTRES_CORE_STORE_INSIDE_H

#include "core/store.h"

/* Takes the writers' lock into store->lock. Returns as store_open(). */
int store_lock(struct store *store);

/* Is what we hold still what the others wait for? */
bool store_locked(const struct store *store);

void store_unlock(struct store *store);

/*
 * Gives the file that we made its mode; the bits of `group` only where the
 * directory's group may write the directory and has the file, too. Returns 0
 * or -Exxx.
 */
int store_set_mode(const struct store *store, int fd, mode_t mode,
		   mode_t group);

/* Is this name in the directory the open file's, and its only one? */
bool store_only_name(const struct store *store, const char *name, int fd);

/* Reads the file into store->text. Returns as store_open(). */
int store_read(struct store *store);

/* No control characters but those that end or indent lines? */
bool store_is_text(const struct store *store);

#define STORE_LINE_MAX 32

/*
 * The new text, for store_replace(), into `to`, which has room for the old
 * one and STORE_LINE_MAX. Returns its length.
 */
size_t store_compose(const struct store *store, const struct block *without,
		     const struct block *with, char *to);

#endif
