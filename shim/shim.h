/* SPDX-License-Identifier: MIT */
/* The edge where -Exxx becomes errno, for all hooks. */
#ifndef PORTRES_SHIM_SHIM_H
#define PORTRES_SHIM_SHIM_H

#include <errno.h>
#include <sys/socket.h>

#include "shim/real.h"

/* A call that succeeds leaves errno as the program had it, `saved`, whatever
 * libc did to it on the way. */
static inline long
edge(int saved, long r)
{
	errno = r < 0 ? (int)-r : saved;
	return r < 0 ? -1 : r;
}

/* For calls that called nothing of libc's on the way. */
static inline int
ret_errno(int r)
{
	return r < 0 ? (int)edge(0, r) : r;
}

#endif
