/* SPDX-License-Identifier: MIT */
#include "cli/guard_here.h"

#include "core/kernel/guard.h"

int
guard_here(uint64_t *ret_number)
{
	int fd = sys_socket(&sys_kernel, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	*ret_number = guard_number(&sys_kernel, fd);
	if (*ret_number)
		return fd;
	sys_close(&sys_kernel, fd);
	return -1;
}
