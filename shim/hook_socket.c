/* SPDX-License-Identifier: MIT */
#include "shim/shim.h"

#include "core/reserve.h"
#include "shim/pools.h"
#include "shim/track.h"
#include "shim/unbound.h"

/*
 * The number that socket() has just given out was an owning socket's, so that
 * one was closed where we could not see it: node closes by a raw system call.
 * Its block is freed now, unless a duplicate lives on elsewhere.
 */
SLOW_PATH static void
tidy(int fd)
{
	uint64_t cookie = track_displaced(fd);
	struct pool_lock lock;
	struct pool *pool;

	if (!cookie || pools_enter_again(&pool, &lock) < 0)
		return;
	if (reserve_check_socket(pool, cookie) == 0) {
		struct tracked *tracked = track_find(cookie);

		if (tracked)
			track_drop(tracked);
	}
	pool_leave(pool, &lock);
}

int
shim_socket(int domain, int type, int protocol)
{
	int fd = real_socket(domain, type, protocol);

	if (track_any() && fd >= 0)
		tidy(fd);
	unbound_renew(fd);
	return fd;
}

EXPORTED int
socket(int domain, int type, int protocol)
{
	return shim_socket(domain, type, protocol);
}
