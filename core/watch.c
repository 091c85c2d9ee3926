/* SPDX-License-Identifier: MIT */
#include "core/watch.h"

#include <string.h>

#include "core/locklist.h"
#include "core/text.h"

static int
epoll_with(const struct sys_ops *sys, int fd)
{
	struct epoll_event nothing = {0};
	int epoll = sys_epoll_create(sys);

	if (epoll >= 0 && sys_epoll_add(sys, epoll, fd, &nothing) < 0) {
		sys_close(sys, epoll);
		epoll = -1;
	}
	return epoll;
}

void
watch_begin(const struct sys_ops *sys, int fd, uint64_t token,
	    const _Atomic bool *many_locks, struct watch *ret)
{
	bool by_list = token != 0 && !atomic_load(many_locks);

	ret->token = token;
	ret->epoll = by_list ? -1 : epoll_with(sys, fd);
}

/* An empty set says no more than where it is. */
static bool
epoll_empty(const struct sys_ops *sys, int epoll)
{
	char path[48], page[1024];
	struct text text = text_in(path, sizeof(path));
	long n = -1;
	int fd;

	text_string(&text, "/proc/thread-self/fdinfo/");
	text_number(&text, (uint64_t)epoll);
	fd = sys_open(sys, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		n = sys_read(sys, fd, page, sizeof(page));
		sys_close(sys, fd);
	}
	return n > 0 && !memmem(page, (size_t)n, "tfd:", 4);
}

/* With the list of locks, which is short on most machines. */
static bool
list_lacks(const struct sys_ops *sys, uint64_t token, _Atomic bool *many_locks)
{
	int list = locklist_open(sys);
	int r = list;

	if (list >= 0) {
		r = locklist_glance(sys, list, token);
		sys_close(sys, list);
	}
	if (r == -EAGAIN) {
		atomic_store(many_locks, true);
		r = locklist_find(sys, token);
	}
	return r == 0;
}

bool
watch_end(const struct sys_ops *sys, const struct watch *watch,
	  _Atomic bool *many_locks)
{
	bool gone;

	/* Also where there was no descriptor left: the close made room. */
	if (watch->epoll < 0)
		return watch->token != 0 &&
		       list_lacks(sys, watch->token, many_locks);
	gone = epoll_empty(sys, watch->epoll);
	sys_close(sys, watch->epoll);
	return gone;
}
