/* SPDX-License-Identifier: MIT */
/*
 * Does an open socket outlive a close of one of its descriptors?
 *
 * An epoll set does not keep a socket open but has it as long as it lives
 * anywhere: in another descriptor, another process, a message in flight. The
 * socket is put into a set, then closed, then the set is asked, by kcmp() or,
 * where a sandbox forbids that, by its /proc/…/fdinfo.
 */
#ifndef PORTRES_CORE_WATCH_H
#define PORTRES_CORE_WATCH_H

#include <stdbool.h>

#include "core/sys.h"

struct watch {
	int fd;	   /* the number that is closed */
	int epoll; /* or -1: there was no descriptor left for it */
};

/* Before the close. */
void watch_begin(const struct sys_ops *sys, int fd, struct watch *ret);

/* After it: true when the socket is known to be gone for good. */
bool watch_end(const struct sys_ops *sys, const struct watch *watch);

#endif
