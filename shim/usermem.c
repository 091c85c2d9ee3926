/* SPDX-License-Identifier: MIT */
#include "shim/usermem.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>

#include "core/kernel/sys.h"

#define PAGE 4096 /* the smallest that there is */
/* exec() makes the main stack so large, and keeps a gap of a MiB below it. */
#define MAIN_STACK_LEAST ((uintptr_t)128 << 10)

static bool
same_page(const void *a, const void *b)
{
	return (uintptr_t)a / PAGE == (uintptr_t)b / PAGE;
}

/*
 * The auxiliary vector's 16 random bytes, at the bottom of the main thread's
 * stack: above them lie no frames. Near to nothing before the constructor; not
 * 0, so that it stands on a page that is written at start anyway.
 */
static uintptr_t main_stack = UINTPTR_MAX;

void
usermem_start(void)
{
	main_stack = getauxval(AT_RANDOM);
}

/*
 * Memory above our own frame needs no system call where it certainly is stack:
 * nearly all programs pass local variables. The kernel maps nothing else so
 * near to the bottom of the main stack. On another stack only the page that we
 * stand on is known; the next one may be past the end of a small one.
 */
#define FRAME ((uintptr_t)__builtin_frame_address(0))
#define FRAMES_END                                                             \
	(main_stack - FRAME < MAIN_STACK_LEAST ? main_stack                    \
					       : (FRAME | (PAGE - 1)) + 1)
#define IN_CALLERS_FRAMES(user, n)                                             \
	((uintptr_t)(user) >= FRAME && (uintptr_t)(user) < FRAMES_END &&       \
	 (n) <= FRAMES_END - (uintptr_t)(user))

/* Asks for the first and the last aligned word: bytes on one page are all
 * readable or none, and 4096 lie on two pages at most. */
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
 * Writes fewer than 8 bytes, which writable() cannot ask about without spoiling
 * their neighbours. In a sandbox that forbids the call a readable pointer
 * counts as writable.
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

/* Are these bytes, 8 or more, writable? The question overwrites the first 8,
 * then the last 8: if the first are not there nothing is touched. */
static bool
writable(void *user, size_t n)
{
	/* A number, because a wild pointer plus n may overflow. */
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
	/* The few bytes again: valgrind does not see a process write to
	 * itself. */
	memcpy(user, from, n);
	return 0;
}
