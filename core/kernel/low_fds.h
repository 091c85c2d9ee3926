/* SPDX-License-Identifier: MIT */
/*
 * The numbers of the standard streams, where a program has closed them.
 *
 * Its other threads may write to them all the same, and would get EBADF: an
 * error message must not go into the pool's file, nor into a socket of ours,
 * where it is SIGPIPE. So while we make descriptors that can be written to,
 * those numbers are taken by some that cannot.
 */
#ifndef PORTRES_CORE_KERNEL_LOW_FDS_H
#define PORTRES_CORE_KERNEL_LOW_FDS_H

#include "core/kernel/sys.h"

struct low_fds {
	int fd[STDERR_FILENO + 1];
	int count;
};

void low_fds_take_some(const struct sys_ops *sys, int fd, struct low_fds *ret)
	__attribute__((cold));
void low_fds_give_some_back(const struct sys_ops *sys, struct low_fds *low)
	__attribute__((cold));

/*
 * Takes those that are free. `fd` is ours, cannot be written to, and had the
 * lowest free number: so nearly always there is nothing to do. STDIN_FILENO
 * where there is none.
 */
static inline void
low_fds_take(const struct sys_ops *sys, int fd, struct low_fds *ret)
{
	ret->count = 0;
	if (fd < STDERR_FILENO)
		low_fds_take_some(sys, fd, ret);
}

static inline void
low_fds_give_back(const struct sys_ops *sys, struct low_fds *low)
{
	if (low->count)
		low_fds_give_some_back(sys, low);
}

#endif
