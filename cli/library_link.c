/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD is split at blanks and colons, and $LIB and $ORIGIN in it are
 * replaced. There are no quotes: a path with such characters has to have
 * another name. A symbolic link is one, if it outlives us, and if no other user
 * can change it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/library.h"
#include "core/pool/user_pool.h"
#include "shim/config.h"

#define SPECIAL " :$"

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool
ours_alone(int directory)
{
	struct stat st;

	return fstat(directory, &st) == 0 && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static bool
leads_there(int directory, const char *link, const struct stat *file)
{
	struct stat st;

	return fstatat(directory, link, &st, 0) == 0 && same_file(&st, file);
}

/* Replaces a link that leads elsewhere in one step: others may be loading by
 * it. */
static bool
link_at(int directory, const char *link, const char *path,
	const struct stat *file)
{
	char fresh[96];

	if (leads_there(directory, link, file))
		return true;
	snprintf(fresh, sizeof(fresh), "%s.%d", link, (int)getpid());
	unlinkat(directory, fresh, 0);
	if (symlinkat(path, directory, fresh) < 0)
		return false;
	if (renameat(directory, fresh, directory, link) < 0) {
		unlinkat(directory, fresh, 0);
		return false;
	}
	return leads_there(directory, link, file);
}

static bool
link_in(const char *where, const char *path, char name[PATH_MAX])
{
	struct stat file;
	char link[64];
	bool made;
	int fd;

	if (!where || *where != '/' || strpbrk(where, SPECIAL) ||
	    stat(path, &file) < 0)
		return false;
	/* No link to a directory: its owner could turn it round. */
	fd = open(where, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(link, sizeof(link), "libportres-%llx-%llx.so",
		 (unsigned long long)file.st_dev,
		 (unsigned long long)file.st_ino);
	made = ours_alone(fd) && link_at(fd, link, path, &file);
	close(fd);
	return made &&
	       snprintf(name, PATH_MAX, "%s/%s", where, link) < PATH_MAX;
}

bool
library_link(struct library *library)
{
	const char *path = library->path;
	char pool[POOL_PATH_MAX];

	if (!strpbrk(path, SPECIAL)) {
		strcpy(library->name, path);
		return true;
	}
	config_pool_directory(true, pool);
	/*
	 * A user who cannot reach our own pool has no use for the library
	 * either. A pool that a group shares is no place: root, whose programs
	 * become other users, has /run then.
	 */
	return link_in(pool, path, library->name) ||
	       link_in("/run", path, library->name) ||
	       link_in(getenv("XDG_RUNTIME_DIR"), path, library->name) ||
	       (user_pool_find(&sys_kernel, USER_POOL_PLACE, true, pool,
			       sizeof(pool)) == 0 &&
		link_in(pool, path, library->name)) ||
	       library_fail(library,
			    "move it, or set PORTRES_LIB to a link to it whose "
			    "path has none of these",
			    "LD_PRELOAD cannot name %s, for its blank, colon "
			    "or $, and no directory is yours alone to hold a "
			    "link to it",
			    path);
}
