/* SPDX-License-Identifier: MIT */
#include "shim/user.h"

#include <string.h>
#include <sys/uio.h>

#include "core/sys.h"

/*
 * Returns 0, -EFAULT, or -ENOSYS where a sandbox forbids the call, though it
 * touches nobody but ourselves: then the pointer is trusted, as everywhere
 * else in C.
 */
static int
copy(long nr, void *ours, const void *user, size_t n)
{
	const struct sys_ops *sys = &sys_kernel;
	struct iovec local = {.iov_base = ours, .iov_len = n};
	struct iovec remote = {.iov_base = (void *)user, .iov_len = n};
	long r = SYS_CALL(sys, nr, sys_getpid(sys), SYS_ARG_(&local), 1,
			  SYS_ARG_(&remote), 1, 0);

	if (r == (long)n)
		return 0;
	return r == -ENOSYS || r == -EPERM ? -ENOSYS : -EFAULT;
}

int
user_read(void *to, const void *user, size_t n)
{
	int r = copy(SYS_process_vm_readv, to, user, n);

	if (r == -ENOSYS && user) {
		memcpy(to, user, n);
		return 0;
	}
	return r < 0 ? -EFAULT : 0;
}

int
user_write(void *user, const void *from, size_t n)
{
	int r = copy(SYS_process_vm_writev, (void *)from, user, n);

	if (r == -ENOSYS && user) {
		memcpy(user, from, n);
		return 0;
	}
	return r < 0 ? -EFAULT : 0;
}

bool
user_readable(const void *user, size_t n)
{
	const char *first = user;

	/* So few bytes lie on one page or on two. */
	return sys_readable(&sys_kernel, first) &&
	       sys_readable(&sys_kernel, first + n - 8);
}
