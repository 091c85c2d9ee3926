/* SPDX-License-Identifier: MIT */
#include "core/pool/store.h"

#include <errno.h>
#include <string.h>

#include "core/kernel/directory.h"
#include "core/kernel/strbuf.h"

/* The lines of the store: read, and written anew. */

#define STORE_LINE_MAX 32

/* As in isspace(), but for the newline and the vertical tab. */
static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

/*
 * No control characters but those that end or indent lines? Bytes of UTF-8
 * and of other sets are text.
 */
static bool
is_text(const struct store *store)
{
	for (size_t i = 0; i < store->length; i++) {
		unsigned char c = (unsigned char)store->text[i];

		if ((c < ' ' && c != '\n' && !is_blank((char)c)) || c == 0x7f)
			return false;
	}
	return true;
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

/* Reads a number and the blanks around it; NULL when there is none. */
static const char *
number(const char *p, const char *end, uint32_t *ret)
{
	const char *first = p = skip_blanks(p, end);
	uint32_t n = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		n = n < PORT_COUNT ? n * 10 + (uint32_t)(*p - '0') : n;
	*ret = n;
	return p == first ? NULL : skip_blanks(p, end);
}

enum meaning { NOTHING, BLOCK, NONSENSE };

static enum meaning
parse(const char *p, const char *end, struct block *ret)
{
	const char *comment = memchr(p, '#', (size_t)(end - p));

	end = comment ? comment : end;
	p = skip_blanks(p, end);
	if (p == end)
		return NOTHING;
	if (end - p < 4 || (p[3] != ' ' && p[3] != '\t'))
		return NONSENSE;
	if (memcmp(p, "tcp", 3) == 0)
		ret->protocol = PROTOCOL_TCP;
	else if (memcmp(p, "udp", 3) == 0)
		ret->protocol = PROTOCOL_UDP;
	else
		return NONSENSE;
	p = number(p + 3, end, &ret->range.start);
	p = p ? number(p, end, &ret->range.count) : NULL;
	return p == end && block_valid(*ret) ? BLOCK : NONSENSE;
}

static const char *
line_end(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	return newline ? newline : end;
}

int
store_each(const struct store *store, store_line *each, void *context)
{
	const char *end = store->text + store->length;
	unsigned line = 1;
	int r = 0;

	for (const char *p = store->text; p < end && r == 0; line++) {
		const char *stop = line_end(p, end);
		struct block block = {0};
		enum meaning meaning = parse(p, stop, &block);

		if (meaning != NOTHING)
			r = each(context, line, meaning == NONSENSE, block);
		p = stop + 1;
	}
	return r;
}

static char *
append(char *to, const char *from, size_t n)
{
	memcpy(to, from, n);
	return to + n;
}

static char *
append_block(char *to, const struct block *block)
{
	char line[STORE_LINE_MAX];
	struct strbuf text = strbuf_in(line, sizeof(line));

	strbuf_string(&text, block->protocol == PROTOCOL_TCP ? "tcp " : "udp ");
	strbuf_number(&text, block->range.start);
	strbuf_char(&text, ' ');
	strbuf_number(&text, block->range.count);
	strbuf_char(&text, '\n');
	return append(to, line, text.length);
}

/* Writes the new text to `to`, which has room for the old one and
 * STORE_LINE_MAX. Returns its length. */
static size_t
compose(const struct store *store, const struct block *without,
	const struct block *with, char *to)
{
	const char *end = store->text + store->length;
	char *at = to;

	for (const char *p = store->text; p < end;) {
		const char *stop = line_end(p, end);
		struct block block = {0};

		if (!without || parse(p, stop, &block) != BLOCK ||
		    !block_equal(block, *without)) {
			at = append(at, p, (size_t)(stop - p));
			/* Ends a last line that had no newline, too. */
			at = append(at, "\n", 1);
		}
		p = stop + 1;
	}
	if (with)
		at = append_block(at, with);
	return (size_t)(at - to);
}

/* Is this name in the directory the open file's, and its only one? */
static bool
only_name(const struct store *store, const char *name, int fd)
{
	struct stat file, named;

	return sys_fstat(store->sys, fd, &file) == 0 &&
	       sys_fstatat(store->sys, store->directory, name, &named) == 0 &&
	       named.st_dev == file.st_dev && named.st_ino == file.st_ino &&
	       named.st_nlink == 1;
}

/*
 * Gives the file that we made its mode; the bits of `group` only where the
 * directory's group may write the directory and has the file, too. Returns 0
 * or -Exxx.
 */
static int
set_mode(const struct store *store, int fd, mode_t mode, mode_t group)
{
	struct stat st;
	int r = sys_fstat(store->sys, fd, &st);

	if (r < 0)
		return r;
	/* Read again: some containers accept a change of group and do not make
	 * it. */
	if (store->shared && st.st_gid != store->group) {
		sys_fchgrp(store->sys, fd, store->group);
		r = sys_fstat(store->sys, fd, &st);
		if (r < 0)
			return r;
	}
	/* Not for our own group: that is not the group that may write here. */
	if (store->shared && st.st_gid == store->group)
		mode |= group;
	return sys_fchmod(store->sys, fd, mode);
}

/*
 * The writers' lock: a file beside the store that stays there. The directory
 * will not do, nor a file that others may open: flock() needs no more than a
 * descriptor, and any reader of the store could hold writers up for ever.
 *
 * Anything else under that name is removed. Another writer may just have done
 * that and have the lock on the new file, so the name is checked again when the
 * lock is held, and once more before the store is replaced.
 */

#define LOCK_NAME "persistent.lock"
#define ROUNDS 64
#define NAPS 2500 /* of 2 ms */
#define NAP_NS 2000000
#define PATIENCE 8 /* naps, until its maker has given it its group */

/* The waits so far. */
struct patience {
	int naps;
	int refusals;
};

/* Can it be opened only by users who may write the store? */
static bool
lock_trusted(const struct store *store, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1 || st->st_mode & S_IRWXO)
		return false;
	if (store->shared)
		return !(st->st_mode & S_IRWXG) || st->st_gid == store->group;
	return !(st->st_mode & S_IRWXG) &&
	       (st->st_uid == 0 || st->st_uid == store->owner ||
		st->st_uid == sys_geteuid(store->sys));
}

/*
 * Opens it, or makes it in a call of its own: with O_CREAT alone the kernel
 * refuses a file that another member of the group made (fs.protected_regular).
 */
static int
open_lock(const struct store *store)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = sys_openat(store->sys, store->directory, LOCK_NAME, flags, 0);

	if (fd != -ENOENT)
		return fd;
	fd = sys_openat(store->sys, store->directory, LOCK_NAME,
			flags | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
	if (fd >= 0) /* it is a lock with its first mode, too */
		set_mode(store, fd, S_IRUSR | S_IWUSR, S_IRGRP | S_IWGRP);
	return fd == -EEXIST ? -EAGAIN : fd;
}

/* -EAGAIN: begin again. */
static int
remove_lock(const struct store *store)
{
	int r = sys_unlink(store->sys, store->directory, LOCK_NAME);

	return r == 0 || r == -ENOENT ? -EAGAIN : r;
}

static int
not_opened(const struct store *store, int r, struct patience *patience)
{
	switch (r) {
	case -EACCES:
		if (patience->refusals++ < PATIENCE) {
			sys_nanosleep(store->sys, NAP_NS);
			return -EAGAIN;
		}
		return remove_lock(store);
	case -ELOOP:   /* a symbolic link */
	case -ENXIO:   /* a socket */
	case -ENODEV:  /* a device without a driver */
	case -ETXTBSY: /* a program that runs */
	case -EAGAIN:  /* somebody's file, with a lease on it */
		return remove_lock(store);
	default:
		return r;
	}
}

static int
wait_for(const struct store *store, int fd, struct patience *patience)
{
	int r;

	while ((r = sys_flock(store->sys, fd, LOCK_EX | LOCK_NB)) == -EAGAIN) {
		if (patience->naps++ == NAPS)
			return -EBUSY;
		sys_nanosleep(store->sys, NAP_NS);
	}
	return r;
}

/* Checks it first: no wait for a lock that a stranger can hold. */
static int
check_and_wait(const struct store *store, int fd, struct patience *patience)
{
	struct stat st;
	int r = sys_fstat(store->sys, fd, &st);

	if (r < 0)
		return r;
	if (st.st_nlink == 0) /* removed since it was opened */
		return -EAGAIN;
	if (!lock_trusted(store, &st))
		return remove_lock(store);
	r = wait_for(store, fd, patience);
	if (r < 0)
		return r;
	return only_name(store, LOCK_NAME, fd) ? 0 : -EAGAIN;
}

static void
unlock_writers(struct store *store)
{
	/* Unlocked explicitly: a child that was forked meanwhile has a copy. */
	if (store->lock >= 0) {
		sys_flock(store->sys, store->lock, LOCK_UN);
		sys_close(store->sys, store->lock);
	}
	store->lock = -1;
}

/* Takes the writers' lock into store->lock. Returns as store_open(). */
static int
lock_writers(struct store *store)
{
	struct patience patience = {0};

	for (int i = 0; i < ROUNDS; i++) {
		int r = store->lock = open_lock(store);

		if (r >= 0)
			r = check_and_wait(store, store->lock, &patience);
		else
			r = not_opened(store, r, &patience);
		if (r == 0)
			return 0;
		unlock_writers(store);
		if (r != -EAGAIN)
			return r;
	}
	return -EBUSY;
}

/* Is our lock still on the file that the others wait for? */
static bool
writers_locked(const struct store *store)
{
	return only_name(store, LOCK_NAME, store->lock);
}

#define NAME "persistent"
#define NEW_NAME "persistent.new"
#define NEW_TRIES 16

/* Reads into memory, because others could shorten a mapped file. */
static int
read_text(struct store *store, int fd)
{
	const struct sys_ops *sys = store->sys;
	/* Whatever its st_size: it may grow, and files of /proc show 0. */
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
	return is_text(store) ? 0 : -EILSEQ;
}

/*
 * A second name may be that of a secret file, and we would copy it into one
 * that all may read. That name may be gone before the fstat(), so a writer also
 * checks that the file has this name. A reader does not: a writer may just have
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
	if (store->lock >= 0 && !only_name(store, NAME, fd))
		return -EBUSY;
	return read_text(store, fd);
}

/* Reads the file into store->text. A FIFO without O_NONBLOCK is an open that
 * never returns. Returns as store_open(). */
static int
read_file(struct store *store)
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

/* Always a new file, because one that is there may be another file's second
 * name, a FIFO, or open in a stranger's process. */
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

	/* Beyond the limit the kernel kills the writer (SIGXFSZ). */
	if (length > STORE_MAX || length > sys_file_limit(sys))
		return -EFBIG;
	fd = make_new(store);
	if (fd < 0)
		return fd;
	r = write_all(sys, fd, text, length);
	if (r == 0)
		r = set_mode(store, fd, 0644, S_IWGRP);
	if (r == 0)
		r = sys_fsync(sys, fd);
	sys_close(sys, fd);
	if (r == 0 && !writers_locked(store))
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
	r = write_new(store, text, compose(store, without, with, text));
	sys_munmap(sys, text, room);
	if (r < 0)
		return r;
	return sys_fsync(sys, store->directory) < 0 ? 1 : 0;
}

/* The store: opened and closed, and the right to write it. */

/* Makes the directory and those above it, where they are missing. */
static void
make_directories(const struct sys_ops *sys, const char *path)
{
	char part[256];
	struct strbuf text = strbuf_in(part, sizeof(part));

	for (const char *p = path; *p; p++) {
		if (*p == '/' && text.length)
			directory_make(sys, part, 0755);
		strbuf_char(&text, *p);
	}
	directory_make(sys, part, 0755);
}

bool
store_right(const struct sys_ops *sys, const char *path)
{
	char part[256];
	struct strbuf text = strbuf_in(part, sizeof(part));
	int r;

	strbuf_string(&text, path);
	if (!*path || !strbuf_ok(&text))
		return false;
	/* A directory that is missing can be made by a user who may write its
	 * parent. */
	while ((r = sys_access(sys, part, W_OK | X_OK)) == -ENOENT) {
		char *slash = strrchr(part, '/');

		if (!slash || slash == part)
			return sys_access(sys, "/", W_OK | X_OK) == 0;
		*slash = '\0';
	}
	return r == 0;
}

static int
open_directory(struct store *store, const char *path)
{
	struct stat st;
	int r;

	store->directory = sys_open(store->sys, path,
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (store->directory < 0)
		return store->directory;
	low_fds_take(store->sys, store->directory, &store->low);
	r = sys_fstat(store->sys, store->directory, &st);
	if (r < 0)
		return r;
	store->owner = st.st_uid;
	store->group = st.st_gid;
	store->shared = (st.st_mode & S_IWGRP) != 0;
	return 0;
}

int
store_open(const struct sys_ops *sys, const char *path, bool write,
	   struct store *ret)
{
	struct store store = {.sys = sys, .directory = -1, .lock = -1};
	int r;

	if (write) {
		if (!store_right(sys, path))
			return -EACCES;
		make_directories(sys, path);
	}
	r = open_directory(&store, path);
	if (r == 0 && write)
		r = lock_writers(&store);
	if (r == 0)
		r = read_file(&store);
	else if (r == -ENOENT && !write)
		r = 0;
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
		sys_munmap(store->sys, store->text, STORE_MAX + 1);
	store->text = NULL;
	unlock_writers(store);
	low_fds_give_back(store->sys, &store->low);
	if (store->directory >= 0)
		sys_close(store->sys, store->directory);
	store->directory = -1;
}
