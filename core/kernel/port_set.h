/* SPDX-License-Identifier: MIT */
/* A set of ports, one bit each: 8 KiB, too large for a signal stack. */
#ifndef PORTRES_CORE_KERNEL_PORT_SET_H
#define PORTRES_CORE_KERNEL_PORT_SET_H

#include "core/kernel/range.h"

struct port_set {
	uint64_t word[PORT_COUNT / 64];
};

static inline bool
port_set_has(const struct port_set *set, uint32_t port)
{
	return set->word[port / 64 % (PORT_COUNT / 64)] >> port % 64 & 1;
}

static inline void
port_set_add(struct port_set *set, struct range range)
{
	for (uint32_t port = range.start; port < range_end(range); port++)
		set->word[port / 64] |= (uint64_t)1 << port % 64;
}

/* Is any port of the range in it? Looks at 64 at once. */
static inline bool
port_set_meets(const struct port_set *set, struct range range)
{
	uint32_t last = range_end(range) - 1;
	uint64_t mask = ~(uint64_t)0 << range.start % 64;

	for (uint32_t w = range.start / 64; w <= last / 64; w++) {
		if (w == last / 64)
			mask &= ~(uint64_t)0 >> (63 - last % 64);
		if (set->word[w] & mask)
			return true;
		mask = ~(uint64_t)0;
	}
	return false;
}

#endif
