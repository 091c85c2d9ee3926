/* SPDX-License-Identifier: MIT */
#include "core/sys.h"

#include <errno.h>

/*
 * The only lines of core that meet errno: libc's syscall() reports through it,
 * and the host program's value is put back.
 */
static long
kernel_call(const struct sys_ops *sys, long nr, const long arg[6])
{
	int saved = errno;
	long r = syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);

	(void)sys;
	if (r == -1) {
		r = -errno;
		errno = saved;
	}
	return r;
}

const struct sys_ops sys_kernel = {.call = kernel_call};
