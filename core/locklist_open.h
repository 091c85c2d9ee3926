/* SPDX-License-Identifier: MIT */
/*
 * The descriptors that the list of locks is read with, and a lock that is known
 * to be on it.
 *
 * Something else may be mounted over /proc/locks: /dev/null, an empty file,
 * another file of procfs. On such a list all leases are missing, so a list
 * proves nothing unless it is procfs' and shows a lock that is there: one of
 * ours, on its own file, where nobody else has one.
 */
#ifndef PORTRES_CORE_LOCKLIST_OPEN_H
#define PORTRES_CORE_LOCKLIST_OPEN_H

#include "core/lock.h"

#define LOCKLIST_FDS 3

struct open_list {
	int fd[LOCKLIST_FDS];
	uint64_t device;
	uint32_t inode;
	uint64_t start;
};

/*
 * Returns 0 or -Exxx: -ENOENT where it is not procfs'. The gate of `guard` is
 * held while descriptors come and go, and not in between; NULL where nobody
 * forks.
 */
int open_list(const struct sys_ops *sys, const struct fork_guard *guard,
	      struct open_list *ret);
void open_list_end(const struct sys_ops *sys, const struct fork_guard *guard,
		   const struct open_list *list);

#endif
