/* SPDX-License-Identifier: MIT */
/*
 * Tells the machine's guard, where there is one, of persistent blocks: by one
 * socket for all of a protocol's, made when the first is told of.
 */
#ifndef PORTRES_CORE_POOL_KEEPER_H
#define PORTRES_CORE_POOL_KEEPER_H

#include "core/kernel/guard.h"
#include "core/pool/store.h"

struct keeper {
	const struct sys_ops *sys;
	int fd[PROTOCOL_COUNT]; /* -1: none yet */
	bool idle;		/* there is no guard: it is asked no more */
	int error;		/* -Exxx: no socket was to be had */
};

/* Forks are held back from here to the end, or children would have the sockets:
 * by the pool's lock or a hold. */
void keeper_begin(struct keeper *keeper, const struct sys_ops *sys);
void keeper_end(struct keeper *keeper);

/* For the owner and the group of its store. 0, or -Exxx as guard_keep() or
 * keeper->error. */
int keeper_keep(struct keeper *keeper, struct block block, uid_t uid,
		gid_t gid);

/* Before the slot ends: whoever is killed between the two leaves a slot that
 * the next one finds, not ports that nobody knows of. False: the guard has the
 * block, and does not give it back, or cannot be asked. */
bool keeper_drop(struct keeper *keeper, struct block block);

#endif
