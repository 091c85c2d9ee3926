/* SPDX-License-Identifier: MIT */
#include "shim/sysctl.h"

#include "core/ephemeral.h"
#include "core/sys.h"

const struct sysctl *
sysctl_get(bool want_reserved)
{
	static struct sysctl sysctl;
	static uint64_t ephemeral_read, reserved_read;
	/* never 0, which is "not yet" */
	uint64_t now = sys_seconds(&sys_kernel) + 1;

	if (ephemeral_read != now) {
		sysctl.ephemeral = ephemeral_range(&sys_kernel);
		ephemeral_read = now;
	}
	if (want_reserved && reserved_read != now) {
		ephemeral_reserved(&sys_kernel, &sysctl.reserved);
		reserved_read = now;
	}
	return &sysctl;
}
