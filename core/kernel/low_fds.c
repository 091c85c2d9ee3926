/* SPDX-License-Identifier: MIT */
#include "core/kernel/low_fds.h"

void
low_fds_take_some(const struct sys_ops *sys, int fd, struct low_fds *ret)
{
	while (fd >= 0 && fd < STDERR_FILENO && ret->count <= STDERR_FILENO) {
		fd = sys_open(sys, "/", O_PATH | O_CLOEXEC, 0);
		if (fd >= 0)
			ret->fd[ret->count++] = fd;
	}
}

void
low_fds_give_some_back(const struct sys_ops *sys, struct low_fds *low)
{
	while (low->count > 0)
		sys_close(sys, low->fd[--low->count]);
}
