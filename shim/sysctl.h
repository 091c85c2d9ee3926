/* SPDX-License-Identifier: MIT */
/*
 * The kernel's settings of ports, not older than a second. Called inside the
 * pool, which lets one thread of the process in at a time.
 */
#ifndef PORTRES_SHIM_SYSCTL_H
#define PORTRES_SHIM_SYSCTL_H

#include "core/range.h"

struct sysctl {
	struct range ephemeral;
	struct range_list reserved; /* read for wildcards only */
};

const struct sysctl *sysctl_get(bool want_reserved);

#endif
