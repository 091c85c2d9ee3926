/* SPDX-License-Identifier: MIT */
#include "shim/request.h"
#include "shim/shim.h"
#include "shim/sockets.h"
#include "shim/unbound.h"

int
shim_socket(int domain, int type, int protocol)
{
	int fd = real_socket(domain, type, protocol);

	if (sockets_any() && fd >= 0)
		request_tidy(fd);
	unbound_renew(fd);
	return fd;
}

EXPORTED int
socket(int domain, int type, int protocol)
{
	return shim_socket(domain, type, protocol);
}
