/* SPDX-License-Identifier: MIT */
#include "bench/locks.h"

#include <fcntl.h>
#include <stdio.h>

#include "bench/bench.h"
#include "core/kernel/proc_locks.h"

enum { A_FILE = 100 };

void
lock_files(const char *directory, int count)
{
	static int held, fd = -1;
	char path[1024];

	for (; held < count; held++) {
		struct flock lock = {
			.l_type = F_RDLCK, .l_start = held * 2, .l_len = 1};

		if (held % A_FILE == 0) {
			snprintf(path, sizeof(path), "%s/file-%d", directory,
				 held);
			fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
		}
		if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
			die("lock");
	}
}

static void
ignore(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	(void)context;
	(void)device;
	(void)inode;
	(void)start;
}

void
read_locks(void)
{
	if (proc_locks_read(&sys_kernel, NULL, ignore, NULL) < 0)
		die("/proc/locks");
}
