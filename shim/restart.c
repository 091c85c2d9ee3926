/* SPDX-License-Identifier: MIT */
#include "shim/restart.h"

#include <errno.h>

#include "core/kernel/sock.h"
#include "core/kernel/sockdiag.h"
#include "core/pool/marks.h"
#include "shim/pools.h"

atomic_bool restart_matters;

bool
restart_helps(const struct call *call)
{
	enum protocol protocol;

	return sock_protocol(&sys_kernel, call->fd, &protocol) == 0 &&
	       protocol == PROTOCOL_TCP &&
	       !sock_shares_ports(&sys_kernel, call->fd);
}

static void
see_listener(void *context, const struct inet_diag_msg *socket)
{
	(void)socket;
	*(bool *)context = true;
}

/* Nearly always a server is there, and the long list need not be read. */
bool
restart_passes(const struct call *call)
{
	const struct range port = {call->port, 1};
	struct sockdiag_count count;
	bool listens = false;

	return sockdiag_listeners(&sys_kernel, port, see_listener, &listens) ==
		       0 &&
	       !listens &&
	       sockdiag_count(&sys_kernel, PROTOCOL_TCP, call->port, &count) ==
		       0 &&
	       count.time_wait > 0 && count.other == 0;
}

long
restart_reusing(struct call *call, long (*attempt)(struct call *call))
{
	long r;

	sock_set_reuse(&sys_kernel, call->fd, true);
	r = attempt(call);
	sock_set_reuse(&sys_kernel, call->fd, false);
	return r;
}

/* Only sockets that have a part in a block are bound in it. Most have a port of
 * no block, which is asked first. */
static bool
is_in_block(const struct call *call)
{
	const struct pool *pool = pools_opened();
	uint16_t port;

	return pool &&
	       sock_port(&sys_kernel, call->fd, &port, NULL, NULL) == 0 &&
	       atomic_load(mark_of(pool->file, PROTOCOL_TCP, port)) &&
	       restart_helps(call);
}

/* Under the lock: the option is on while the socket does not listen yet. */
static long
listen_reusing(const struct call *call, long (*listen)(const struct call *call))
{
	struct pool_lock lock;
	struct pool *pool;
	long r;

	if (pools_enter_to_bind(call->fd, POOL_BRIEF, &pool, &lock) < 0)
		return -EADDRINUSE;
	sock_set_reuse(&sys_kernel, call->fd, true);
	r = listen(call);
	if (r < 0)
		sock_set_reuse(&sys_kernel, call->fd, false);
	pool_leave(pool, &lock);
	return r;
}

long
restart_listen(const struct call *call, long (*listen)(const struct call *call))
{
	long r = listen(call);

	if ((r < 0 && r != -EADDRINUSE) || !is_in_block(call))
		return r;
	if (r < 0)
		return listen_reusing(call, listen);
	sock_set_reuse(&sys_kernel, call->fd, true);
	return r;
}

void
restart_connected(const struct call *call)
{
	if (is_in_block(call))
		sock_set_reuse(&sys_kernel, call->fd, true);
}
