/* SPDX-License-Identifier: MIT */
#include "cli/guard_place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/cli.h"

#define BPF_FS 0xcafe4a11
#define CGROUP2_FS 0x63677270
#define BPF_FS_AT "/sys/fs/bpf"

static bool
is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_FS;
}

/* The usual places first, where there may be many mounts. */
static int
find_root(char to[PATH_MAX])
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	bool found = false;

	while (mounts && !found && (mount = getmntent(mounts)))
		if (strcmp(mount->mnt_type, "cgroup2") == 0) {
			snprintf(to, PATH_MAX, "%s", mount->mnt_dir);
			found = true;
		}
	if (mounts)
		endmntent(mounts);
	return found ? 0 : -ENOENT;
}

/* Fills in what follows from the cgroup. */
static int
fill(struct guard_place *place)
{
	struct stat st;

	if (!is_cgroup2(place->cgroup) || stat(place->cgroup, &st) < 0 ||
	    !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	snprintf(place->pins, sizeof(place->pins), GUARD_PINS "/%" PRIu64,
		 (uint64_t)st.st_ino);
	return 0;
}

int
guard_place_root(struct guard_place *ret)
{
	int r = find_root(ret->cgroup);

	return r < 0 ? r : fill(ret);
}

int
guard_place_find(const char *path, struct guard_place *ret)
{
	if (!path && find_root(ret->cgroup) < 0)
		return refuse("there are no cgroups of version 2 here, which "
			      "programs are attached to: mount -t cgroup2 none "
			      "/sys/fs/cgroup/unified");
	if (path && !realpath(path, ret->cgroup))
		return refuse("no cgroup %s: %m: give a directory below the "
			      "mount of cgroup2",
			      path);
	if (fill(ret) < 0)
		return refuse("%s is no cgroup of version 2: give a directory "
			      "below the mount of cgroup2",
			      ret->cgroup);
	return 0;
}

static bool
is_mounted(void)
{
	struct statfs fs;

	return statfs(BPF_FS_AT, &fs) == 0 && (uint32_t)fs.f_type == BPF_FS;
}

int
guard_place_prepare(void)
{
	if (!is_mounted() &&
	    mount("bpf", BPF_FS_AT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=700") < 0)
		return refuse("the bpf file system cannot be mounted on %s: "
			      "%m: become root, with a kernel that has "
			      "CONFIG_BPF_SYSCALL",
			      BPF_FS_AT);
	if (mkdir(GUARD_PINS, 0700) < 0 && errno != EEXIST)
		return refuse("%s cannot be made: %m: become root", GUARD_PINS);
	return 0;
}

/* In a bpf file system that was mounted without a mode anybody makes
 * directories. */
int
guard_place_check(void)
{
	struct stat st;

	if (lstat(GUARD_PINS, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode) && st.st_uid == 0 &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return refuse("%s is not root's alone: see who made it, and remove it",
		      GUARD_PINS);
}

#define LOCK_WAIT_MS 30000 /* longer than an adoption lasts */

int
guard_place_lock(void)
{
	int fd, r = guard_place_check();

	if (r != 0)
		return r;
	/* Open until the process ends. */
	fd = open(GUARD_PINS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	for (int i = 0; fd >= 0 && i < LOCK_WAIT_MS; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		usleep(1000);
	}
	return refuse("%s is locked by another portres guard on or off: end "
		      "that",
		      GUARD_PINS);
}

bool
guard_place_taken(const struct guard_place *place)
{
	struct stat st;

	return stat(place->pins, &st) == 0;
}

char *
guard_pin_path(const char *directory, const char *kind, const char *name,
	       char to[PATH_MAX])
{
	snprintf(to, PATH_MAX, "%.3900s/%s_%s", directory, kind, name);
	return to;
}
