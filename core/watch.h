/* SPDX-License-Identifier: MIT */
/*
 * Does an open socket outlive a close of one of its descriptors?
 *
 * An epoll set does not keep a socket open, but lists it as long as it lives
 * anywhere: in another descriptor, another process, a message in flight. So
 * the socket is put into a set, then closed, then the set is asked: 7 short
 * system calls, whatever the number of locks and sockets on the machine.
 */
#ifndef PORTRES_CORE_WATCH_H
#define PORTRES_CORE_WATCH_H

#include <stdbool.h>

#include "core/sys.h"

/* Before the close. Returns a descriptor of the watch, or -Exxx. */
int watch_begin(const struct sys_ops *sys, int fd);

/* After it: true when the socket is gone for good. Ends the watch. */
bool watch_end(const struct sys_ops *sys, int watch);

#endif
