/* SPDX-License-Identifier: MIT */
/* A port that is picked here, because the kernel cannot be shown a window. */
#include <errno.h>

#include "core/endpoint.h"
#include "core/implicit_inside.h"
#include "core/inuse.h"

int
implicit_pick(struct pool *pool, enum protocol protocol, struct range window,
	      const struct port_set *kept, int fd, struct sockaddr *address,
	      socklen_t size)
{
	uint32_t begin =
		(uint32_t)(sys_clock(pool->sys, CLOCK_MONOTONIC) / 1000);
	bool look = endpoint_shares_ports(pool->sys, fd);
	bool dual_stack = false;

	for (uint32_t i = 0; i < window.count; i++) {
		uint32_t port = window.start + (begin + i) % window.count;
		int r = port_set_has(kept, port);

		if (r == 0 && look)
			r = inuse_conflicts(pool->sys, protocol, port,
					    &dual_stack);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		endpoint_set_port(address, (uint16_t)port);
		r = sys_bind(pool->sys, fd, address, size);
		if (r != -EADDRINUSE)
			return r;
	}
	return -EADDRINUSE;
}
