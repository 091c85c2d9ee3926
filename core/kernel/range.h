/* SPDX-License-Identifier: MIT */
/*
 * Port ranges: pure arithmetic, host byte order throughout.
 *
 * A range that comes from outside is checked by range_valid(). All other
 * functions expect valid ranges and cannot overflow on them.
 */
#ifndef PORTRES_CORE_KERNEL_RANGE_H
#define PORTRES_CORE_KERNEL_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_COUNT 65536u

enum protocol { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_COUNT };

struct range {
	uint32_t start; /* 0 asks for a wildcard; otherwise 1 to 65535 */
	uint32_t count; /* 1 to 65535 */
};

#define RANGE_LIST_MAX 64

/* Ranges in order of preference. */
struct range_list {
	size_t count;
	struct range range[RANGE_LIST_MAX];
};

/* One past the last port: up to PORT_COUNT. */
static inline uint32_t
range_end(struct range r)
{
	return r.start + r.count;
}

/* May the range be asked for? Start 0 may, as a wildcard. */
static inline bool
range_valid(struct range r)
{
	return r.count >= 1 && r.start < PORT_COUNT && r.count < PORT_COUNT &&
	       range_end(r) <= PORT_COUNT;
}

static inline bool
range_equal(struct range a, struct range b)
{
	return a.start == b.start && a.count == b.count;
}

static inline bool
range_contains(struct range r, uint32_t port)
{
	return port >= r.start && port - r.start < r.count;
}

static inline bool
range_overlap(struct range a, struct range b)
{
	return a.start < range_end(b) && b.start < range_end(a);
}

/*
 * Reads the first range of a list such as "61000-65535,10000-32767,5000";
 * blanks around numbers are allowed. Returns what follows it and its comma, ""
 * at the end, or NULL for bad syntax, port 0, a port above 65535 or a reversed
 * range.
 */
const char *range_parse(const char *list, struct range *ret);

/*
 * Reads such a list. Returns 0, or -EINVAL, also for more than RANGE_LIST_MAX
 * ranges.
 */
int range_list_parse(const char *text, struct range_list *ret_list);

/*
 * The usual places to look for a free block, best first: 20000 to 29999, where
 * few services live and a port + 10000 (redis' cluster bus) still exists; above
 * the kernel's ephemeral range; below it from 10000 on, then from 1024, then
 * across those borders. Inside it, or across its ends, only when nothing else
 * is left, because there autobind takes ports, too.
 */
void range_list_around(struct range ephemeral, struct range_list *ret_list);

/* A set of ports, one bit each: 8 KiB, too large for a signal stack. */
struct port_set {
	uint64_t word[PORT_COUNT / 64];
};

static inline bool
port_set_has(const struct port_set *set, uint32_t port)
{
	return set->word[port / 64 % (PORT_COUNT / 64)] >> port % 64 & 1;
}

/* The bits of word `w` that are ports of the range. */
static inline uint64_t
port_set_part(struct range range, uint32_t w)
{
	uint32_t last = range_end(range) - 1;
	uint64_t part = ~(uint64_t)0;

	if (w == range.start / 64)
		part <<= range.start % 64;
	if (w == last / 64)
		part &= ~(uint64_t)0 >> (63 - last % 64);
	return part;
}

static inline void
port_set_add(struct port_set *set, struct range range)
{
	for (uint32_t w = range.start / 64; w <= (range_end(range) - 1) / 64;
	     w++)
		set->word[w] |= port_set_part(range, w);
}

/* The first port of the range that is in it, or PORT_COUNT. */
static inline uint32_t
port_set_first(const struct port_set *set, struct range range)
{
	for (uint32_t w = range.start / 64; w <= (range_end(range) - 1) / 64;
	     w++) {
		uint64_t both = set->word[w] & port_set_part(range, w);

		if (both)
			return w * 64 + (uint32_t)__builtin_ctzll(both);
	}
	return PORT_COUNT;
}

static inline bool
port_set_meets(const struct port_set *set, struct range range)
{
	return port_set_first(set, range) < PORT_COUNT;
}

#endif
