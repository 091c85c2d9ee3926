/* SPDX-License-Identifier: MIT */
/* System calls on files and directories. */
#ifndef PORTRES_CORE_SYS_FILE_H
#define PORTRES_CORE_SYS_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/sys_call.h"

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

/* Returns the length of what the link says, cut at `n`, or -Exxx. */
static inline long
sys_readlink(const struct sys_ops *sys, const char *path, char *to, size_t n)
{
	return SYS_CALL(sys, SYS_readlinkat, AT_FDCWD, SYS_ARG_(path),
			SYS_ARG_(to), SYS_ARG_(n));
}

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

/* Another name for a file; with AT_SYMLINK_FOLLOW of what a link leads to. */
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

/* RLIMIT_FSIZE, bytes: whoever makes a file larger is killed by SIGXFSZ. */
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

/* Of what the name itself is, a symbolic link too. */
static inline int
sys_fstatat(const struct sys_ops *sys, int directory, const char *path,
	    struct stat *st)
{
	return (int)SYS_CALL(sys, SYS_newfstatat, directory, SYS_ARG_(path),
			     SYS_ARG_(st), AT_SYMLINK_NOFOLLOW);
}

/* Its group only. */
static inline int
sys_fchgrp(const struct sys_ops *sys, int fd, gid_t group)
{
	return (int)SYS_CALL(sys, SYS_fchown, fd, -1, group);
}

#endif
