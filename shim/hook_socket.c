/* SPDX-License-Identifier: MIT */
#include "shim/settled.h"
#include "shim/shim.h"

_Atomic uint64_t settled_numbers[SETTLED_NUMBERS / 64];

void
unsettle_all(void)
{
	for (int i = 0; i < SETTLED_NUMBERS / 64; i++)
		if (atomic_load_explicit(&settled_numbers[i],
					 memory_order_relaxed))
			atomic_store(&settled_numbers[i], 0);
}

EXPORTED int
socket(int domain, int type, int protocol)
{
	int fd = real_socket(domain, type, protocol);

	unsettle(fd);
	return fd;
}
