/* SPDX-License-Identifier: MIT */
/*
 * The kernel's list of file locks, /proc/locks, read without gaps.
 */
#ifndef PORTRES_CORE_LOCKLIST_H
#define PORTRES_CORE_LOCKLIST_H

#include <stdbool.h>

#include "core/lock.h"
#include "core/sys.h"

/*
 * Called with the inode and the start offset of each OFD lock; the same may
 * come twice. Inode numbers of sockets have 32 bits; of others, the low ones.
 */
typedef void locklist_seen(void *context, uint64_t device, uint32_t inode,
			   uint64_t start);

/* Finds the locks in lines of /proc/locks or /proc/PID/fdinfo/FD. */
void locklist_parse(const char *lines, size_t n, locklist_seen *seen,
		    void *context);

/*
 * Reads the whole list. Every lock that was held from before the call until
 * after it has been reported when this returns 0. Otherwise -Exxx, -EAGAIN
 * when the list changed too fast to be followed.
 */
int locklist_read(const struct sys_ops *sys, const struct fork_guard *guard,
		  locklist_seen *seen, void *context);

/* Is there a lock with this start offset? 1, 0, or -Exxx as locklist_read(). */
int locklist_find(const struct sys_ops *sys, uint64_t start);

#endif
