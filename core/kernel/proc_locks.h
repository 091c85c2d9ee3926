/* SPDX-License-Identifier: MIT */
/*
 * The kernel's list of file locks, /proc/locks, read without gaps.
 */
#ifndef PORTRES_CORE_KERNEL_PROC_LOCKS_H
#define PORTRES_CORE_KERNEL_PROC_LOCKS_H

#include "core/kernel/fork_block.h"
#include "core/kernel/sys.h"

/*
 * Called with the device, the inode and the start offset of each OFD lock; a
 * lock may come twice. The device is as in stat(). Inode numbers of sockets
 * have 32 bits; of others, the low ones.
 */
typedef void proc_locks_seen(void *context, uint64_t device, uint32_t inode,
			     uint64_t start);

/* Finds the locks in lines of /proc/locks or /proc/PID/fdinfo/FD. */
void proc_locks_parse(const char *lines, size_t n, proc_locks_seen *seen,
		      void *context);

/*
 * Reads the whole list. Every lock that was held from before the call until
 * after it has been reported when this returns 0. Otherwise -Exxx: -EAGAIN when
 * the list changed too fast to be followed, or is not the kernel's. Has no time
 * limit: 100,000 locks take some seconds. Holds `forks`, which may be NULL,
 * only while it opens and closes its descriptors.
 */
int proc_locks_read(const struct sys_ops *sys, const struct fork_block *forks,
		    proc_locks_seen *seen, void *context);

#endif
