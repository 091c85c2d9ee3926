/* SPDX-License-Identifier: MIT */
#include "cli/trouble.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "cli/open_pool.h"
#include "cli/output.h"
#include "cli/stuck.h"
#include "core/pool/pool.h"
#include "core/pool/user_pool.h"
#include "shim/config.h"

/* Each character of a path may be a quote. */
#define WORD_MAX (4 * POOL_PATH_MAX + 8)

static bool
say(struct trouble *trouble, const char *cause, const char *way_out, ...)
{
	va_list arguments;

	/* Both formats take the same arguments; the way out may use fewer. */
	va_start(arguments, way_out);
	vsnprintf(trouble->cause, sizeof(trouble->cause), cause, arguments);
	va_end(arguments);
	va_start(arguments, way_out);
	vsnprintf(trouble->way_out, sizeof(trouble->way_out), way_out,
		  arguments);
	va_end(arguments);
	return true;
}

static bool
directory_missing(const char *path, struct trouble *ret)
{
	char word[WORD_MAX];
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT)
		return say(ret, "there is no pool directory %1$s",
			   "mkdir -m 700 %1$s, or set PORTRES_POOL to another",
			   shell_word(path, word, sizeof(word)));
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return say(ret, "%s is not a directory",
			   "set PORTRES_POOL to a directory", path);
	return false;
}

/* A pool takes all of its space when it is made. */
static bool
no_room(const char *path, struct trouble *ret)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	struct statvfs fs;
	uint64_t left;

	getrlimit(RLIMIT_FSIZE, &limit);
	if (limit.rlim_cur < sizeof(struct pool_file))
		return say(ret,
			   "no pool can be made in %1$s: it takes a file of "
			   "%2$zu bytes, and your limit is %3$llu",
			   "raise ulimit -f, or have it made without the limit "
			   "(portres list)",
			   path, sizeof(struct pool_file),
			   (unsigned long long)limit.rlim_cur);
	/* Without a limit of its own a file system says 0 of 0. */
	if (statvfs(path, &fs) < 0)
		return false;
	if (fs.f_files && !fs.f_favail)
		return say(ret, "the file system of %1$s has no inode left",
			   "remove files there", path);
	left = (geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
	if (fs.f_blocks && left < sizeof(struct pool_file))
		return say(ret, "the file system of %1$s is full",
			   "make room in %1$s for %2$zu bytes", path,
			   sizeof(struct pool_file));
	return false;
}

/* The user has no directory of his own, and cannot make one. If another has the
 * first name, he has the others as well: the first that is free would be made.
 */
static bool
no_own_directory(struct trouble *ret)
{
	const char *first = config_get()->directory;
	struct stat st;

	if (stat(USER_POOL_PLACE, &st) < 0)
		return say(ret, "there is no " USER_POOL_PLACE,
			   "set PORTRES_POOL to a directory of yours");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return say(ret,
			   USER_POOL_PLACE
			   " is outside of this user namespace, and has no "
			   "pool of yours",
			   "run portres list outside first, as the same user, "
			   "or set PORTRES_POOL to a directory of yours");
	if (access(USER_POOL_PLACE, W_OK) == 0 && lstat(first, &st) == 0)
		return say(ret,
			   "%s, of user %u, and all names after it are taken, "
			   "so that you can have no pool there",
			   "have root remove them, or set PORTRES_POOL to a "
			   "directory of yours",
			   first, st.st_uid);
	if (no_room(USER_POOL_PLACE, ret))
		return true;
	return say(ret, "no pool directory can be made in " USER_POOL_PLACE,
		   "set PORTRES_POOL to a directory of yours");
}

static bool
directory_wrong(const char *path, struct trouble *ret)
{
	char word[WORD_MAX];
	struct statfs fs;
	struct stat st;
	DIR *directory;

	if (directory_missing(path, ret))
		return true;
	directory = opendir(path);
	if (!directory)
		return say(ret, "%s cannot be opened: %m",
			   "ask for membership in the group that owns it, or "
			   "set PORTRES_POOL to a directory of yours",
			   path);
	closedir(directory);
	if (statfs(path, &fs) == 0 && !pool_file_system_fits(fs.f_type))
		return say(ret,
			   "%s is on a network file system, whose locks end at "
			   "this machine",
			   "set PORTRES_POOL to a directory on a local one",
			   path);
	if (stat(path, &st) < 0)
		return false;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return say(ret,
			   "%1$s belongs to user %2$u, who is neither root nor "
			   "you",
			   "chown it, or set PORTRES_POOL to a directory of "
			   "yours",
			   path, st.st_uid);
	if (st.st_mode & S_IWOTH)
		return say(ret, "%1$s may be written by anybody",
			   "chmod o-w %1$s",
			   shell_word(path, word, sizeof(word)));
	return false;
}

static bool
header_wrong(int fd)
{
	struct pool_header header;

	return pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	       (header.magic != 0 &&
		(header.magic != POOL_MAGIC || header.layout != POOL_LAYOUT ||
		 header.size != sizeof(struct pool_file) ||
		 header.slot_size != sizeof(struct slot) ||
		 header.segment_size != sizeof(struct segment)));
}

/* The pool's file, opened; the checks of its owner, size and contents. `word`
 * is its path. */
static bool
contents_wrong(int fd, const char *word, struct trouble *ret)
{
	const char *remove =
		"when the programs that use it have ended, rm %1$s";
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode))
		return say(ret, "%1$s is not a file", "rm %1$s", word);
	if (st.st_mode & S_IWOTH)
		return say(ret, "%1$s may be written by anybody",
			   "chmod o-w %1$s", word);
	if (st.st_size != 0 && st.st_size != sizeof(struct pool_file))
		return say(ret,
			   "%1$s is damaged, or of another version: it has "
			   "%2$lld bytes, not %3$zu",
			   remove, word, (long long)st.st_size,
			   sizeof(struct pool_file));
	if (st.st_size != 0 && header_wrong(fd))
		return say(ret,
			   "%1$s is damaged, or of another version: its "
			   "header is not ours",
			   remove, word);
	return false;
}

/* Each network namespace has its file; ours did not open. */
static bool
file_wrong(const char *path, struct trouble *ret)
{
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	char word[WORD_MAX];
	bool wrong;

	shell_word(path, word, sizeof(word));
	if (fd < 0 && errno == ELOOP)
		return say(ret, "%1$s is a symbolic link", "rm %1$s", word);
	if (fd < 0 && errno == EISDIR)
		return say(ret, "%1$s is a directory", "rmdir %1$s", word);
	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd < 0)
		return say(ret, "%s cannot be opened: %m",
			   "ask its owner, or set PORTRES_POOL to a directory "
			   "of yours",
			   path);
	wrong = contents_wrong(fd, word, ret);
	close(fd);
	return wrong;
}

static bool
any_file_wrong(const char *directory, struct trouble *ret)
{
	char path[POOL_PATH_MAX];
	struct dirent *entry;
	bool wrong = false;
	DIR *files = opendir(directory);

	while (files && !wrong && (entry = readdir(files)))
		if (strncmp(entry->d_name, "pool-", 5) == 0 &&
		    snprintf(path, sizeof(path), "%s/%s", directory,
			     entry->d_name) < (int)sizeof(path))
			wrong = file_wrong(path, ret);
	if (files)
		closedir(files);
	return wrong;
}

/* The directory is in order, and so is a file that is in it. */
static void
not_opened(const char *path, struct trouble *ret)
{
	char file[POOL_PATH_MAX];
	struct stat st;

	if (open_pool_path(path, file) == 0 && stat(file, &st) == 0 &&
	    st.st_size != 0)
		say(ret, "%1$s cannot be mapped",
		    "raise ulimit -v, or leave a sandbox that forbids it",
		    file);
	else if (!no_room(path, ret))
		say(ret, "no pool can be made in %1$s",
		    "set PORTRES_POOL to a directory of yours on another file "
		    "system",
		    path);
}

/* The pool is in order, and another process has its lock for too long. */
static void
locked(struct pool *pool, const char *path, struct trouble *ret)
{
	char holder[160];

	if (!stuck_by(pool, holder, sizeof(holder)))
		snprintf(holder, sizeof(holder), "a process");
	say(ret, "the pool in %1$s is locked for too long by %2$s",
	    "continue it (kill -CONT) or end it", path, holder);
}

void
trouble_of_pool(int r, struct trouble *ret)
{
	const struct config *config = config_get();
	const char *path = config->directory;
	char own[POOL_PATH_MAX];
	struct pool pool;

	if (trouble_of_descriptors(r, ret))
		return;
	if (config->own) {
		if (config_pool_directory(false, own) < 0) {
			no_own_directory(ret);
			return;
		}
		path = own;
	}
	errno = -r;
	if (!path[0])
		say(ret,
		    "the path of the pool is too long, or relative to a "
		    "directory that is gone",
		    "set PORTRES_POOL to a short, absolute one");
	else if (directory_wrong(path, ret) || any_file_wrong(path, ret))
		return;
	else if (access(path, W_OK) < 0)
		say(ret, "%s may not be written by you",
		    "ask for membership in the group that owns it, or set "
		    "PORTRES_POOL to a directory of yours",
		    path);
	else if (open_pool(&pool) < 0)
		not_opened(path, ret);
	else {
		locked(&pool, path, ret);
		pool_close(&pool);
	}
}
