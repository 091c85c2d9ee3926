/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_SHIM_ROBUST_LIST_H
#define PORTRES_SHIM_ROBUST_LIST_H

#include <stdbool.h>

/* Does a thread get its list when it first needs one? glibc gives it to each at
 * its start. A constant, because each bind would ask. */
#ifdef __GLIBC__
#define ROBUST_LISTS_COME_LATE false
#else
#define ROBUST_LISTS_COME_LATE true
#endif

/*
 * The kernel knows of no robust list of this thread: announcements need one
 * (core/pool/announce.h). Has libc told the kernel now? Never where lists do not
 * come late. Not for a child of vfork, which has no list and may not get its
 * parent's.
 */
bool robust_list_register(void);

#endif
