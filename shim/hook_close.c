/* SPDX-License-Identifier: MIT */
#include "shim/shim.h"

#include "core/endpoint.h"
#include "core/reserve.h"
#include "core/slot.h"
#include "core/watch.h"
#include "shim/pools.h"
#include "shim/track.h"

/*
 * Ends the reservations of a socket that has just been closed for good. Takes
 * no lock and waits for nobody. Where it cannot be done nothing is lost:
 * whoever next meets the block finds its lease gone.
 */
static void
bury(struct tracked *tracked, uint64_t cookie)
{
	struct pool *pool = pools_opened();
	uint64_t token = atomic_load(&tracked->owned);

	track_drop(tracked);
	if (!pool || token == 0)
		return;
	if (token == TRACK_SEVERAL)
		reserve_end_socket(pool, cookie);
	else
		slot_end(pool->file, token, cookie);
}

static int
close_tracked(int fd, struct tracked *tracked, uint64_t cookie)
{
	static _Atomic bool many_locks;
	uint64_t token = atomic_load(&tracked->owned);
	struct watch watch;
	int r;

	/* Several leases may have been released since: none to look for. */
	watch_begin(&sys_kernel, fd, token == TRACK_SEVERAL ? 0 : token,
		    &many_locks, &watch);
	r = real_close(fd);
	if (watch_end(&sys_kernel, &watch, &many_locks))
		bury(tracked, cookie);
	return r;
}

SLOW_PATH static int
close_by_owner(int fd)
{
	struct tracked *tracked;
	uint64_t cookie;

	if (endpoint_cookie(&sys_kernel, fd, &cookie) < 0)
		return real_close(fd);
	tracked = track_find(cookie);
	if (!tracked)
		return real_close(fd);
	return close_tracked(fd, tracked, cookie);
}

int
shim_close(int fd)
{
	return track_any() ? close_by_owner(fd) : real_close(fd);
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
