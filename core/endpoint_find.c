/* SPDX-License-Identifier: MIT */
/* The descriptors of this process, and one among them. */
#include "core/endpoint.h"

#include <dirent.h>

/* The number that a directory entry of /proc/…/fd names, or -1. */
static int
entry_number(const char *name)
{
	int n = 0;

	if (*name < '0' || *name > '9')
		return -1;
	for (; *name >= '0' && *name <= '9'; name++)
		n = n * 10 + (*name - '0');
	return n;
}

int
endpoint_each(const struct sys_ops *sys, endpoint_visit *visit, void *context)
{
	char page[1024] __attribute__((aligned(8)));
	bool go_on = true;
	long n = 0;
	/* Not "self": the main thread may have ended before the others. */
	int dir = sys_open(sys, "/proc/thread-self/fd",
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (dir < 0)
		return dir;
	while (go_on && (n = sys_getdents(sys, dir, page, sizeof(page))) > 0)
		for (long at = 0; at < n && go_on;) {
			const struct dirent64 *entry = (void *)(page + at);
			int fd = entry_number(entry->d_name);

			if (fd >= 0 && fd != dir)
				go_on = visit(context, fd);
			at += entry->d_reclen;
		}
	sys_close(sys, dir);
	return n < 0 ? (int)n : 0;
}

struct wanted {
	const struct sys_ops *sys;
	uint64_t cookie;
	int found;
};

static bool
is_wanted(void *context, int fd)
{
	struct wanted *wanted = context;

	if (endpoint_is(wanted->sys, fd, wanted->cookie))
		wanted->found = fd;
	return wanted->found < 0;
}

int
endpoint_find(const struct sys_ops *sys, uint64_t cookie)
{
	struct wanted wanted = {sys, cookie, -ENOENT};
	int r = endpoint_each(sys, is_wanted, &wanted);

	return r < 0 ? r : wanted.found;
}
