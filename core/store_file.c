/* SPDX-License-Identifier: MIT */
/* The store's file: looked at, read and replaced. */
#include <errno.h>

#include "core/store_inside.h"

#define NAME "persistent"
#define NEW_NAME "persistent.new"
#define NEW_TRIES 16

bool
store_only_name(const struct store *store, const char *name, int fd)
{
	struct stat file, named;

	return sys_fstat(store->sys, fd, &file) == 0 &&
	       sys_fstatat(store->sys, store->directory, name, &named) == 0 &&
	       named.st_dev == file.st_dev && named.st_ino == file.st_ino &&
	       named.st_nlink == 1;
}

int
store_set_mode(const struct store *store, int fd, mode_t mode, mode_t group)
{
	struct stat st;
	int r = sys_fstat(store->sys, fd, &st);

	if (r < 0)
		return r;
	/* Asked again: some containers accept a change and do not make it. */
	if (store->shared && st.st_gid != store->group) {
		sys_fchgrp(store->sys, fd, store->group);
		r = sys_fstat(store->sys, fd, &st);
		if (r < 0)
			return r;
	}
	/* Not to the group of who runs us: that is not who may write here. */
	if (store->shared && st.st_gid == store->group)
		mode |= group;
	return sys_fchmod(store->sys, fd, mode);
}

/* Into memory, because a mapped file is somebody else's to shorten. */
static int
read_text(struct store *store, int fd)
{
	const struct sys_ops *sys = store->sys;
	/* Whatever size it shows: it may grow, and /proc's files show none. */
	long n, at = sys_mmap_private(sys, STORE_MAX + 1);

	if (at < 0)
		return (int)at;
	store->text = (char *)at;
	do {
		n = sys_read(sys, fd, store->text + store->length,
			     STORE_MAX + 1 - store->length);
		if (n < 0)
			return (int)n;
		store->length += (size_t)n;
	} while (n > 0 && store->length <= STORE_MAX);
	if (store->length > STORE_MAX)
		return -EFBIG;
	return store_is_text(store) ? 0 : -EILSEQ;
}

/*
 * A second name may be that of somebody's secret: we would copy it into a file
 * that all may read. The link may be gone before we look, so a writer asks
 * whether the file is here, too. A reader does not: a writer may just have
 * replaced it.
 */
static int
check_and_read(struct store *store, int fd)
{
	struct stat st;
	int r = sys_fstat(store->sys, fd, &st);

	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	if (st.st_nlink > 1)
		return -EMLINK;
	if (store->lock >= 0 && !store_only_name(store, NAME, fd))
		return -EBUSY;
	return read_text(store, fd);
}

/* A FIFO without O_NONBLOCK is an open that never returns. */
int
store_read(struct store *store)
{
	int fd = sys_openat(store->sys, store->directory, NAME,
			    O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
	int r;

	switch (fd) {
	case -ENOENT:
		return 0;
	case -ELOOP:  /* a symbolic link */
	case -ENXIO:  /* a socket */
	case -ENODEV: /* a device without a driver */
		return -EMEDIUMTYPE;
	case -EAGAIN: /* its owner has a lease on it */
		return -EBUSY;
	}
	if (fd < 0)
		return fd;
	r = check_and_read(store, fd);
	sys_close(store->sys, fd);
	return r;
}

/*
 * What is there may be another file's second name, a FIFO, or open in the
 * hands of somebody who waits for us to write: it is never written to.
 */
static int
make_new(const struct store *store)
{
	int fd = -EEXIST;

	for (int i = 0; i < NEW_TRIES && fd == -EEXIST; i++) {
		int r = sys_unlink(store->sys, store->directory, NEW_NAME);

		if (r < 0 && r != -ENOENT)
			return r;
		fd = sys_openat(store->sys, store->directory, NEW_NAME,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
					O_CLOEXEC,
				S_IRUSR | S_IWUSR);
	}
	return fd == -EEXIST ? -EBUSY : fd;
}

static int
write_all(const struct sys_ops *sys, int fd, const char *p, size_t n)
{
	while (n > 0) {
		long r = sys_write(sys, fd, p, n);

		if (r < 0)
			return (int)r;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int
write_new(const struct store *store, const char *text, size_t length)
{
	const struct sys_ops *sys = store->sys;
	int fd, r;

	/* The kernel would kill who writes beyond the limit. */
	if (length > STORE_MAX || length > sys_file_limit(sys))
		return -EFBIG;
	fd = make_new(store);
	if (fd < 0)
		return fd;
	r = write_all(sys, fd, text, length);
	if (r == 0)
		r = store_set_mode(store, fd, 0644, S_IWGRP);
	if (r == 0)
		r = sys_fsync(sys, fd);
	sys_close(sys, fd);
	if (r == 0 && !store_locked(store))
		r = -EBUSY;
	if (r == 0)
		r = sys_rename(sys, store->directory, NEW_NAME, NAME);
	if (r < 0)
		sys_unlink(sys, store->directory, NEW_NAME);
	return r;
}

int
store_replace(struct store *store, const struct block *without,
	      const struct block *with)
{
	const struct sys_ops *sys = store->sys;
	size_t room = store->length + STORE_LINE_MAX;
	long at = sys_mmap_private(sys, room);
	char *text = (char *)at;
	int r;

	if (at < 0)
		return (int)at;
	r = write_new(store, text, store_compose(store, without, with, text));
	sys_munmap(sys, text, room);
	if (r < 0)
		return r;
	return sys_fsync(sys, store->directory) < 0 ? 1 : 0;
}
