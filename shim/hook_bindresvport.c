/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/kernel/sock.h"
#include "shim/pools.h"
#include "shim/shim.h"
#include "shim/usermem.h"

/* Where bindresvport looks, as its manual page has it. */
#define FIRST 512
#define LAST 1023

/* Is any of its ports reserved? */
static bool
matters(int fd)
{
	struct pool *pool = pools_for_bind(fd);

	if (!pool || !pool_whole(pool))
		return false;
	for (uint32_t port = FIRST; port <= LAST; port++)
		if (atomic_load(mark_of(pool->file, PROTOCOL_TCP, port)) ||
		    atomic_load(mark_of(pool->file, PROTOCOL_UDP, port)))
			return true;
	return false;
}

/*
 * libc's own binds inside libc, past our bind(). While nothing is reserved
 * down there it may; otherwise the same search is made by way of ours.
 */
int
shim_bindresvport(int fd, struct sockaddr_in *address)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	uint32_t begin = (uint32_t)sys_getpid(&sys_kernel);
	uint32_t count = LAST - FIRST + 1;
	int saved = errno;

	if (!matters(fd) ||
	    (address && (!usermem_readable(address, sizeof(*address)) ||
			 address->sin_family != AF_INET)))
		return real_bindresvport(fd, address);
	if (address)
		memcpy(&any, address, sizeof(any));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t port = FIRST + (begin + i) % count;

		any.sin_port = htons((uint16_t)port);
		if (shim_bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0) {
			errno = saved;
			return address ? ret_errno(usermem_write(
						 &address->sin_port,
						 &any.sin_port,
						 sizeof(any.sin_port)))
				       : 0;
		}
		if (errno != EADDRINUSE)
			return -1;
	}
	return -1;
}

EXPORTED int
bindresvport(int fd, struct sockaddr_in *address)
{
	return shim_bindresvport(fd, address);
}
