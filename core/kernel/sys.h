/* SPDX-License-Identifier: MIT */
/*
 * The one door to the kernel.
 *
 * Every system call of core goes through sys_ops.call, for three reasons:
 * tests fail any one of them by number and turn; nothing here can reach a
 * libc function that the shim interposes; and a raw call is neither a thread
 * cancellation point nor a writer of errno, so core may run anywhere in a
 * host program, signal handlers included.
 *
 * All functions return the kernel's answer: >= 0, or -Exxx.
 */
#ifndef PORTRES_CORE_KERNEL_SYS_H
#define PORTRES_CORE_KERNEL_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#ifndef __LP64__
#error "portres supports 64-bit Linux only"
#endif

struct sys_ops {
	long (*call)(const struct sys_ops *sys, long nr, const long arg[6]);
};

/* The kernel itself. */
extern const struct sys_ops sys_kernel;

#define SYS_ARG_(x) ((long)(x))
#define SYS_CALL(sys, nr, ...)                                                 \
	((sys)->call((sys), (nr), (const long[6]){__VA_ARGS__}))

/* System calls on files and directories. */

static inline int
sys_open(const struct sys_ops *sys, const char *path, int flags, mode_t mode)
{
	return (int)SYS_CALL(sys, SYS_openat, AT_FDCWD, SYS_ARG_(path), flags,
			     mode);
}

static inline int
sys_openat(const struct sys_ops *sys, int directory, const char *path,
	   int flags, mode_t mode)
{
	return (int)SYS_CALL(sys, SYS_openat, directory, SYS_ARG_(path), flags,
			     mode);
}

static inline int
sys_close(const struct sys_ops *sys, int fd)
{
	return (int)SYS_CALL(sys, SYS_close, fd);
}

static inline long
sys_read(const struct sys_ops *sys, int fd, void *to, size_t n)
{
	return SYS_CALL(sys, SYS_read, fd, SYS_ARG_(to), SYS_ARG_(n));
}

static inline long
sys_pread(const struct sys_ops *sys, int fd, void *to, size_t n, size_t offset)
{
	return SYS_CALL(sys, SYS_pread64, fd, SYS_ARG_(to), SYS_ARG_(n),
			SYS_ARG_(offset));
}

static inline long
sys_write(const struct sys_ops *sys, int fd, const void *from, size_t n)
{
	return SYS_CALL(sys, SYS_write, fd, SYS_ARG_(from), SYS_ARG_(n));
}

static inline int
sys_fsync(const struct sys_ops *sys, int fd)
{
	return (int)SYS_CALL(sys, SYS_fsync, fd);
}

/* Within one directory. */
static inline int
sys_rename(const struct sys_ops *sys, int directory, const char *from,
	   const char *to)
{
	return (int)SYS_CALL(sys, SYS_renameat2, directory, SYS_ARG_(from),
			     directory, SYS_ARG_(to), 0);
}

static inline int
sys_unlink(const struct sys_ops *sys, int directory, const char *path)
{
	return (int)SYS_CALL(sys, SYS_unlinkat, directory, SYS_ARG_(path), 0);
}

/* Returns the length of the link's text, cut at `n`, or -Exxx. */
static inline long
sys_readlink(const struct sys_ops *sys, const char *path, char *to, size_t n)
{
	return SYS_CALL(sys, SYS_readlinkat, AT_FDCWD, SYS_ARG_(path),
			SYS_ARG_(to), SYS_ARG_(n));
}

#ifndef SYS_faccessat2 /* headers may be older */
#define SYS_faccessat2 439
#endif

/* With the effective ids; before Linux 5.8 with the real ones. */
static inline int
sys_access(const struct sys_ops *sys, const char *path, int mode)
{
	int r = (int)SYS_CALL(sys, SYS_faccessat2, AT_FDCWD, SYS_ARG_(path),
			      mode, AT_EACCESS);

	if (r == -ENOSYS)
		r = (int)SYS_CALL(sys, SYS_faccessat, AT_FDCWD, SYS_ARG_(path),
				  mode);
	return r;
}

static inline int
sys_fstat(const struct sys_ops *sys, int fd, struct stat *st)
{
	return (int)SYS_CALL(sys, SYS_fstat, fd, SYS_ARG_(st));
}

static inline int
sys_fstatfs(const struct sys_ops *sys, int fd, struct statfs *st)
{
	return (int)SYS_CALL(sys, SYS_fstatfs, fd, SYS_ARG_(st));
}

static inline int
sys_fchmod(const struct sys_ops *sys, int fd, mode_t mode)
{
	return (int)SYS_CALL(sys, SYS_fchmod, fd, mode);
}

static inline int
sys_fchown(const struct sys_ops *sys, int fd, uid_t user, gid_t group)
{
	return (int)SYS_CALL(sys, SYS_fchown, fd, user, group);
}

/* Another name for a file; with AT_SYMLINK_FOLLOW for a link's target. */
static inline int
sys_link(const struct sys_ops *sys, int from_directory, const char *from,
	 int directory, const char *to, int flags)
{
	return (int)SYS_CALL(sys, SYS_linkat, from_directory, SYS_ARG_(from),
			     directory, SYS_ARG_(to), flags);
}

static inline int
sys_mkdir(const struct sys_ops *sys, const char *path, mode_t mode)
{
	return (int)SYS_CALL(sys, SYS_mkdirat, AT_FDCWD, SYS_ARG_(path), mode);
}

static inline int
sys_chmod(const struct sys_ops *sys, const char *path, mode_t mode)
{
	return (int)SYS_CALL(sys, SYS_fchmodat, AT_FDCWD, SYS_ARG_(path), mode);
}

/* RLIMIT_FSIZE, bytes: SIGXFSZ kills a process that makes a file larger. */
static inline uint64_t
sys_file_limit(const struct sys_ops *sys)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	SYS_CALL(sys, SYS_prlimit64, 0, RLIMIT_FSIZE, 0, SYS_ARG_(&limit));
	return limit.rlim_cur;
}

static inline int
sys_fallocate(const struct sys_ops *sys, int fd, size_t size)
{
	return (int)SYS_CALL(sys, SYS_fallocate, fd, 0, 0, SYS_ARG_(size));
}

static inline int
sys_flock(const struct sys_ops *sys, int fd, int op)
{
	return (int)SYS_CALL(sys, SYS_flock, fd, op);
}

static inline int
sys_fcntl(const struct sys_ops *sys, int fd, int cmd, void *arg)
{
	return (int)SYS_CALL(sys, SYS_fcntl, fd, cmd, SYS_ARG_(arg));
}

/* A duplicate at the lowest free number from `lowest` on; not close-on-exec. */
static inline int
sys_dup_from(const struct sys_ops *sys, int fd, int lowest)
{
	return (int)SYS_CALL(sys, SYS_fcntl, fd, F_DUPFD, lowest);
}

static inline long
sys_getdents(const struct sys_ops *sys, int fd, void *to, size_t n)
{
	return SYS_CALL(sys, SYS_getdents64, fd, SYS_ARG_(to), SYS_ARG_(n));
}

/* Does not follow a symbolic link. */
static inline int
sys_fstatat(const struct sys_ops *sys, int directory, const char *path,
	    struct stat *st)
{
	return (int)SYS_CALL(sys, SYS_newfstatat, directory, SYS_ARG_(path),
			     SYS_ARG_(st), AT_SYMLINK_NOFOLLOW);
}

/* Changes the group only. */
static inline int
sys_fchgrp(const struct sys_ops *sys, int fd, gid_t group)
{
	return (int)SYS_CALL(sys, SYS_fchown, fd, -1, group);
}

/* System calls on sockets, and on sets of them. */

static inline int
sys_socket(const struct sys_ops *sys, int domain, int type, int protocol)
{
	return (int)SYS_CALL(sys, SYS_socket, domain, type, protocol);
}

static inline int
sys_bind(const struct sys_ops *sys, int fd, const void *address, socklen_t size)
{
	return (int)SYS_CALL(sys, SYS_bind, fd, SYS_ARG_(address), size);
}

static inline int
sys_getsockname(const struct sys_ops *sys, int fd, void *to, socklen_t *size)
{
	return (int)SYS_CALL(sys, SYS_getsockname, fd, SYS_ARG_(to),
			     SYS_ARG_(size));
}

static inline int
sys_getsockopt(const struct sys_ops *sys, int fd, int level, int name, void *to,
	       socklen_t *size)
{
	return (int)SYS_CALL(sys, SYS_getsockopt, fd, level, name, SYS_ARG_(to),
			     SYS_ARG_(size));
}

static inline int
sys_setsockopt(const struct sys_ops *sys, int fd, int level, int name,
	       const void *from, socklen_t size)
{
	return (int)SYS_CALL(sys, SYS_setsockopt, fd, level, name,
			     SYS_ARG_(from), size);
}

static inline long
sys_sendto(const struct sys_ops *sys, int fd, const void *from, size_t n,
	   const void *address, socklen_t size)
{
	return SYS_CALL(sys, SYS_sendto, fd, SYS_ARG_(from), SYS_ARG_(n), 0,
			SYS_ARG_(address), size);
}

static inline int
sys_epoll_create(const struct sys_ops *sys)
{
	return (int)SYS_CALL(sys, SYS_epoll_create1, EPOLL_CLOEXEC);
}

static inline int
sys_epoll_add(const struct sys_ops *sys, int epoll, int fd,
	      struct epoll_event *event)
{
	return (int)SYS_CALL(sys, SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fd,
			     SYS_ARG_(event));
}

/* System calls on memory, time, the process and signals. */

/* The kernel's sigset_t, which is shorter than libc's. */
#define SYS_SIGSET_SIZE 8

/* Memory. Returns the address as a number, or -ENOMEM. After mlockall(), when
 * the memory that may be locked is used up, the kernel says -EAGAIN; callers
 * would take that for a lock that another has. */
static inline long
sys_mmap_private(const struct sys_ops *sys, size_t size)
{
	long at = SYS_CALL(sys, SYS_mmap, 0, SYS_ARG_(size),
			   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	return at < 0 ? -ENOMEM : at;
}

/* Fresh memory in the place of the mapping at `at`. Made elsewhere and moved: a
 * mapping that fails half way would leave a hole. */
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

/* Linux 5.16; headers may be older. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

struct sys_futex_wait {
	uint64_t value;
	uint64_t address;
	uint32_t flags; /* 2: of 32 bits */
	uint32_t reserved;
};

/* Sleeps until the monotonic clock shows so many nanoseconds, or until
 * sys_wake_one() on the word, which may be shared. 0, -EAGAIN when the word is
 * not `value`; -ETIMEDOUT, -EINTR, -EFAULT. */
static inline int
sys_wait_until(const struct sys_ops *sys, const void *word, uint32_t value,
	       uint64_t until)
{
	const struct sys_futex_wait wait = {
		.value = value,
		.address = (uintptr_t)word,
		.flags = 2,
	};
	const struct timespec at = {
		.tv_sec = (time_t)(until / 1000000000u),
		.tv_nsec = (long)(until % 1000000000u),
	};

	return (int)SYS_CALL(sys, SYS_futex_waitv, SYS_ARG_(&wait), 1, 0,
			     SYS_ARG_(&at), CLOCK_MONOTONIC);
}

/* Wakes the one that has slept longest. Returns how many that was. */
static inline int
sys_wake_one(const struct sys_ops *sys, const void *word)
{
	return (int)SYS_CALL(sys, SYS_futex, SYS_ARG_(word), 1 /* FUTEX_WAKE */,
			     1);
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

/* The monotonic clock's second. Not libc's clock: libraries in front of that
 * (libfaketime) can stop it. */
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

/*
 * The kernel's random boot id: which boot of the machine is this? A pool on a
 * disk outlives the kernel that its announcements and its half-done writes
 * belong to. Returns 0 or -Exxx.
 */
int sys_boot_id(const struct sys_ops *sys, uint64_t ret[2]);

#endif
