/* SPDX-License-Identifier: MIT */
#include "cli/stuck.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "cli/output.h"
#include "cli/process.h"

/* The pid in "7: FLOCK ADVISORY WRITE 1234 00:1b:71 0 EOF"; 0 for a waiter
 * ("->"). */
static uint32_t
who_locks(const struct pool *pool)
{
	FILE *list = fopen("/proc/locks", "re");
	unsigned int pid, major, minor;
	unsigned long inode;
	uint32_t found = 0;
	char line[256];

	while (list && !found && fgets(line, sizeof(line), list))
		if (sscanf(line, "%*u: FLOCK %*s WRITE %u %x:%x:%lu", &pid,
			   &major, &minor, &inode) == 4 &&
		    makedev(major, minor) == pool->device &&
		    inode == pool->inode)
			found = pid;
	if (list)
		fclose(list);
	return found;
}

/* The letter of its state: 'T' is stopped, 't' by a debugger. */
static char
state_of(uint32_t pid)
{
	char path[64], line[512], state = '?';
	FILE *file;
	const char *name_end;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = fopen(path, "re");
	if (file && fgets(line, sizeof(line), file) &&
	    (name_end = strrchr(line, ')')))
		sscanf(name_end + 1, " %c", &state);
	if (file)
		fclose(file);
	return state;
}

bool
stuck_by(const struct pool *pool, char *to, size_t size)
{
	uint32_t pid = who_locks(pool);
	char name[17], safe[80], state;

	if (!pid)
		return false;
	state = state_of(pid);
	process_name(pid, name);
	snprintf(to, size, "pid %u (%s)%s", pid,
		 safe_text(name, safe, sizeof(safe)),
		 state == 'T'	? ", which is stopped"
		 : state == 't' ? ", which a debugger has stopped"
				: "");
	return true;
}
