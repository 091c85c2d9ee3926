/* SPDX-License-Identifier: MIT */
#include "shim/shim.h"

#include "core/endpoint.h"
#include "shim/pools.h"
#include "shim/unbound.h"
#include "shim/winsock/error.h"

int
shim_listen(int fd, int backlog)
{
	enum protocol protocol;

	/* Only TCP listens; the kernel says so to all others. */
	if (pools_concern_implicit(fd) &&
	    endpoint_takes_ports(&sys_kernel, fd, &protocol) &&
	    protocol == PROTOCOL_TCP && unbound_bind(fd, EADDRINUSE) < 0)
		return -1;
	return (int)wsa_plain(real_listen(fd, backlog));
}

EXPORTED int
listen(int fd, int backlog)
{
	return shim_listen(fd, backlog);
}
