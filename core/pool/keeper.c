/* SPDX-License-Identifier: MIT */
#include "core/pool/keeper.h"

#include <errno.h>

void
keeper_begin(struct keeper *keeper, const struct sys_ops *sys)
{
	*keeper = (struct keeper){.sys = sys, .fd = {-1, -1}};
}

void
keeper_end(struct keeper *keeper)
{
	for (int i = 0; i < PROTOCOL_COUNT; i++)
		if (keeper->fd[i] >= 0)
			sys_close(keeper->sys, keeper->fd[i]);
}

/* The guard is asked by a socket of the block's protocol. That, or -Exxx. */
static int
socket_for(struct keeper *keeper, enum protocol protocol)
{
	int type = protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;

	if (keeper->idle)
		return -ENOPROTOOPT;
	if (keeper->fd[protocol] < 0 && keeper->error == 0) {
		int fd = sys_socket(keeper->sys, AF_INET, type | SOCK_CLOEXEC,
				    0);

		keeper->fd[protocol] = fd < 0 ? -1 : fd;
		keeper->error = fd < 0 ? fd : 0;
	}
	return keeper->error ? keeper->error : keeper->fd[protocol];
}

/* The block as the guard knows it. */
static struct guarded
guarded_of(struct block block)
{
	return (struct guarded){
		.token = GUARDED_KEPT,
		.kept = true,
		.protocol = block.protocol,
		.range = block.range,
	};
}

int
keeper_keep(struct keeper *keeper, struct block block, uid_t uid, gid_t gid)
{
	struct guarded guarded = guarded_of(block);
	int fd = socket_for(keeper, block.protocol);
	int r;

	if (fd < 0)
		return fd;
	r = guard_keep(keeper->sys, fd, &guarded, uid, gid);
	keeper->idle = r == -ENOPROTOOPT;
	return r;
}

bool
keeper_drop(struct keeper *keeper, struct block block)
{
	struct guarded guarded = guarded_of(block);
	int fd = socket_for(keeper, block.protocol);
	int r;

	if (fd < 0)
		return keeper->idle;
	r = guard_drop(keeper->sys, fd, &guarded);
	keeper->idle = r == -ENOPROTOOPT;
	return r != -EACCES;
}
