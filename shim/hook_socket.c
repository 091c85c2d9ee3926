/* SPDX-License-Identifier: MIT */
#include "shim/shim.h"

#include "shim/serve.h"
#include "shim/track.h"
#include "shim/unbound.h"

int
shim_socket(int domain, int type, int protocol)
{
	int fd = real_socket(domain, type, protocol);

	if (track_any() && fd >= 0)
		serve_tidy(fd);
	unbound_renew(fd);
	return fd;
}

EXPORTED int
socket(int domain, int type, int protocol)
{
	return shim_socket(domain, type, protocol);
}
