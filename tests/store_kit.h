/* SPDX-License-Identifier: MIT */
/*
 * A store in the test's directory, and kernels that do something in between.
 */
#ifndef PORTRES_TESTS_STORE_KIT_H
#define PORTRES_TESTS_STORE_KIT_H

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "core/pool/store.h"
#include "tests/kernel.h"
#include "tests/rig.h"

#define NOBODY 65534
#define LOCK "persistent.lock"

static const struct block kit_block = {PROTOCOL_TCP, {5000, 20}};

/* A name in the directory; the last four results stay. */
static inline const char *
kit_path(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *to = path[turn++ % 4];

	snprintf(to, sizeof(path[0]), "%s/%s", temp_dir(), name);
	return to;
}

static inline void
kit_write(const char *name, const void *text, size_t n)
{
	int fd = open(kit_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, n), (ssize_t)n);
	close(fd);
}

static inline void
kit_text(const char *name, const char *text)
{
	kit_write(name, text, strlen(text));
}

/* Is that the file's whole text? */
static inline bool
kit_has(const char *name, const char *text)
{
	char found[256] = "";
	int fd = open(kit_path(name), O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, found, sizeof(found) - 1);

	close(fd);
	return n == (ssize_t)strlen(text) && memcmp(found, text, n) == 0;
}

static inline struct stat
kit_stat(const char *name)
{
	struct stat st = {0};

	cr_assert_eq(lstat(kit_path(name), &st), 0, "%s: %m", name);
	return st;
}

static inline unsigned
kit_mode(const char *name)
{
	return kit_stat(name).st_mode;
}

static inline bool
kit_missing(const char *name)
{
	return access(kit_path(name), F_OK) < 0 && errno == ENOENT;
}

/* Things that are no files, by name. */
static inline void
kit_fifo(const char *name)
{
	cr_assert_eq(mkfifo(kit_path(name), 0666), 0);
}

static inline void
kit_directory(const char *name)
{
	cr_assert_eq(mkdir(kit_path(name), 0755), 0);
}

static inline void
kit_socket(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", kit_path(name));
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
}

#define SECRET "root:secret\n"

static inline void
kit_symlink(const char *name)
{
	kit_text("secret", SECRET);
	cr_assert_eq(symlink("secret", kit_path(name)), 0);
}

static inline void
kit_hard_link(const char *name)
{
	kit_text("secret", SECRET);
	cr_assert_eq(link(kit_path("secret"), kit_path(name)), 0);
}

/* Only root makes one, and only root need fear it. */
static inline void
kit_device(const char *name)
{
	if (mknod(kit_path(name), S_IFCHR | 0600, makedev(1, 3)) < 0)
		kit_directory(name);
}

/* Others' opens of it wait now, for 45 s. Returns what it hangs on. */
static inline int
kit_lease(const char *name)
{
	int fd = open(kit_path(name), O_RDWR | O_CLOEXEC);

	signal(SIGIO, SIG_IGN); /* by which the kernel asks for it back */
	cr_assert_eq(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
	return fd;
}

/* Adds the block to the store in one go. */
static inline int
kit_add(const struct sys_ops *sys)
{
	struct store store;
	int r = store_open(sys, temp_dir(), true, &store);

	if (r < 0)
		return r;
	r = store_replace(&store, NULL, &kit_block);
	store_close(&store);
	return r;
}

/* Opens it for writing, and whoever holds the lock is waited for: -EBUSY. */
static inline int
kit_open_at_once(struct store *ret)
{
	static struct kernel_timeless kernel; /* the store keeps it */

	kernel = kernel_timeless(0);
	return store_open(&kernel.ops, temp_dir(), true, ret);
}

static inline bool
kit_holds_the_name(const struct store *store)
{
	struct stat held, named = kit_stat(LOCK);

	cr_assert_eq(fstat(store->lock, &held), 0);
	return held.st_ino == named.st_ino && named.st_nlink == 1 &&
	       (named.st_mode & (S_IFMT | 0777)) == (S_IFREG | 0600);
}

/* Does something before a call, or after it, as often as it still may. */
struct kernel_meddling {
	struct sys_ops ops;
	long nr;
	const char *name; /* of openat() */
	void (*meddle)(void);
	int times; /* -1: always */
	bool after;
	const struct sys_ops *behind; /* what answers */
};

static inline long
kernel_meddle(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_meddling *self = (struct kernel_meddling *)(void *)sys;
	bool meant = nr == self->nr && self->times != 0 &&
		     (nr != SYS_openat ||
		      strcmp((const char *)arg[1], self->name) == 0);
	long r;

	if (meant && !self->after) {
		self->times--;
		self->meddle();
	}
	r = self->behind->call(self->behind, nr, arg);
	if (meant && self->after) {
		self->times--;
		self->meddle();
	}
	return r;
}

static inline struct kernel_meddling
kernel_meddling(long nr, const char *name, void (*meddle)(void), int times)
{
	return (struct kernel_meddling){.ops = {.call = kernel_meddle},
					.nr = nr,
					.name = name,
					.meddle = meddle,
					.times = times,
					.behind = &sys_kernel};
}

#endif
