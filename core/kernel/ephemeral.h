/* SPDX-License-Identifier: MIT */
/* The ephemeral range: the ports that the kernel itself picks from, in this
 * thread's network namespace. */
#ifndef PORTRES_CORE_KERNEL_EPHEMERAL_H
#define PORTRES_CORE_KERNEL_EPHEMERAL_H

#include "core/kernel/range.h"
#include "core/kernel/sys.h"

#define EPHEMERAL_USUAL ((struct range){32768, 60999 - 32768 + 1})

/* net.ipv4.ip_local_port_range. Returns 0, or -Exxx. */
int ephemeral_read(const struct sys_ops *sys, struct range *ret);

/* The range, or the usual one when it cannot be read. */
struct range ephemeral_range(const struct sys_ops *sys);

/* net.ipv4.ip_local_reserved_ports, which an administrator wants left alone.
 * Empty when it cannot be read. */
void ephemeral_reserved(const struct sys_ops *sys, struct port_set *ret);

/*
 * Both settings, for this pool (each network namespace has its own), read once
 * a second; `now` counts nanoseconds. Called with the pool's lock held: the
 * fork block lets one thread of the process in at a time.
 */

struct sysctl {
	struct range ephemeral;
	struct port_set reserved; /* read for wildcards only */
};

const struct sysctl *sysctl_get(const struct sys_ops *sys, uint64_t now,
				uint64_t pool, bool want_reserved);

#endif
