/* SPDX-License-Identifier: MIT */
/*
 * The writers' lock: a file beside the store that stays there. The directory
 * will not do, nor a file that others may open: flock() asks for no more than
 * a descriptor, and whoever reads the store could hold writers up for ever.
 *
 * What stands under the name and is no such file is removed. That must not
 * pull the lock from under somebody who has just put it right, so the name is
 * looked at again when the lock is held, and once more before the store is
 * replaced.
 */
#include <errno.h>

#include "core/store_inside.h"

#define NAME "persistent.lock"
#define ROUNDS 64
#define NAPS 2500 /* of 2 ms */
#define NAP_NS 2000000
#define PATIENCE 8 /* naps, for who made it to hand it to the group */

/* How long we have waited. */
struct patience {
	int naps;
	int refusals;
};

/* Could nobody but those open it who may write the store? */
static bool
trusted(const struct store *store, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1 || st->st_mode & S_IRWXO)
		return false;
	if (store->shared)
		return !(st->st_mode & S_IRWXG) || st->st_gid == store->group;
	return !(st->st_mode & S_IRWXG) &&
	       (st->st_uid == 0 || st->st_uid == store->owner ||
		st->st_uid == sys_geteuid(store->sys));
}

/*
 * Made in a call of its own: with O_CREAT alone the kernel refuses what is
 * there already and another member's (fs.protected_regular).
 */
static int
open_file(const struct store *store)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = sys_openat(store->sys, store->directory, NAME, flags, 0);

	if (fd != -ENOENT)
		return fd;
	fd = sys_openat(store->sys, store->directory, NAME,
			flags | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
	if (fd >= 0) /* a lock it is with the mode that it has, too */
		store_set_mode(store, fd, S_IRUSR | S_IWUSR, S_IRGRP | S_IWGRP);
	return fd == -EEXIST ? -EAGAIN : fd;
}

/* -EAGAIN: begin again. */
static int
remove_file(const struct store *store)
{
	int r = sys_unlink(store->sys, store->directory, NAME);

	return r == 0 || r == -ENOENT ? -EAGAIN : r;
}

static int
not_opened(const struct store *store, int r, struct patience *patience)
{
	switch (r) {
	case -EACCES:
		if (patience->refusals++ < PATIENCE) {
			sys_nanosleep(store->sys, NAP_NS);
			return -EAGAIN;
		}
		return remove_file(store);
	case -ELOOP:   /* a symbolic link */
	case -ENXIO:   /* a socket */
	case -ENODEV:  /* a device without a driver */
	case -ETXTBSY: /* a program that runs */
	case -EAGAIN:  /* somebody's file, with a lease on it */
		return remove_file(store);
	default:
		return r;
	}
}

static int
wait_for(const struct store *store, int fd, struct patience *patience)
{
	int r;

	while ((r = sys_flock(store->sys, fd, LOCK_EX | LOCK_NB)) == -EAGAIN) {
		if (patience->naps++ == NAPS)
			return -EBUSY;
		sys_nanosleep(store->sys, NAP_NS);
	}
	return r;
}

/* Checked first: a lock that a stranger can hold is not waited for. */
static int
check_and_wait(const struct store *store, int fd, struct patience *patience)
{
	struct stat st;
	int r = sys_fstat(store->sys, fd, &st);

	if (r < 0)
		return r;
	if (st.st_nlink == 0) /* removed since it was opened */
		return -EAGAIN;
	if (!trusted(store, &st))
		return remove_file(store);
	r = wait_for(store, fd, patience);
	if (r < 0)
		return r;
	return store_only_name(store, NAME, fd) ? 0 : -EAGAIN;
}

int
store_lock(struct store *store)
{
	struct patience patience = {0};

	for (int i = 0; i < ROUNDS; i++) {
		int r = store->lock = open_file(store);

		if (r >= 0)
			r = check_and_wait(store, store->lock, &patience);
		else
			r = not_opened(store, r, &patience);
		if (r == 0)
			return 0;
		store_unlock(store);
		if (r != -EAGAIN)
			return r;
	}
	return -EBUSY;
}

bool
store_locked(const struct store *store)
{
	return store_only_name(store, NAME, store->lock);
}

void
store_unlock(struct store *store)
{
	/* Unlocking in words: a child that was forked meanwhile has a copy. */
	if (store->lock >= 0) {
		sys_flock(store->sys, store->lock, LOCK_UN);
		sys_close(store->sys, store->lock);
	}
	store->lock = -1;
}
