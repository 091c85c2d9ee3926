/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Marks: for each port of a namespace and protocol the block that has it. */
#ifndef PORTRES_GUARD_MARKS_H
#define PORTRES_GUARD_MARKS_H

#include "guard/maps.h"

static __always_inline uint32_t *
mark_at(uint32_t space, uint32_t udp, uint32_t port)
{
	uint32_t key =
		(space * 2 + udp) * GUARD_SEGMENTS + port / GUARD_SEGMENT_PORTS;
	struct guard_segment *segment = bpf_map_lookup_elem(&marks, &key);

	return segment ? &segment->mark[port % GUARD_SEGMENT_PORTS] : 0;
}

/* Makes marks of others: 0 of a block's, or the other way round. */
struct walk {
	uint32_t space, udp, start;
	uint32_t from, to;
	uint32_t failed;
};

static long
mark_one(uint32_t i, struct walk *walk)
{
	uint32_t *at =
		mark_at(walk->space, walk->udp, (walk->start + i) & 0xffff);

	if (at &&
	    __sync_val_compare_and_swap(at, walk->from, walk->to) == walk->from)
		return 0;
	walk->failed = 1;
	return walk->from == 0;
}

#endif
