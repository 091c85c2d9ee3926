/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_SHIM_ROBUST_LIST_H
#define PORTRES_SHIM_ROBUST_LIST_H

#include <stdbool.h>

/*
 * The kernel knows of no robust list of this thread: announcements need one
 * (core/pool/announce.h). Has libc told the kernel now? glibc does so when a
 * thread starts, so it is false there. Not for a child of vfork, which has no
 * list and may not get its parent's.
 */
bool robust_list_register(void);

#endif
