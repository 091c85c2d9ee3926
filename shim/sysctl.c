/* SPDX-License-Identifier: MIT */
#include "shim/sysctl.h"

#include "core/ephemeral.h"
#include "core/sys.h"

struct sysctl *
sysctl_get(uint64_t now, bool want_reserved)
{
	static struct sysctl sysctl;
	static uint64_t ephemeral_read, reserved_read;
	/* never 0, which is "not yet" */
	uint64_t second = now / 1000000000u + 1;

	if (ephemeral_read != second) {
		sysctl.ephemeral = ephemeral_range(&sys_kernel);
		sysctl.dual_stack = false;
		ephemeral_read = second;
	}
	if (want_reserved && reserved_read != second) {
		ephemeral_reserved(&sys_kernel, &sysctl.reserved);
		reserved_read = second;
	}
	return &sysctl;
}
