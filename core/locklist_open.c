/* SPDX-License-Identifier: MIT */
#include "core/locklist_open.h"

#include <linux/magic.h>

#define GATE_LIMIT_NS 100000000u

static void
hold(const struct sys_ops *sys, const struct fork_guard *guard,
     struct gate_hold *ret)
{
	if (guard)
		lock_gate_hold(sys, guard->gate, GATE_LIMIT_NS, ret);
}

static void
let_go(const struct sys_ops *sys, const struct fork_guard *guard,
       const struct gate_hold *held)
{
	if (guard)
		lock_gate_let_go(sys, guard->gate, held);
}

static void
close_some(const struct sys_ops *sys, const struct fork_guard *guard,
	   const struct open_list *list, int n)
{
	while (n-- > 0) {
		if (guard && guard->take_back)
			guard->take_back(list->fd[n]);
		sys_close(sys, list->fd[n]);
	}
}

static int
open_all(const struct sys_ops *sys, const struct fork_guard *guard,
	 struct open_list *ret)
{
	for (int n = 0; n < LOCKLIST_FDS; n++) {
		int fd = sys_open(sys, "/proc/locks", O_RDONLY | O_CLOEXEC, 0);

		if (fd < 0) {
			close_some(sys, guard, ret, n);
			return fd;
		}
		ret->fd[n] = fd;
		if (guard && guard->lend)
			guard->lend(fd);
	}
	return 0;
}

/*
 * Odd, because tokens are even. Two threads of two processes can have the same
 * number, but not in the same nanosecond.
 */
static uint64_t
own_start(const struct sys_ops *sys)
{
	uint64_t mixed = sys_clock(sys, CLOCK_MONOTONIC) * 0x9e3779b97f4a7c15u;

	mixed ^= mixed >> 32 ^ sys_gettid(sys) * 0xd6e8feb86659fd93u;
	return mixed >> 2 | 1;
}

static int
put_known_lock(const struct sys_ops *sys, struct open_list *list)
{
	struct flock lock = {
		.l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_len = 1,
	};
	struct statfs system;
	struct stat st;
	int r = sys_fstatfs(sys, list->fd[0], &system);

	if (r < 0)
		return r;
	if (system.f_type != PROC_SUPER_MAGIC)
		return -ENOENT;
	r = sys_fstat(sys, list->fd[0], &st);
	if (r < 0)
		return r;
	list->device = st.st_dev;
	list->inode = (uint32_t)st.st_ino;
	list->start = own_start(sys);
	lock.l_start = (off_t)list->start;
	return sys_fcntl(sys, list->fd[0], F_OFD_SETLK, &lock);
}

int
open_list(const struct sys_ops *sys, const struct fork_guard *guard,
	  struct open_list *ret)
{
	struct gate_hold held;
	int r;

	hold(sys, guard, &held);
	r = open_all(sys, guard, ret);
	let_go(sys, guard, &held);
	if (r < 0)
		return r;
	r = put_known_lock(sys, ret);
	if (r < 0)
		open_list_end(sys, guard, ret);
	return r;
}

void
open_list_end(const struct sys_ops *sys, const struct fork_guard *guard,
	      const struct open_list *list)
{
	struct gate_hold held;

	hold(sys, guard, &held);
	close_some(sys, guard, list, LOCKLIST_FDS);
	let_go(sys, guard, &held);
}
