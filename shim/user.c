/* SPDX-License-Identifier: MIT */
#include "shim/user.h"

#include <string.h>
#include <sys/uio.h>

#include "core/sys.h"

#define PAGE 4096 /* the smallest that there is */

/*
 * Whole aligned words are asked for, because bytes on one page are all
 * readable or none. So few bytes lie on one page or on two.
 */
bool
user_readable(const void *user, size_t n)
{
	uintptr_t first = (uintptr_t)user & ~(uintptr_t)7;
	uintptr_t last = ((uintptr_t)user + n - 1) & ~(uintptr_t)7;

	return sys_readable(&sys_kernel, (const void *)first) &&
	       (first / PAGE == last / PAGE ||
		sys_readable(&sys_kernel, (const void *)last));
}

int
user_read(void *to, const void *user, size_t n)
{
	if (!user_readable(user, n))
		return -EFAULT;
	memcpy(to, user, n);
	return 0;
}

/*
 * Fewer than 8 bytes cannot be asked about without spoiling their neighbours.
 * Where a sandbox forbids the call, though it touches nobody but ourselves,
 * the pointer is trusted, as everywhere else in C.
 */
static int
write_few(void *user, const void *from, size_t n)
{
	const struct sys_ops *sys = &sys_kernel;
	struct iovec local = {.iov_base = (void *)from, .iov_len = n};
	struct iovec remote = {.iov_base = user, .iov_len = n};
	long r = SYS_CALL(sys, SYS_process_vm_writev, sys_getpid(sys),
			  SYS_ARG_(&local), 1, SYS_ARG_(&remote), 1, 0);
	bool trusted = (r == -ENOSYS || r == -EPERM) && user_readable(user, n);

	if (r != (long)n && !trusted)
		return -EFAULT;
	/* Once more where it was written: valgrind does not see a process
	 * write to itself, and says that nobody did. */
	memcpy(user, from, n);
	return 0;
}

int
user_write(void *user, const void *from, size_t n)
{
	if (n < 8)
		return write_few(user, from, n);
	if (!sys_writable(&sys_kernel, user) ||
	    !sys_writable(&sys_kernel, (char *)user + n - 8))
		return -EFAULT;
	memcpy(user, from, n);
	return 0;
}
