/* SPDX-License-Identifier: MIT */
/*
 * The directory of a user's own pool: /dev/shm/portres-UID, mostly.
 *
 * Anybody may make a directory of that name first. Then the user's programs
 * take the next name, portres-UID.1 and so on, and all of them the same one: a
 * directory of his that is there wins over making one, the shortest name over
 * others, and a process that has made one looks again.
 *
 * In a user namespace the uid is another one than outside, and /dev/shm may be
 * the outside's: then its owner is mapped to nobody. There the directory is
 * found by its owner, who is the user inside and outside, so that both share
 * it; none is made, because the uid outside is not known here.
 */
#ifndef PORTRES_CORE_POOL_USER_POOL_H
#define PORTRES_CORE_POOL_USER_POOL_H

#include "core/pool/pool.h"

#define USER_POOL_PLACE "/dev/shm"
#define USER_POOL_PREFIX "portres-"

/*
 * Opens the pool of the effective user, as pool_open(). `place` is where the
 * directory is or is made: USER_POOL_PLACE. -ENETDOWN also when there is no
 * directory that could be his.
 */
int user_pool_open(const struct sys_ops *sys, const char *place,
		   const struct pool_filling *filling, uint64_t netns,
		   const struct fork_block *forks, struct pool *ret_pool);

/*
 * The path of that directory; with `make` it is made where there is none.
 * Returns 0 or -ENETDOWN.
 */
int user_pool_find(const struct sys_ops *sys, const char *place, bool make,
		   char *to, size_t size);

#endif
