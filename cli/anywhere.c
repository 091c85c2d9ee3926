/* SPDX-License-Identifier: MIT */
#include "cli/anywhere.h"

#include "core/kernel/ephemeral.h"
#include "shim/config.h"

void
anywhere_find(struct anywhere *ret)
{
	const struct config *config = config_get();

	if (config->wildcard.count)
		ret->ranges = config->wildcard;
	else
		range_list_around(ephemeral_range(&sys_kernel), &ret->ranges);
	ephemeral_reserved(&sys_kernel, &ret->forbidden);
}
