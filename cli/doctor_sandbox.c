/* SPDX-License-Identifier: MIT */
/*
 * A sandbox (bubblewrap, Flatpak) that has a /dev/shm of its own and the host's
 * ports: what is reserved there the host's programs do not know.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/check.h"
#include "core/pool/user_pool.h"

/* The kernel tells the user namespace to which one belongs only of ours and of
 * those below it. */
static bool
network_is_the_hosts(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int owner = fd < 0 ? -1 : ioctl(fd, NS_GET_USERNS);
	bool hosts = fd >= 0 && owner < 0 && errno == EPERM;

	if (owner >= 0)
		close(owner);
	if (fd >= 0)
		close(fd);
	return hosts;
}

/*
 * The host's /dev/shm is root's, whom a user's namespace maps to nobody. In one
 * of root's own he is mapped, to himself, and nothing can be told.
 */
static bool
owner_is_of_here(uid_t owner)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned inside, outside, count;
	bool found = false;

	while (map && fscanf(map, "%u %u %u", &inside, &outside, &count) == 3)
		found |= owner >= inside && owner - inside < count &&
			 (owner != 0 || outside + (owner - inside) != 0);
	if (map)
		fclose(map);
	return found;
}

void
check_sandbox(const char *directory)
{
	const char *place = USER_POOL_PLACE "/";
	struct stat st;

	if (strncmp(directory, place, strlen(place)) == 0 &&
	    stat(USER_POOL_PLACE, &st) == 0 && network_is_the_hosts() &&
	    owner_is_of_here(st.st_uid))
		check(WARNING, "pool",
		      USER_POOL_PLACE
		      " is this sandbox's own, and its ports are the host's, "
		      "whose programs do not know this pool: have the "
		      "machine's in here (bwrap --bind /run/portres "
		      "/run/portres), or set PORTRES_POOL to a directory that "
		      "both have");
}
