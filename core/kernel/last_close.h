/* SPDX-License-Identifier: MIT */
/*
 * Does an open socket outlive a close of one of its descriptors?
 *
 * An epoll set does not keep a socket open, but lists it while it is open
 * anywhere: in another descriptor, another process, a message in flight. So the
 * socket is added to a set, then closed, and then the set is read, by kcmp()
 * or, in a sandbox that forbids it, in /proc/…/fdinfo.
 */
#ifndef PORTRES_CORE_KERNEL_LAST_CLOSE_H
#define PORTRES_CORE_KERNEL_LAST_CLOSE_H

#include <stdbool.h>

#include "core/kernel/sys.h"

struct last_close {
	int fd;	   /* the number that is closed */
	int epoll; /* or -1: there was no descriptor left for it */
};

/* Before the close. */
void last_close_begin(const struct sys_ops *sys, int fd,
		      struct last_close *ret);

/* After it: true when the socket is known to be gone for good. */
bool last_close_end(const struct sys_ops *sys, const struct last_close *watch);

#endif
