/* SPDX-License-Identifier: MIT */
/*
 * Kernels that answer otherwise than the real one: sys_ops for tests.
 */
#ifndef PORTRES_TESTS_KERNEL_H
#define PORTRES_TESTS_KERNEL_H

#include "core/kernel/sys.h"
#include "tests/check.h"

static inline long
kernel_real(long nr, const long arg[6])
{
	return sys_kernel.call(&sys_kernel, nr, arg);
}

/*
 * One that fails a certain system call, always; with `path`, only an openat()
 * of a path that begins so.
 */
struct kernel_refusing {
	struct sys_ops ops;
	long nr;
	int error; /* -Exxx */
	const char *path;
	int asked;
	const struct sys_ops
		*behind; /* what answers the rest; NULL: the real */
};

static inline long
kernel_refuse(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_refusing *self = (struct kernel_refusing *)(void *)sys;

	if (nr != self->nr ||
	    (self->path && strncmp((const char *)arg[1], self->path,
				   strlen(self->path)) != 0)) {
		const struct sys_ops *behind =
			self->behind ? self->behind : &sys_kernel;

		return behind->call(behind, nr, arg);
	}
	self->asked++;
	return self->error;
}

static inline struct kernel_refusing
kernel_refusing(long nr, int error, const char *path)
{
	return (struct kernel_refusing){
		{.call = kernel_refuse}, nr, error, path, 0, NULL};
}

/* One whose monotonic clock moves only when somebody sleeps or asks. */
struct kernel_timeless {
	struct sys_ops ops;
	uint64_t now;  /* ns */
	uint64_t tick; /* each question takes so long */
};

static inline long
kernel_sleepless(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_timeless *self = (struct kernel_timeless *)(void *)sys;

	switch (nr) {
	case SYS_clock_gettime:
		if (arg[0] != CLOCK_MONOTONIC)
			return kernel_real(nr, arg);
		self->now += self->tick;
		*(struct timespec *)arg[1] = (struct timespec){
			.tv_sec = (time_t)(self->now / 1000000000),
			.tv_nsec = (long)(self->now % 1000000000)};
		return 0;
	case SYS_futex_waitv:
	case SYS_timerfd_create:
		return -ENOSYS; /* so that naps are nanosleep() */
	case SYS_nanosleep:
		self->now += (uint64_t)((struct timespec *)arg[0])->tv_sec *
				     1000000000 +
			     (uint64_t)((struct timespec *)arg[0])->tv_nsec;
		return 0;
	default:
		return kernel_real(nr, arg);
	}
}

static inline struct kernel_timeless
kernel_timeless(uint64_t tick)
{
	return (struct kernel_timeless){
		{.call = kernel_sleepless}, 1000000000, tick};
}

#endif
