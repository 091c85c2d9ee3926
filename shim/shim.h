/* SPDX-License-Identifier: MIT */
/*
 * What the hooks share: our side of each call, and the edge where -Exxx
 * becomes errno.
 */
#ifndef PORTRES_SHIM_SHIM_H
#define PORTRES_SHIM_SHIM_H

#include <errno.h>
#include <sys/socket.h>

#include "shim/real.h"

/*
 * The edge, where -Exxx becomes errno. A call that succeeds leaves it as the
 * program had it, `saved`, whatever was tried on the way.
 */
static inline long
edge(int saved, long r)
{
	errno = r < 0 ? (int)-r : saved;
	return r < 0 ? -1 : r;
}

/* The same, where nothing of libc's was called on the way. */
static inline int
ret_errno(int r)
{
	return r < 0 ? (int)edge(0, r) : r;
}

#endif
