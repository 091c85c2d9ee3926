/* SPDX-License-Identifier: MIT */
/*
 * The kernel's settings of ports, read in this second of a clock that counts
 * nanoseconds, for this pool: each network namespace has its own. Called inside
 * the pool, which lets one thread of the process in at a time.
 */
#ifndef PORTRES_SHIM_SYSCTL_H
#define PORTRES_SHIM_SYSCTL_H

#include "core/port_set.h"

struct sysctl {
	struct range ephemeral;
	struct port_set reserved; /* read for wildcards only */
};

const struct sysctl *sysctl_get(uint64_t now, uint64_t pool,
				bool want_reserved);

#endif
