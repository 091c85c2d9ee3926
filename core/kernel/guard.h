/* SPDX-License-Identifier: MIT */
/*
 * The machine's guard, where there is one (portres-guard(8)): the kernel
 * refuses reserved ports to programs that are not under the library as well. It
 * is asked by the socket options of portres.h. Where there is none each
 * question costs one system call, and an acquire asks one.
 */
#ifndef PORTRES_CORE_KERNEL_GUARD_H
#define PORTRES_CORE_KERNEL_GUARD_H

#include "core/kernel/range.h"
#include "core/kernel/sys.h"

/* A block by the names that the guard knows it by. */
struct guarded {
	uint64_t token;
	uint64_t number; /* of the guard that has it, 0: none has */
	enum protocol protocol;
	struct range range;
};

/*
 * Marks the ports for the socket, and lets this process bind them until
 * guard_commit(). With `heirs` processes that have it at the same number bind
 * them for as long as it lives. 1; 0: there is no guard, or it has no room for
 * this; -EADDRINUSE: somebody else has a part of it.
 */
int guard_acquire(const struct sys_ops *sys, int fd,
		  const struct guarded *block, bool heirs);

/* From now on only associated sockets and heirs bind. The guard's number, or 0
 * where it has gone meanwhile. */
uint64_t guard_commit(const struct sys_ops *sys, int fd,
		      const struct guarded *block);

void guard_release(const struct sys_ops *sys, int fd,
		   const struct guarded *block);

/* Lets the socket bind in the block, whose owning socket is `owner`, or -1 for
 * a persistent one, by the right to the store. */
void guard_associate(const struct sys_ops *sys, int fd, int owner,
		     const struct guarded *block);

/* Does the block live? 1, 0, or -Exxx: the guard cannot tell, because it is not
 * the one that had it, or is another namespace's. Asked by a socket `fd`. */
int guard_lives(const struct sys_ops *sys, int fd, const struct guarded *block);

/* The number of the guard in this namespace; where there is none, any. */
uint64_t guard_number(const struct sys_ops *sys, int fd);

#endif
