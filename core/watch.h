/* SPDX-License-Identifier: MIT */
/*
 * Does an open socket outlive a close of one of its descriptors?
 *
 * Two ways to know. While the machine has few file locks, one read of the
 * kernel's list after the close tells whether a lease of the socket is still
 * there: 4 us. With many that would cost more with each, and from the second
 * time on an epoll set is used: it does not keep a socket open but lists it as
 * long as it lives anywhere, in another descriptor, another process, a message
 * in flight. The socket is put into the set, then closed, then the set is
 * asked: 10 us, whatever else there is.
 */
#ifndef PORTRES_CORE_WATCH_H
#define PORTRES_CORE_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/sys.h"

struct watch {
	uint64_t token; /* a lease of the socket, to be looked for; or 0 */
	int epoll;	/* or -1 */
};

/*
 * Before the close. `many_locks` is the caller's memory, false at first, of
 * whether the list was found to be long.
 */
void watch_begin(const struct sys_ops *sys, int fd, uint64_t token,
		 const _Atomic bool *many_locks, struct watch *ret);

/* After it: true when the socket is known to be gone for good. */
bool watch_end(const struct sys_ops *sys, const struct watch *watch,
	       _Atomic bool *many_locks);

#endif
