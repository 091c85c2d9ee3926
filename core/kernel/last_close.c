/* SPDX-License-Identifier: MIT */
#include "core/kernel/last_close.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <string.h>

#include "core/kernel/strbuf.h"

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
last_close_begin(const struct sys_ops *sys, int fd, struct last_close *ret)
{
	*ret = (struct last_close){.fd = fd, .epoll = epoll_with(sys, fd)};
}

/* The fdinfo of an empty set has no line with "tfd:". */
static bool
epoll_empty(const struct sys_ops *sys, int epoll)
{
	char path[48], page[1024];
	struct strbuf text = strbuf_in(path, sizeof(path));
	long n = -1;
	int fd;

	strbuf_string(&text, "/proc/thread-self/fdinfo/");
	strbuf_number(&text, (uint64_t)epoll);
	fd = sys_open(sys, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		n = sys_read(sys, fd, page, sizeof(page));
		sys_close(sys, fd);
	}
	return n > 0 && !memmem(page, (size_t)n, "tfd:", 4);
}

/*
 * 1 or 0; or -EBADF or -EINVAL when the set's number is closed or another
 * file's by now: another thread may have closed all descriptors. Asks by thread
 * id, because a thread may have a descriptor table of its own.
 */
static int
epoll_lacks(const struct sys_ops *sys, const struct last_close *watch)
{
	struct kcmp_epoll_slot slot = {.efd = (uint32_t)watch->epoll,
				       .tfd = (uint32_t)watch->fd};
	uint32_t self = sys_gettid(sys);
	long r = SYS_CALL(sys, SYS_kcmp, self, self, KCMP_EPOLL_TFD,
			  watch->epoll, SYS_ARG_(&slot));

	if (r == -EBADF || r == -EINVAL)
		return (int)r;
	return r == -ENOENT || (r < 0 && epoll_empty(sys, watch->epoll));
}

bool
last_close_end(const struct sys_ops *sys, const struct last_close *watch)
{
	int gone;

	if (watch->epoll < 0)
		return false;
	gone = epoll_lacks(sys, watch);
	if (gone < 0)
		return false;
	sys_close(sys, watch->epoll);
	return gone;
}
