/* SPDX-License-Identifier: MIT */
#include "shim/shim.h"

#include "core/endpoint.h"
#include "core/reserve.h"
#include "core/watch.h"
#include "shim/pools.h"
#include "shim/track.h"

/*
 * Frees the blocks of a socket that has just been closed for good. When the
 * pool is busy nothing is lost: whoever next meets the block finds its lease
 * gone. So close() never waits, and a vfork child, whose copy of the socket
 * is never the last, writes nothing of its parent's.
 */
static void
bury(struct tracked *tracked, uint64_t cookie)
{
	struct pool_lock lock;
	struct pool *pool;
	uint64_t token;

	if (pools_enter_again(&pool, &lock) < 0)
		return;
	token = atomic_load(&tracked->owned);
	if (token == TRACK_SEVERAL)
		reserve_forget_socket(pool, cookie);
	else if (token != 0)
		reserve_forget(pool, token, cookie);
	track_drop(tracked);
	pool_leave(pool, &lock);
}

static int
close_tracked(int fd, struct tracked *tracked, uint64_t cookie)
{
	int watch = watch_begin(&sys_kernel, fd);
	int r = real_close(fd);
	bool gone = watch >= 0 && watch_end(&sys_kernel, watch);

	if (gone)
		bury(tracked, cookie);
	return r;
}

int
shim_close(int fd)
{
	struct tracked *tracked;
	uint64_t cookie;

	if (!track_any() || endpoint_cookie(&sys_kernel, fd, &cookie) < 0)
		return real_close(fd);
	tracked = track_find(cookie);
	if (!tracked)
		return real_close(fd);
	return close_tracked(fd, tracked, cookie);
}

EXPORTED int
close(int fd)
{
	return shim_close(fd);
}

extern int __close(int fd);

/* libc exports it too, and some programs import that name. */
EXPORTED int
__close(int fd)
{
	return shim_close(fd);
}
