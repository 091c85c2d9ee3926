/* SPDX-License-Identifier: MIT */
#include "shim/pick.h"

#include "core/kernel/port_probe.h"
#include "core/kernel/sock.h"
#include "shim/refusal.h"
#include "shim/shim.h"

long
pick_bind(struct call *call)
{
	return real_bind(call->fd, (const struct sockaddr *)&call->local,
			 call->local_size) < 0
		       ? kernels_refusal()
		       : 0;
}

long
pick_port(const struct pick *pick, struct call *call)
{
	struct port_probe probe = {0};

	for (uint32_t i = 0; i < pick->range.count; i++) {
		uint32_t port = pick->range.start +
				(pick->begin + i) % pick->range.count;
		long r = pick->skip && port_set_has(pick->skip, port);

		if (r == 0 && pick->look)
			r = port_probe_conflicts(&sys_kernel, &probe,
						 pick->protocol, port);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		sock_set_port((struct sockaddr *)&call->local, (uint16_t)port);
		r = pick->bind(call);
		if (r != -EADDRINUSE)
			return r;
	}
	return -EADDRINUSE;
}
