/* SPDX-License-Identifier: MIT */
/*
 * The place of a guard: a cgroup, and the directory of the bpf file system
 * where its programs and maps are pinned, one for each cgroup:
 * /sys/fs/bpf/portres/ID.
 */
#ifndef PORTRES_CLI_GUARD_PLACE_H
#define PORTRES_CLI_GUARD_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define GUARD_PINS "/sys/fs/bpf/portres"

struct guard_place {
	char cgroup[PATH_MAX];
	char pins[PATH_MAX]; /* the directory */
};

/* The root of the cgroups of the second kind, or `path`: 0, or STATUS_REFUSED
 * after a message. */
int guard_place_find(const char *path, struct guard_place *ret);

/* The root, without a word: 0 or -ENOENT. */
int guard_place_root(struct guard_place *ret);

/* Mounts the bpf file system where it is not, and makes GUARD_PINS there. As
 * above. */
int guard_place_prepare(void);

/* Is GUARD_PINS, if it is there, root's alone? As above. */
int guard_place_check(void);

/* Lets no other `on` or `off` work until this process ends. As above; nothing
 * is done where there is no GUARD_PINS. */
int guard_place_lock(void);

/* Is there a guard? */
bool guard_place_taken(const struct guard_place *place);

/* The path of what is pinned in a directory. */
char *guard_pin_path(const char *directory, const char *kind, const char *name,
		     char to[PATH_MAX]);

#endif
