/* SPDX-License-Identifier: MIT */
#include "shim/shim.h"

#include <pthread.h>

#include "core/endpoint.h"
#include "core/reserve.h"
#include "core/slot.h"
#include "core/watch.h"
#include "shim/gate.h"
#include "shim/inherited.h"
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

	track_drop(tracked, cookie);
	if (!pool || token == 0)
		return;
	if (token == TRACK_SEVERAL)
		reserve_end_socket(pool, cookie);
	else
		slot_end(pool->file, token, cookie);
}

/*
 * The socket lives on, elsewhere. When this process has no descriptor of it
 * any more, its end is not ours to see, and our closes cost nothing again. A
 * child of vfork sees other descriptors than the process whose memory it is
 * in, and must not draw that conclusion; nor is an association given up.
 */
static void
part(struct tracked *tracked, uint64_t cookie)
{
	if (track_is_ours() && !atomic_load(&tracked->associated) &&
	    endpoint_find(&sys_kernel, cookie) == -ENOENT)
		track_drop(tracked, cookie);
}

static int
close_tracked(int fd, struct tracked *tracked, uint64_t cookie)
{
	struct gate_visit visit;
	struct watch watch;
	bool lend;
	int state;
	int r;

	/* close() is where threads are cancelled, before anything is closed;
	 * cancelled later they would leak the watch. */
	pthread_testcancel();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	gate_visit(&visit);
	watch_begin(&sys_kernel, fd, &watch);
	lend = visit.under_way && watch.epoll >= 0;
	if (lend)
		gate_lend(watch.epoll);
	gate_visit_end(&visit);
	r = real_close(fd); /* which may linger */
	gate_visit(&visit);
	if (lend)
		gate_take_back(watch.epoll);
	if (watch_end(&sys_kernel, &watch))
		bury(tracked, cookie);
	else
		part(tracked, cookie);
	gate_visit_end(&visit);
	pthread_setcancelstate(state, NULL);
	return r;
}

SLOW_PATH static int
close_by_owner(int fd)
{
	struct tracked *tracked;
	uint64_t cookie;

	if (inherited_guards(fd))
		return ret_errno(-EBADF);
	if (!track_any_socket() ||
	    endpoint_cookie(&sys_kernel, fd, &cookie) < 0)
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
