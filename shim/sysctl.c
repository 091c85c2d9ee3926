/* SPDX-License-Identifier: MIT */
#include "shim/sysctl.h"

#include <time.h>

#include "core/ephemeral.h"
#include "core/sys.h"

const struct sysctl *
sysctl_get(bool want_reserved)
{
	static struct sysctl sysctl;
	static time_t ephemeral_read, reserved_read;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	now.tv_sec++; /* never 0, which is "not yet" */
	if (ephemeral_read != now.tv_sec) {
		sysctl.ephemeral = ephemeral_range(&sys_kernel);
		ephemeral_read = now.tv_sec;
	}
	if (want_reserved && reserved_read != now.tv_sec) {
		ephemeral_reserved(&sys_kernel, &sysctl.reserved);
		reserved_read = now.tv_sec;
	}
	return &sysctl;
}
