/* SPDX-License-Identifier: MIT */
/*
 * A kernel that fails one chosen call, and the ways in which calls fail.
 */
#ifndef PORTRES_TESTS_FAILING_H
#define PORTRES_TESTS_FAILING_H

#include "tests/kernel.h"

#define CALLS_MAX 4000

/* Fails call number `turn`, and writes down which calls there are. */
struct kernel_failing {
	struct sys_ops ops;
	int turn;   /* -1: none */
	long fails; /* and only if it is this one: other processes' locks and
		     * waits make the row longer now and then */
	int error;
	int calls;
	long nr[CALLS_MAX];
};

static inline long
kernel_fail(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_failing *self = (struct kernel_failing *)(void *)sys;
	int n = self->calls++;

	if (n < CALLS_MAX)
		self->nr[n] = nr;
	if (n != self->turn || nr != self->fails)
		return kernel_real(nr, arg);
	if (nr == SYS_close) /* fails and closes, as the kernel has it */
		kernel_real(nr, arg);
	return -self->error;
}

/* The calls that may go wrong; those that cannot fail are not in the list. */
#define FAILING_ERRORS 6

static const struct failing_way {
	long nr;
	int errors[FAILING_ERRORS];
} failing_ways[] = {
	{SYS_openat, {EMFILE, ENFILE, ENOMEM, EACCES, ENOENT, EINTR}},
	{SYS_close, {EIO, EINTR}},
	{SYS_read, {EIO, ENOMEM, EAGAIN, EINTR}},
	{SYS_fstat, {EIO, ENOMEM}},
	{SYS_fstatfs, {EIO, ENOSYS}},
	{SYS_linkat, {ENOENT, EPERM, ENOSPC, EXDEV}},
	{SYS_pread64, {EIO, ENOMEM}},
	{SYS_readlinkat, {EACCES, ENOENT}},
	{SYS_fchmod, {EPERM}},
	{SYS_mkdirat, {EACCES, ENOSPC}},
	{SYS_fallocate, {ENOSPC, EINTR, EIO}},
	{SYS_flock, {ENOLCK, EIO}},
	{SYS_fcntl, {ENOLCK, ENOMEM, EINVAL}},
	{SYS_mmap, {ENOMEM, EACCES}},
	{SYS_socket, {EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES}},
	{SYS_bind, {ENOMEM, EACCES, EPERM, EADDRINUSE, EIO}},
	{SYS_getsockopt, {ENOBUFS, ENOPROTOOPT, EBADF}},
	{SYS_setsockopt, {ENOMEM, ENOPROTOOPT}},
	{SYS_sendto, {ENOBUFS, EPERM, EINTR}},
	{SYS_getdents64, {EIO, ENOMEM}},
	{SYS_prctl, {EINVAL, ENOSYS}},
	{SYS_get_robust_list, {ENOSYS, EPERM}},
};

#define FAILING_WAYS (sizeof(failing_ways) / sizeof(*failing_ways))

#endif
