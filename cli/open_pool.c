/* SPDX-License-Identifier: MIT */
#include "cli/open_pool.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/kernel/sock.h"
#include "shim/config.h"

static int
our_netns(uint64_t *ret)
{
	const struct sys_ops *sys = &sys_kernel;
	int fd = sys_socket(sys, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sock_netns(sys, fd, ret);
	sys_close(sys, fd);
	return r;
}

int
open_pool(struct pool *ret_pool)
{
	uint64_t netns;
	int r = our_netns(&netns);

	return r < 0 ? r : config_open_pool(netns, &fork_block_alone, ret_pool);
}

int
open_pool_path(const char *directory, char to[POOL_PATH_MAX])
{
	uint64_t netns;
	int r = our_netns(&netns);

	if (r == 0)
		snprintf(to, POOL_PATH_MAX, "%s/pool-%" PRIu64, directory,
			 netns);
	return r;
}
