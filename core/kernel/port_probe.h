/* SPDX-License-Identifier: MIT */
/* Is a port in use, by any process, with or without the shim? */
#ifndef PORTRES_CORE_KERNEL_PORT_PROBE_H
#define PORTRES_CORE_KERNEL_PORT_PROBE_H

#include "core/kernel/guard.h"
#include "core/kernel/range.h"
#include "core/kernel/sys.h"

/*
 * Probes the ports of `range` in rising order. Returns 0 when none is in use; 1
 * and the first one that is in ret_port; or -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM
 * when it cannot probe.
 *
 * A port is in use when any socket is bound to it, on any address of IPv4 or
 * IPv6, listening or not, whatever its reuse options. A port that has only
 * connections in TIME_WAIT is not.
 *
 * `dual_stack`, false at first, remembers from call to call that IPv6 sockets
 * are made for both families here (net.ipv6.bindv6only is 0).
 */
int port_probe_first(const struct sys_ops *sys, enum protocol protocol,
		     struct range range, bool *dual_stack, uint32_t *ret_port);

/*
 * Would a socket without reuse options be refused the port? 1, also for
 * connections in TIME_WAIT, or 0, at the cost of one trial bind; or -Exxx as
 * port_probe_first(). For a port of a block that the machine's guard has:
 * `owner` and `block` as guard_associate() takes them, otherwise NULL.
 */
int port_probe_conflicts(const struct sys_ops *sys, enum protocol protocol,
			 uint32_t port, bool *dual_stack, int owner,
			 const struct guarded *block);

#endif
