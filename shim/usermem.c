/* SPDX-License-Identifier: MIT */
#include "shim/usermem.h"

#include <string.h>
#include <sys/uio.h>

#include "core/kernel/sys.h"

#define PAGE 4096 /* the smallest that there is */

static bool
same_page(const void *a, const void *b)
{
	return (uintptr_t)a / PAGE == (uintptr_t)b / PAGE;
}

/*
 * Nearly all programs keep what they pass in a local variable. What lies above
 * our own frame on the same page is stack, and need not be asked for; the next
 * page may be the end of a small one.
 */
#define IN_CALLERS_FRAMES(user, n)                                             \
	((uintptr_t)(user) >= (uintptr_t)__builtin_frame_address(0) &&         \
	 (uintptr_t)(user) < FRAMES_END &&                                     \
	 (n) <= FRAMES_END - (uintptr_t)(user))
#define FRAMES_END (((uintptr_t)__builtin_frame_address(0) | (PAGE - 1)) + 1)

/*
 * Whole aligned words are asked for, because bytes on one page are all
 * readable or none. So few bytes lie on one page or on two.
 */
static bool
asked_readable(const void *user, size_t n)
{
	const void *first = (const void *)((uintptr_t)user & ~(uintptr_t)7);
	const void *last =
		(const void *)(((uintptr_t)user + n - 1) & ~(uintptr_t)7);

	return sys_readable(&sys_kernel, first) &&
	       (same_page(first, last) || sys_readable(&sys_kernel, last));
}

bool
usermem_readable(const void *user, size_t n)
{
	return IN_CALLERS_FRAMES(user, n) || asked_readable(user, n);
}

int
usermem_read(void *to, const void *user, size_t n)
{
	if (!usermem_readable(user, n))
		return -EFAULT;
	memcpy(to, user, n);
	return 0;
}

/*
 * Fewer than 8 bytes cannot be asked about without spoiling their neighbours,
 * and so they are written. Where a sandbox forbids the call, though it touches
 * nobody but ourselves, the pointer is trusted, as everywhere else in C.
 */
static bool
few_written(void *user, const void *from, size_t n)
{
	const struct sys_ops *sys = &sys_kernel;
	struct iovec local = {.iov_base = (void *)from, .iov_len = n};
	struct iovec remote = {.iov_base = user, .iov_len = n};
	long r = SYS_CALL(sys, SYS_process_vm_writev, sys_getpid(sys),
			  SYS_ARG_(&local), 1, SYS_ARG_(&remote), 1, 0);

	if (r == -ENOSYS || r == -EPERM)
		return usermem_readable(user, n);
	return r == (long)n;
}

/*
 * Of 8 bytes and more. The first 8 are asked about first: the question
 * overwrites them, and where they are missing nothing may be touched.
 */
static bool
writable(void *user, size_t n)
{
	/* In numbers: a wild pointer may be too near the end for C's own. */
	uintptr_t end = (uintptr_t)user + n;

	return sys_writable(&sys_kernel, user) &&
	       (same_page(user, (void *)(end - 1)) ||
		sys_writable(&sys_kernel, (void *)(end - 8)));
}

int
usermem_write(void *user, const void *from, size_t n)
{
	if (!IN_CALLERS_FRAMES(user, n) &&
	    !(n < 8 ? few_written(user, from, n) : writable(user, n)))
		return -EFAULT;
	/* The few too: valgrind does not see a process write to itself. */
	memcpy(user, from, n);
	return 0;
}
