/* SPDX-License-Identifier: MIT */
/* Why a bind is refused when there is no port left for it. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/implicit.h"

int
implicit_refusal(struct pool *pool, enum protocol protocol,
		 const struct sockaddr *address, socklen_t size)
{
	int type = protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct sockaddr_storage any_port;
	int trial = sys_socket(pool->sys, address->sa_family,
			       type | SOCK_CLOEXEC, 0);
	int r = 0;

	if (trial < 0)
		return -EADDRINUSE;
	memcpy(&any_port, address, size);
	endpoint_set_port((struct sockaddr *)&any_port, 0);
	endpoint_put_port_off(pool->sys, trial, true);
	if (endpoint_puts_port_off(pool->sys, trial))
		r = sys_bind(pool->sys, trial, &any_port, size);
	sys_close(pool->sys, trial);
	return r < 0 ? r : -EADDRINUSE;
}
