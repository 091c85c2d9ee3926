/* SPDX-License-Identifier: MIT */
/*
 * The lease: how a reservation lives exactly as long as its owning socket.
 *
 * The kernel lets any open file carry file locks, sockets too. A reservation
 * puts a shared OFD lock on its owning socket, one byte at the offset that is
 * its token. Such a lock belongs to the open file, here the socket: it follows
 * dup, fork, vfork, exec, posix_spawn and SCM_RIGHTS, messages in flight
 * included, and ends with the last reference, by whatever call or signal. No
 * descriptor of ours exists, so none can be lost, closed or leaked, and nobody
 * counts references.
 *
 * Any process can ask whether a lease is held:
 *   /proc/PID/fd/FD        names the socket. While the acquirer has it at the
 *                          same number the lease is held: it is dropped only
 *                          with the slot.
 *   /proc/locks            lists the locks of the machine, those of every
 *                          container included. A lease that a complete
 *                          reading does not show is gone.
 * A lease counts as held while neither can be read.
 */
#ifndef PORTRES_CORE_POOL_LEASE_H
#define PORTRES_CORE_POOL_LEASE_H

#include "core/kernel/sys.h"
#include "core/pool/layout.h"
#include "core/pool/lock.h"

/* Takes the lease on the socket; notes its inode in the slot. 0 or -Exxx. */
int lease_hold(const struct sys_ops *sys, int fd, struct slot *slot);

/*
 * Takes the lease of a block that no socket owns (a persistent one) on a socket
 * of a process that uses the block: it names the process, and owns nothing.
 */
int lease_share(const struct sys_ops *sys, int fd, uint64_t token);

/* Drops it; harmless where there is none. */
void lease_drop(const struct sys_ops *sys, int fd, uint64_t token);

/* Does the acquirer have the owning socket at the same number as then? If so
 * the slot lives. One system call, and no descriptor. */
bool lease_is_where_it_was(const struct sys_ops *sys, const struct slot *slot);

/* Is that lease on this descriptor's socket? */
bool lease_is_on(const struct sys_ops *sys, int fd, uint64_t token);

/*
 * Reads the kernel's list of locks once, for all slots: marks each live runtime
 * slot dead (slot_mark_dead) whose lease it does not show. Checks the slots
 * that were live when the reading began, and no others. To be called without
 * the pool's lock: a reading of a long list takes long. Returns the number of
 * slots marked, or -Exxx when the list could not be read completely or is not
 * to be trusted: then all slots count as alive.
 */
int lease_judge(const struct sys_ops *sys, const struct fork_block *forks,
		struct pool_file *file);

/*
 * A descriptor of the slot's owning socket in this process, or -ENOENT, or
 * -EMFILE or -ENFILE when no descriptor is left to look with. A process that
 * has the socket owns the reservation.
 */
int lease_holder(const struct sys_ops *sys, const struct slot *slot);

/* A descriptor of this process, and a lease on its socket. */
struct lease_carrier {
	int fd;
	uint64_t cookie;
	uint64_t token;
};

/* Calls `found` for each lease on each descriptor, without asking any pool.
 * Returns 0, or -Exxx as sock_each(). */
typedef void lease_found(void *context, const struct lease_carrier *carrier);
int lease_inventory(const struct sys_ops *sys, lease_found *found,
		    void *context);

#endif
