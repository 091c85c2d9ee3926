/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/check.h"
#include "cli/cli.h"
#include "cli/open_pool.h"
#include "cli/output.h"
#include "cli/stuck.h"
#include "cli/trouble.h"
#include "cli/view.h"
#include "core/kernel/ephemeral.h"
#include "shim/config.h"

static const char *
file_system(long type)
{
	switch (type) {
	case TMPFS_MAGIC:
		return "tmpfs";
	case EXT4_SUPER_MAGIC:
		return "ext4";
	case XFS_SUPER_MAGIC:
		return "xfs";
	case BTRFS_SUPER_MAGIC:
		return "btrfs";
	case OVERLAYFS_SUPER_MAGIC:
		return "overlayfs";
	default:
		return "local";
	}
}

static void
check_one_user(const struct stat *st)
{
	struct passwd *user = getpwuid(st->st_uid);

	if (st->st_uid == 0)
		check(GOOD, "pool",
		      "root's own, no other user reserves in it (mode %o)",
		      st->st_mode & 07777);
	else
		check(GOOD, "pool",
		      "user %u's (%s) own, no other user but root reserves in "
		      "it (mode %o)",
		      st->st_uid, user ? user->pw_name : "without a name",
		      st->st_mode & 07777);
}

/* The right to read is not enough: binders write announcements. */
static void
check_directory(const char *path)
{
	char word[4 * POOL_PATH_MAX + 8];
	struct statfs fs;
	struct group *group;
	struct stat st;

	if (statfs(path, &fs) == 0)
		check(GOOD, "pool", "its file system fits: %s",
		      file_system(fs.f_type));
	if (stat(path, &st) < 0)
		return;
	if (!(st.st_mode & S_IWGRP)) {
		check_one_user(&st);
		return;
	}
	group = getgrgid(st.st_gid);
	if (st.st_mode & S_ISGID)
		check(GOOD, "pool", "the group %s shares it (mode %o)",
		      group ? group->gr_name : "?", st.st_mode & 07777);
	else
		check(WARNING, "pool",
		      "the group %s may write %s but would not own what others "
		      "make there (mode %o): chmod g+s %s",
		      group ? group->gr_name : "?", path, st.st_mode & 07777,
		      shell_word(path, word, sizeof(word)));
}

/*
 * A namespace that ends leaves its file. It is counted and not called stale: a
 * namespace without processes can be held by a mount or a descriptor that is
 * not seen from here, and a block by a socket whose program maps no pool.
 */
static void
check_files(const char *directory, const char *own)
{
	DIR *files = opendir(directory);
	unsigned long long bytes = 0;
	struct dirent *entry;
	unsigned count = 0;
	struct stat st;

	own = strrchr(own, '/') + 1;
	while (files && (entry = readdir(files))) {
		const char *name = entry->d_name;

		if (strncmp(name, "pool-", 5) != 0 || strcmp(name, own) == 0 ||
		    name[5 + strspn(name + 5, "0123456789")] != '\0' ||
		    fstatat(dirfd(files), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		bytes += (unsigned long long)st.st_blocks * 512;
		count++;
	}
	if (files)
		closedir(files);
	if (count)
		check(GOOD, "pool",
		      "%u more file%s in it, of other network namespaces, %llu "
		      "kB: those whose namespace has ended stay, see "
		      "portres(7)",
		      count, count == 1 ? "" : "s", bytes / 1000);
}

static void
check_ephemeral(const struct view *view)
{
	struct range ephemeral = ephemeral_range(&sys_kernel);
	uint32_t inside = 0;
	char range[16], first[16];
	const struct entry *example = NULL;

	for (size_t i = 0; i < view->count; i++)
		if (range_overlap(view->entries[i].range, ephemeral)) {
			inside++;
			example = &view->entries[i];
		}
	range_text(&ephemeral, range);
	if (inside == 0)
		check(GOOD, "ports",
		      "no reservation reaches into %s, where the kernel picks "
		      "ports",
		      range);
	else
		check(WARNING, "ports",
		      "%u reservation%s (%s) where the kernel picks ports for "
		      "programs that are not under portres, %s: take others, "
		      "or "
		      "add them to net.ipv4.ip_local_reserved_ports",
		      inside, inside == 1 ? "" : "s",
		      range_text(&example->range, first), range);
}

/* Requests wait for it 5 s, and then fail. */
static void
check_lock(struct pool *pool)
{
	struct pool_lock lock;
	char holder[160];
	int r = pool_enter(pool, POOL_BRIEF, &lock);

	if (r == 0)
		pool_leave(pool, &lock);
	if (r != -EBUSY)
		return;
	if (!stuck_by(pool, holder, sizeof(holder)))
		snprintf(holder, sizeof(holder), "a process");
	check(WARNING, "pool",
	      "it is locked by %s, so nothing can be reserved or released: "
	      "continue it (kill -CONT) or end it",
	      holder);
}

static void
check_users(const struct view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct entry *entry = &view->entries[i];
		char range[16], holder[256];

		if (entry->user_count)
			check(GOOD, "pool", "%s %s is reserved by %s",
			      protocol_name(entry->protocol),
			      range_text(&entry->range, range),
			      entry_holder(entry, holder, sizeof(holder)));
	}
}

static void
check_contents(struct pool *pool)
{
	struct trouble trouble;
	struct view view;
	int r = view_take(pool, &view);

	if (r < 0) {
		trouble_of_pool(r, &trouble);
		check(ERROR, "pool", "%s: %s", trouble.cause, trouble.way_out);
		return;
	}
	check(GOOD, "pool", "%zu living, %u stale swept", view.count,
	      view.swept);
	check_users(&view);
	check_ephemeral(&view);
	view_free(&view);
}

/* Has another user taken the usual name? */
static void
check_name(const struct config *config, const char *directory)
{
	struct stat st;

	if (!config->own || strcmp(directory, config->directory) == 0 ||
	    lstat(config->directory, &st) < 0 || st.st_uid == geteuid())
		return;
	check(WARNING, "pool",
	      "%s was made by user %u, so your programs share %s: remove the "
	      "first, as root",
	      config->directory, st.st_uid, directory);
}

void
check_pool(void)
{
	const struct config *config = config_get();
	char directory[POOL_PATH_MAX];
	struct trouble trouble;
	struct pool pool;
	int r = open_pool(&pool);

	if (r < 0) {
		trouble_of_pool(r, &trouble);
		check(ERROR, "pool", "%s (chosen: %s): %s", trouble.cause,
		      config->why, trouble.way_out);
		return;
	}
	check(GOOD, "pool", "%s: %s", pool.path, config->why);
	snprintf(directory, sizeof(directory), "%s", pool.path);
	*strrchr(directory, '/') = '\0';
	check_name(config, directory);
	check_sandbox(directory);
	check_directory(directory);
	check_files(directory, pool.path);
	check_lock(&pool);
	check_contents(&pool);
	pool_close(&pool);
}
