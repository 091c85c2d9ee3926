/* SPDX-License-Identifier: MIT */
/*
 * Is a port in use, by any process, with or without the shim?
 *
 * There are two ways to know. A trial bind asks about one port, and is never
 * wrong. The kernel's list of sockets tells about a whole range at once: it is
 * read while a socket of our own is bound there, and believed only if it shows
 * that one, because not each kernel, nor each sandbox, lists all sockets. The
 * cost of a list grows with all the sockets of the machine. So both costs are
 * measured, and the cheaper way is taken.
 */
#ifndef PORTRES_CORE_KERNEL_PORT_PROBE_H
#define PORTRES_CORE_KERNEL_PORT_PROBE_H

#include "core/kernel/guard.h"
#include "core/kernel/range.h"
#include "core/kernel/sys.h"

/*
 * The costs of the two ways, in nanoseconds of CPU time; 0 = not measured yet.
 * They may stand in memory that strangers write: each value is a sensible one.
 */
struct port_cost {
	uint32_t trial; /* one port */
	uint32_t list;
	uint64_t spent; /* on trial binds, since a list was last read */
};

/* Remembered from call to call; all zero at first. */
struct port_probe {
	/* IPv6 sockets are made for both families here (net.ipv6.bindv6only is
	 * 0). */
	bool dual_stack;
	/* The kernel's list is not complete: it is not asked for so often. */
	uint8_t unlisted[PROTOCOL_COUNT];
	/* For conflicts inside a block that the machine's guard has: as
	 * guard_associate() takes them. NULL: none. */
	const struct guarded *block;
	int owner;
};

/*
 * Probes the ports of `range`. Returns 0 when none is in use; 1 and the lowest
 * one that is in ret_port; or -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM when it
 * cannot probe.
 *
 * A port is in use when any socket is bound to it, on any address of IPv4 or
 * IPv6, listening or not, whatever its reuse options. A port that has only
 * connections in TIME_WAIT is not.
 */
int port_probe_first(const struct sys_ops *sys, struct port_probe *probe,
		     struct port_cost *cost, enum protocol protocol,
		     struct range range, uint32_t *ret_port);

/* Would a list have cost no more than the trial binds of so many ports? */
bool port_probe_list_pays(const struct port_cost *cost, enum protocol protocol,
			  uint64_t ports);

/*
 * Would a socket without reuse options be refused the port? 1, also for
 * connections in TIME_WAIT, or 0, at the cost of one trial bind; or -Exxx as
 * port_probe_first().
 */
int port_probe_conflicts(const struct sys_ops *sys, struct port_probe *probe,
			 enum protocol protocol, uint32_t port);

#endif
