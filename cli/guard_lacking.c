/* SPDX-License-Identifier: MIT */
/* A stand-in for the guard's programs, where they could not be made. */
#include <errno.h>
#include <stddef.h>

#include "cli/guard.h"

#ifdef GUARD_LACKING
const char *const guard_lacking = GUARD_LACKING;
const uint64_t guard_build = 0;

int
guard_load(const int *maps, struct guard_loaded *ret)
{
	(void)maps;
	(void)ret;
	return -ENOSYS;
}

void
guard_unload(struct guard_loaded *loaded)
{
	(void)loaded;
}
#else
const char *const guard_lacking = NULL;
#endif
