/* SPDX-License-Identifier: MIT */
/*
 * The machine's guard, where there is one (portres-guard(8)): the kernel
 * refuses reserved ports to programs that are not under the library as well. It
 * is asked by the socket options of portres.h. If there is none each question
 * costs one system call, and an acquire asks one; where there is, two, and the
 * first one three more.
 */
#ifndef PORTRES_CORE_KERNEL_GUARD_H
#define PORTRES_CORE_KERNEL_GUARD_H

#include "core/kernel/range.h"
#include "core/kernel/sys.h"

/* A block by the names that the guard knows it by. */
struct guarded {
	uint64_t token;
	uint64_t number; /* of the guard that has it, GUARDED_SOMEHOW, or 0:
			    none has */
	/* Persistent: a guard that there is may have it. Its token in the pool
	 * changes when the pool is made anew, so here all have one. */
	bool kept;
	enum protocol protocol;
	struct range range;
};

#define GUARDED_KEPT 1 /* that token */
/* That number: a guard has it, but none can be asked whether it lives. There
 * are two, of a cgroup and of one below, or another came meanwhile. */
#define GUARDED_SOMEHOW ((uint64_t)1 << 63)

/* Is the guard to be asked about it? */
static inline bool
guarded_by_some(const struct guarded *block)
{
	return block->number != 0 || block->kept;
}

/*
 * Marks the ports for the socket, and lets this process bind them until
 * guard_commit(). With `heirs` processes that have it at the same number bind
 * them for as long as it lives. 1; 0: the guard has no room for this;
 * -ENOPROTOOPT: there is none; -EADDRINUSE: somebody else has a part of it.
 */
int guard_acquire(const struct sys_ops *sys, int fd,
		  const struct guarded *block, bool heirs);

/*
 * From now on only associated sockets and heirs bind. The guard's number, or
 * GUARDED_SOMEHOW, or 0 where it has gone meanwhile. *known: the number that
 * was told last in this network namespace, or 0; becomes the present one, which
 * is asked for only where that is another.
 */
uint64_t guard_commit(const struct sys_ops *sys, int fd,
		      const struct guarded *block, uint64_t *known);

/* Has a guard the block by this socket? Ends its trial as well. 1, 0, or
 * -ENOPROTOOPT: there is none. */
int guard_has(const struct sys_ops *sys, int fd, const struct guarded *block);

void guard_release(const struct sys_ops *sys, int fd,
		   const struct guarded *block);

/* Lets the socket bind in the block, whose owning socket is `owner`, or -1 for
 * a persistent one, by the right to the store. 0, or -Exxx: no guard has it. */
int guard_associate(const struct sys_ops *sys, int fd, int owner,
		    const struct guarded *block);

/*
 * Persistent blocks: keeps one, for the owner and the group of its store, by
 * any socket of its protocol; ends one; makes the socket one whose heirs bind
 * in it. 0, or -Exxx as PORTRES_GUARD_KEEP and so on have them.
 */
int guard_keep(const struct sys_ops *sys, int fd, const struct guarded *block,
	       uid_t uid, gid_t gid);
int guard_drop(const struct sys_ops *sys, int fd, const struct guarded *block);
int guard_join(const struct sys_ops *sys, int fd, const struct guarded *block);

/* Does the block live? 1, 0, or -Exxx: the guard cannot tell, because it is not
 * the one that had it, or is another namespace's. Asked by a socket `fd`. */
int guard_lives(const struct sys_ops *sys, int fd, const struct guarded *block);

/* The number of the guard in this namespace, or 0: there is none. */
uint64_t guard_number(const struct sys_ops *sys, int fd);

#endif
