/* SPDX-License-Identifier: MIT */
#include "core/store.h"

#include <errno.h>
#include <string.h>

#include "core/store_inside.h"
#include "core/text.h"

#define FILE_NAME "persistent"
#define NEW_NAME "persistent.new"
#define LENGTH_MAX (1u << 20)
#define LOCK_TRIES 2500 /* of 2 ms */
#define LOCK_NAP_NS 2000000

/* Makes the directory and those above it; what is there already is fine. */
static void
make_directories(const struct sys_ops *sys, const char *path)
{
	char part[256];
	struct text text = text_in(part, sizeof(part));

	for (const char *p = path; *p; p++) {
		if (*p == '/' && text.length)
			sys_mkdir(sys, part, 0755);
		text_char(&text, *p);
	}
	sys_mkdir(sys, part, 0755);
}

bool
store_right(const struct sys_ops *sys, const char *path)
{
	char part[256];
	struct text text = text_in(part, sizeof(part));
	int r;

	text_string(&text, path);
	if (!*path || !text_ok(&text))
		return false;
	/* What does not exist yet is as good as its parent. */
	while ((r = sys_access(sys, part, W_OK | X_OK)) == -ENOENT) {
		char *slash = strrchr(part, '/');

		if (!slash || slash == part)
			return sys_access(sys, "/", W_OK | X_OK) == 0;
		*slash = '\0';
	}
	return r == 0;
}

static int
lock_directory(const struct sys_ops *sys, int fd)
{
	int r = -EAGAIN;

	for (int i = 0; i < LOCK_TRIES && r == -EAGAIN; i++) {
		r = sys_flock(sys, fd, LOCK_EX | LOCK_NB);
		if (r == -EAGAIN)
			sys_nanosleep(sys, LOCK_NAP_NS);
	}
	return r == -EAGAIN ? -EBUSY : r;
}

/* Into memory, because a mapped file is somebody else's to shorten. */
static int
read_all(struct store *store, int fd)
{
	const struct sys_ops *sys = store->sys;
	struct stat st;
	long at, n = 0;
	int r = sys_fstat(sys, fd, &st);

	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode) || st.st_size > LENGTH_MAX)
		return -EFBIG;
	store->mode = st.st_mode & 07777;
	if (st.st_size == 0)
		return 0;
	at = sys_mmap_private(sys, (size_t)st.st_size);
	if (at < 0)
		return (int)at;
	store->text = (char *)at;
	store->room = (size_t)st.st_size;
	while (store->length < store->room) {
		n = sys_read(sys, fd, store->text + store->length,
			     store->room - store->length);
		if (n <= 0)
			break;
		store->length += (size_t)n;
	}
	return n < 0 ? (int)n : 0;
}

static int
read_file(struct store *store)
{
	int fd = sys_openat(store->sys, store->directory, FILE_NAME,
			    O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	int r;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	r = read_all(store, fd);
	sys_close(store->sys, fd);
	return r;
}

int
store_open(const struct sys_ops *sys, const char *path, bool write,
	   struct store *ret)
{
	struct store store = {.sys = sys, .directory = -1, .mode = 0644};
	int r = 0;

	if (write) {
		if (!store_right(sys, path))
			return -EACCES;
		make_directories(sys, path);
	}
	store.directory =
		sys_open(sys, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (store.directory < 0 && (write || store.directory != -ENOENT))
		return store.directory;
	if (write)
		r = lock_directory(sys, store.directory);
	if (r == 0 && store.directory >= 0)
		r = read_file(&store);
	if (r < 0) {
		store_close(&store);
		return r;
	}
	*ret = store;
	return 0;
}

void
store_close(struct store *store)
{
	if (store->text)
		sys_munmap(store->sys, store->text, store->room);
	/* Unlocking in words: a child that was forked meanwhile has a copy. */
	if (store->directory >= 0) {
		sys_flock(store->sys, store->directory, LOCK_UN);
		sys_close(store->sys, store->directory);
	}
	store->text = NULL;
	store->directory = -1;
}

int
store_replace(struct store *store, const struct block *without,
	      const struct block *with)
{
	const struct sys_ops *sys = store->sys;
	int fd = sys_openat(sys, store->directory, NEW_NAME,
			    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
				    O_CLOEXEC,
			    store->mode);
	int r;

	if (fd < 0)
		return fd;
	sys_fchmod(sys, fd, store->mode);
	r = store_write(store, fd, without, with);
	if (r == 0)
		r = sys_fsync(sys, fd);
	sys_close(sys, fd);
	if (r == 0)
		r = sys_rename(sys, store->directory, NEW_NAME, FILE_NAME);
	if (r < 0) {
		sys_unlink(sys, store->directory, NEW_NAME);
		return r;
	}
	return sys_fsync(sys, store->directory);
}
