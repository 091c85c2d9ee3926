/* SPDX-License-Identifier: MIT */
/* All system calls of core; here those on memory, time, process and signals. */
#ifndef PORTRES_CORE_SYS_H
#define PORTRES_CORE_SYS_H

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#include "core/sys_file.h"
#include "core/sys_socket.h"

/* The kernel's sigset_t, which is shorter than libc's. */
#define SYS_SIGSET_SIZE 8

/* Memory. Returns the address as a number: negative values are errors. */
static inline long
sys_mmap_private(const struct sys_ops *sys, size_t size)
{
	return SYS_CALL(sys, SYS_mmap, 0, SYS_ARG_(size),
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);
}

/*
 * Fresh memory in the place of what is mapped at `at`. Made elsewhere and
 * moved: a mapping that fails half way would leave a hole.
 */
static inline int
sys_mmap_over(const struct sys_ops *sys, void *at, size_t size)
{
	long r = sys_mmap_private(sys, size);

	if (r >= 0)
		r = SYS_CALL(sys, SYS_mremap, r, SYS_ARG_(size), SYS_ARG_(size),
			     MREMAP_MAYMOVE | MREMAP_FIXED, SYS_ARG_(at));
	return r < 0 ? (int)r : 0;
}

/* Returns the address as a number: negative values are errors. */
static inline long
sys_mmap_shared(const struct sys_ops *sys, int fd, size_t size)
{
	return SYS_CALL(sys, SYS_mmap, 0, SYS_ARG_(size),
			PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static inline int
sys_munmap(const struct sys_ops *sys, void *at, size_t size)
{
	return (int)SYS_CALL(sys, SYS_munmap, SYS_ARG_(at), SYS_ARG_(size));
}

static inline int
sys_timerfd(const struct sys_ops *sys, const struct timespec *after)
{
	const struct itimerspec once = {.it_value = *after};
	int fd = (int)SYS_CALL(sys, SYS_timerfd_create, CLOCK_MONOTONIC,
			       O_CLOEXEC);
	int r;

	if (fd < 0)
		return fd;
	r = (int)SYS_CALL(sys, SYS_timerfd_settime, fd, 0, SYS_ARG_(&once), 0);
	if (r < 0) {
		sys_close(sys, fd);
		return r;
	}
	return fd;
}

/* Of Linux 5.16; headers may be older. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

struct sys_futex_wait {
	uint64_t value;
	uint64_t address;
	uint32_t flags; /* 2: of 32 bits; 128: private */
	uint32_t reserved;
};

/*
 * Waits for what never comes, until the monotonic clock shows so many
 * nanoseconds: -ETIMEDOUT then, or -EINTR.
 */
static inline int
sys_wait_until(const struct sys_ops *sys, uint64_t until)
{
	uint32_t never = 0;
	const struct sys_futex_wait wait = {
		.address = (uintptr_t)&never,
		.flags = 2 | 128,
	};
	const struct timespec at = {
		.tv_sec = (time_t)(until / 1000000000u),
		.tv_nsec = (long)(until % 1000000000u),
	};

	return (int)SYS_CALL(sys, SYS_futex_waitv, SYS_ARG_(&wait), 1, 0,
			     SYS_ARG_(&at), CLOCK_MONOTONIC);
}

static inline void
sys_nanosleep(const struct sys_ops *sys, long ns)
{
	struct timespec t = {.tv_nsec = ns};

	SYS_CALL(sys, SYS_nanosleep, SYS_ARG_(&t), 0);
}

static inline void
sys_yield(const struct sys_ops *sys)
{
	SYS_CALL(sys, SYS_sched_yield);
}

/* Nanoseconds of the given clock. */
static inline uint64_t
sys_clock(const struct sys_ops *sys, clockid_t clock)
{
	struct timespec t = {0};

	SYS_CALL(sys, SYS_clock_gettime, clock, SYS_ARG_(&t));
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * Seconds, for what need not be asked again within one. Not of libc: others
 * stand in front of its clock (libfaketime), and let it stand still.
 */
static inline uint64_t
sys_seconds(const struct sys_ops *sys)
{
	return sys_clock(sys, CLOCK_MONOTONIC_COARSE) / 1000000000u;
}

static inline pid_t
sys_getpid(const struct sys_ops *sys)
{
	return (pid_t)SYS_CALL(sys, SYS_getpid);
}

static inline uid_t
sys_geteuid(const struct sys_ops *sys)
{
	return (uid_t)SYS_CALL(sys, SYS_geteuid);
}

static inline uint32_t
sys_gettid(const struct sys_ops *sys)
{
	return (uint32_t)SYS_CALL(sys, SYS_gettid);
}

static inline int
sys_thread_name(const struct sys_ops *sys, char to[16])
{
	return (int)SYS_CALL(sys, SYS_prctl, 16 /* PR_GET_NAME */,
			     SYS_ARG_(to));
}

static inline int
sys_robust_list(const struct sys_ops *sys, void **ret_head, size_t *ret_size)
{
	return (int)SYS_CALL(sys, SYS_get_robust_list, 0, SYS_ARG_(ret_head),
			     SYS_ARG_(ret_size));
}

static inline int
sys_sigmask(const struct sys_ops *sys, int how, const uint64_t *set,
	    uint64_t *ret_old)
{
	return (int)SYS_CALL(sys, SYS_rt_sigprocmask, how, SYS_ARG_(set),
			     SYS_ARG_(ret_old), SYS_SIGSET_SIZE);
}

/*
 * Are the 8 bytes at `at` readable? The kernel copies the set before it looks
 * at `how`, so an impossible `how` reads and does nothing else: 0.14 us, where
 * process_vm_readv costs ten times that.
 */
static inline int
sys_readable(const struct sys_ops *sys, const void *at)
{
	/* To the kernel a null set is no set at all, and nothing is read. */
	return at && SYS_CALL(sys, SYS_rt_sigprocmask, -1, SYS_ARG_(at), 0,
			      SYS_SIGSET_SIZE) != -EFAULT;
}

/* May the 8 bytes at `at` be written? They are, with the signal mask. */
static inline int
sys_writable(const struct sys_ops *sys, void *at)
{
	return at && SYS_CALL(sys, SYS_rt_sigprocmask, 0, 0, SYS_ARG_(at),
			      SYS_SIGSET_SIZE) != -EFAULT;
}

#endif
