/* SPDX-License-Identifier: MIT */
/*
 * The lease: how a reservation lives exactly as long as its owning socket.
 *
 * The kernel lets any open file carry file locks, sockets too. A reservation
 * puts a shared OFD lock on its owning socket, one byte at the offset that is
 * its token. Such a lock belongs to the open socket itself: it follows dup,
 * fork, vfork, exec, posix_spawn and SCM_RIGHTS, messages in flight included,
 * and goes when the last reference goes, by whatever call or signal. No
 * descriptor of ours exists, so none can be lost, closed or leaked; nobody
 * counts references.
 *
 * Asking works from outside, because the kernel shows what processes have:
 *   /proc/PID/fd/FD        names the socket. Where the acquirer still has it
 *                          at the same number, the lease lives: it is taken
 *                          off only with the slot.
 *   /proc/locks            has the locks of the machine, those in every
 *                          container included. A lease that a complete
 *                          reading does not show is dead.
 * Where neither can be read a lease counts as alive.
 */
#ifndef PORTRES_CORE_POOL_LEASE_H
#define PORTRES_CORE_POOL_LEASE_H

#include "core/kernel/sys.h"
#include "core/pool/layout.h"
#include "core/pool/lock.h"

/* Puts the lease on the socket, and what tells it into the slot. 0 or -Exxx. */
int lease_hold(const struct sys_ops *sys, int fd, struct slot *slot);

/*
 * Puts the lease of a block that no socket owns (a persistent one) on a socket
 * of somebody who uses the block: it tells who that is, and holds nothing.
 */
int lease_share(const struct sys_ops *sys, int fd, uint64_t token);

/* Takes it off again; harmless where there is none. */
void lease_drop(const struct sys_ops *sys, int fd, uint64_t token);

/*
 * Does the acquirer have the owning socket where it had it? True settles that
 * the slot lives. One call, and no descriptor.
 */
bool lease_is_where_it_was(const struct sys_ops *sys, const struct slot *slot);

/*
 * Reads the kernel's list of locks once, for all: each live runtime slot whose
 * lease it does not show is marked ended (slot_mark_dead), and has been seen to
 * be dead. Judges the slots that were live when the reading began, and no
 * others. To be called without the pool's lock: a reading of a long list takes
 * long. Returns how many it ended, or -Exxx when the list could not be read
 * completely or is not to be trusted: then nobody is declared dead.
 */
int lease_judge(const struct sys_ops *sys, const struct fork_block *forks,
		struct pool_file *file);

/*
 * A descriptor of the slot's owning socket in this process, or -ENOENT, or
 * -EMFILE or -ENFILE when no descriptor is left to look with. To hold the
 * socket is to own the reservation.
 */
int lease_holder(const struct sys_ops *sys, const struct slot *slot);

/* A socket of this process that carries a lease. */
struct lease_carrier {
	int fd;
	uint64_t cookie;
	uint64_t token;
};

/*
 * Tells `found` of each descriptor and each lease on it, without asking any
 * pool. Returns 0, or -Exxx as sock_each().
 */
typedef void lease_found(void *context, const struct lease_carrier *carrier);
int lease_inventory(const struct sys_ops *sys, lease_found *found,
		    void *context);

#endif
