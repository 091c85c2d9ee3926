/* SPDX-License-Identifier: MIT */
/*
 * The ports that the kernel hands out by itself, of this thread's network
 * namespace.
 */
#ifndef PORTRES_CORE_KERNEL_EPHEMERAL_H
#define PORTRES_CORE_KERNEL_EPHEMERAL_H

#include "core/kernel/range.h"
#include "core/kernel/sys.h"

#define EPHEMERAL_USUAL ((struct range){32768, 60999 - 32768 + 1})

/* net.ipv4.ip_local_port_range. Returns 0, or -Exxx. */
int ephemeral_read(const struct sys_ops *sys, struct range *ret);

/* The same, and the usual one where it cannot be read. */
struct range ephemeral_range(const struct sys_ops *sys);

/*
 * net.ipv4.ip_local_reserved_ports, which an administrator wants left alone.
 * Empty where it cannot be read.
 */
void ephemeral_reserved(const struct sys_ops *sys, struct port_set *ret);

/*
 * The kernel's settings of ports, read in this second of a clock that counts
 * nanoseconds, for this pool: each network namespace has its own. Called inside
 * the pool, which lets one thread of the process in at a time.
 */

struct sysctl {
	struct range ephemeral;
	struct port_set reserved; /* read for wildcards only */
};

const struct sysctl *sysctl_get(uint64_t now, uint64_t pool,
				bool want_reserved);

#endif
