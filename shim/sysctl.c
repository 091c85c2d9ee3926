/* SPDX-License-Identifier: MIT */
#include "shim/sysctl.h"

#include "core/ephemeral.h"
#include "core/sys.h"

const struct sysctl *
sysctl_get(uint64_t now, uint64_t pool, bool want_reserved)
{
	static struct sysctl sysctl;
	static uint64_t read_in, read_for;
	static bool reserved_read;
	/* never 0, which is "not yet" */
	uint64_t second = now / 1000000000u + 1;

	if (read_in != second || read_for != pool) {
		sysctl.ephemeral = ephemeral_range(&sys_kernel);
		reserved_read = false;
		read_in = second;
		read_for = pool;
	}
	if (want_reserved && !reserved_read) {
		ephemeral_reserved(&sys_kernel, &sysctl.reserved);
		reserved_read = true;
	}
	return &sysctl;
}
