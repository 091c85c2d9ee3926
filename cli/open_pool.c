/* SPDX-License-Identifier: MIT */
#include "cli/open_pool.h"

#include "core/kernel/sock.h"
#include "shim/config.h"

int
open_pool(struct pool *ret_pool)
{
	const struct sys_ops *sys = &sys_kernel;
	int fd = sys_socket(sys, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t netns;
	int r;

	if (fd < 0)
		return fd;
	r = sock_netns(sys, fd, &netns);
	sys_close(sys, fd);
	if (r < 0)
		return r;
	return config_open_pool(netns, &fork_block_alone, ret_pool);
}
