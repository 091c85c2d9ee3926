/* SPDX-License-Identifier: MIT */
#include "shim/unbound.h"

#include "core/endpoint.h"
#include "core/implicit.h"
#include "shim/associated.h"
#include "shim/config.h"
#include "shim/pools.h"
#include "shim/shim.h"
#include "shim/track.h"

_Atomic uint64_t unbound_numbers[UNBOUND_NUMBERS / 64];

void
unbound_renew_all(void)
{
	for (int i = 0; i < UNBOUND_NUMBERS / 64; i++)
		if (atomic_load_explicit(&unbound_numbers[i],
					 memory_order_relaxed))
			atomic_store(&unbound_numbers[i], 0);
}

bool
unbound_is(int fd, struct unbound *ret)
{
	uint16_t port;

	ret->fd = fd;
	return endpoint_port(&sys_kernel, fd, &port, &ret->any, &ret->size) ==
		       0 &&
	       port == 0;
}

int
unbound_associated(struct unbound *unbound)
{
	int answer;

	if (track_any_associated() &&
	    associated_bind(unbound->fd, (struct sockaddr *)&unbound->any,
			    unbound->size, &answer))
		return answer;
	return 0;
}

bool
unbound_forbidden(int fd)
{
	struct pool *pool = pools_for_bind(fd);
	enum protocol protocol;

	return config_get()->strict && !(pool && pool_whole(pool)) &&
	       endpoint_takes_ports(&sys_kernel, fd, &protocol);
}

int
unbound_choose(int fd, struct sockaddr *address, socklen_t size,
	       bool *ret_bound)
{
	struct pool *pool = pools_for_bind(fd);
	enum protocol protocol;
	struct pool_lock lock;
	int r;

	*ret_bound = false;
	if (unbound_forbidden(fd))
		return ret_errno(-ENETDOWN);
	if (!pool || !implicit_matters(pool) ||
	    !endpoint_takes_ports(&sys_kernel, fd, &protocol))
		return 0;
	r = pools_enter(fd, &pool, &lock);
	if (r < 0)
		return config_get()->strict ? ret_errno(-ENETDOWN) : 0;
	r = implicit_bind(pool, protocol, fd, address, size);
	pool_leave(pool, &lock);
	*ret_bound = r == 0;
	return ret_errno(r);
}

int
unbound_bind(int fd)
{
	struct unbound unbound;
	bool bound;

	if (!unbound_is(fd, &unbound))
		return 0;
	if (unbound_associated(&unbound) < 0)
		return -1;
	/* Still unbound? Then it was not associated. */
	if (!unbound_is(fd, &unbound))
		return 0;
	return unbound_choose(fd, (struct sockaddr *)&unbound.any, unbound.size,
			      &bound);
}
