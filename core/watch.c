/* SPDX-License-Identifier: MIT */
#include "core/watch.h"

#include <string.h>

#include "core/text.h"

int
watch_begin(const struct sys_ops *sys, int fd)
{
	struct epoll_event nothing = {0};
	int watch = sys_epoll_create(sys);
	int r;

	if (watch < 0)
		return watch;
	r = sys_epoll_add(sys, watch, fd, &nothing);
	if (r < 0) {
		sys_close(sys, watch);
		return r;
	}
	return watch;
}

bool
watch_end(const struct sys_ops *sys, int watch)
{
	char path[48], page[1024];
	struct text text = text_in(path, sizeof(path));
	long n = -1;
	int fd;

	text_string(&text, "/proc/thread-self/fdinfo/");
	text_number(&text, (uint64_t)watch);
	fd = sys_open(sys, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		n = sys_read(sys, fd, page, sizeof(page));
		sys_close(sys, fd);
	}
	sys_close(sys, watch);
	return n > 0 && !memmem(page, (size_t)n, "tfd:", 4);
}
