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
 * Asking works from outside, because the kernel publishes all locks:
 *   /proc/PID/fdinfo/FD    of one descriptor: one small read. Where the
 *                          acquirer still has the socket, that settles it.
 *   /proc/locks            of the machine, every container included. A token
 *                          that a complete reading does not show is dead.
 * Where neither can be read a lease counts as alive.
 */
#ifndef PORTRES_CORE_LEASE_H
#define PORTRES_CORE_LEASE_H

#include "core/layout.h"
#include "core/sys.h"

/* Puts the lease on the socket, whose inode it returns. 0 or -Exxx. */
int lease_hold(const struct sys_ops *sys, int fd, uint64_t token,
	       uint32_t *ret_inode);

/* Takes it off again; harmless where there is none. */
void lease_drop(const struct sys_ops *sys, int fd, uint64_t token);

/*
 * Does the slot's owning socket live, in whichever process? 1 or 0, or -EMFILE
 * or -ENFILE when no descriptor is left to find out with.
 */
int lease_alive(const struct sys_ops *sys, const struct slot *slot);

/*
 * Asks for all slots at once: sets the bit of each slot whose token is alive.
 * Returns 0, or -Exxx when the list could not be read completely; then the
 * bits tell nothing.
 */
#define LEASE_BITS (SLOT_COUNT / 64)
int lease_survey(const struct sys_ops *sys, struct pool_file *file,
		 uint64_t ret_alive[LEASE_BITS]);

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
 * pool. Returns 0, or -Exxx as endpoint_each().
 */
typedef void lease_found(void *context, const struct lease_carrier *carrier);
int lease_inventory(const struct sys_ops *sys, lease_found *found,
		    void *context);

#endif
