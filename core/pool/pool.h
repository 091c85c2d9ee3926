/* SPDX-License-Identifier: MIT */
/*
 * The pool file of one network namespace: found or created, checked, mapped,
 * and entered by one writer at a time. layout.h says what is in it.
 */
#ifndef PORTRES_CORE_POOL_POOL_H
#define PORTRES_CORE_POOL_POOL_H

#include "core/kernel/sys.h"
#include "core/pool/layout.h"
#include "core/pool/lock.h"

#define POOL_PATH_MAX 512

struct pool {
	const struct sys_ops *sys;
	struct pool_file *file; /* the mapping */
	uint64_t device;	/* which file it maps */
	uint64_t inode;
	const struct fork_block *forks;
	/* State of the acquire under way, or the last one: for announce_wait(),
	 * port_probe_first() and the caller. */
	uint64_t waiting_since;
	struct port_probe probe;
	struct port_set *used; /* what a wildcard knows to be in use, or NULL */
	/* Ports that were asked about, and one of them was in use. */
	uint64_t in_vain[PROTOCOL_COUNT];
	bool unguarded;		     /* no guard was there when it was asked */
	uint64_t guard;		     /* the number that one told last, or 0 */
	uint32_t in_the_way;	     /* the port that made it fail, or 0 */
	enum protocol in_the_way_of; /* that port's */
	bool uncertain; /* a choice under way may get any port of it */
	char path[POOL_PATH_MAX];
};

/* Fills a new pool before any process can open it: persistent_load() and the
 * path of the store. */
struct pool_filling {
	void (*load)(struct pool *pool, const char *store);
	const char *store;
};

/*
 * Opens the pool `directory`/pool-NETNS, creating the file when it is missing.
 * The directory is root's or the user's; `own`: only the user's, and no link. A
 * new file is filled by `filling`, which may be NULL. `forks` is the process's,
 * the same for all its pools. Takes no lock, so it waits for nobody; but a pool
 * on a disk that another boot wrote is repaired under the lock, and waited for
 * 0.1 s at most: if another has it, that one or the next repairs it.
 *
 * Returns 0 or: -ENETDOWN when the directory or the file is missing, foreign,
 * damaged, of another layout or on a network file system; -EMFILE, -ENFILE.
 * With `own` also: -ENOENT, there is no such directory; -EPERM, it is not one,
 * or not the user's.
 */
int pool_open(const struct sys_ops *sys, const char *directory, bool own,
	      const struct pool_filling *filling, uint64_t netns,
	      const struct fork_block *forks, struct pool *ret_pool);

void pool_close(struct pool *pool);

/* For a pool whose file is gone (-ESTALE): gives back its memory. The mapping
 * stays, as that of an empty pool, for binders that still read it. */
void pool_forget(struct pool *pool);

/* Makes -ENETDOWN of every error but -EMFILE, -ENFILE, -EINTR and -EBUSY. */
int pool_unusable(int r);

/* Can a pool be on this file system? `type` is f_type of statfs(). */
bool pool_file_system_fits(long type);

/*
 * Is the whole file still there? Asked before the mapping is touched without
 * the lock, because a page beyond the end of a truncated file is SIGBUS. A
 * file that was shortened lacks its end first.
 */
static inline bool
pool_whole(const struct pool *pool)
{
	return sys_readable(pool->sys,
			    &pool->file->segment[SEGMENT_COUNT - 1].reserved);
}

/*
 * Takes the exclusive lock, blocks all signals, and repairs what a dead writer
 * left. Returns 0, or -EINTR (a handler installed without SA_RESTART ran while
 * we waited), -ENETDOWN (no lock within 5 s), -EBUSY (not within the time of
 * POOL_BRIEF or POOL_TRY: another thread has the lock), -ESTALE (the file was
 * replaced, resized or removed: open the pool again), -EMFILE, -ENFILE.
 */
int pool_enter(struct pool *pool, enum pool_wait how, struct pool_lock *ret);

void pool_leave(struct pool *pool, const struct pool_lock *lock);

#endif
