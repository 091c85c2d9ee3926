/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Ports that the system chooses. A block there is in the way of everybody's
 * binds to port 0, unless the administrator has reserved the ports. */
#ifndef PORTRES_GUARD_EPHEMERAL_H
#define PORTRES_GUARD_EPHEMERAL_H

#include "guard/caller.h"

/* Before Linux 6.8. */

struct local_ports___two {
	int range[2];
} OF_KERNEL;

struct netns_ipv4___two {
	struct local_ports___two ip_local_ports;
} OF_KERNEL;

struct net___two {
	struct netns_ipv4___two ipv4;
} OF_KERNEL;

/* Those of net.ipv4.ip_local_port_range: from *ret_low to *ret_high. */
static __always_inline void
ephemeral_range(struct net *net, uint32_t *ret_low, uint32_t *ret_high)
{
	struct net___two *two = (void *)net;
	int range[2] = {0, 0};
	uint32_t both;

	if (bpf_core_field_exists(two->ipv4.ip_local_ports.range)) {
		BPF_CORE_READ_INTO(&range, two, ipv4.ip_local_ports.range);
		*ret_low = (uint32_t)range[0];
		*ret_high = (uint32_t)range[1];
		return;
	}
	both = BPF_CORE_READ(net, ipv4.ip_local_ports.range);
	*ret_low = both & 0xffff;
	*ret_high = both >> 16;
}

struct counting {
	const unsigned long *reserved;
	uint32_t low, end; /* of the ports that are counted */
	uint32_t count;
};

/* Those of a word of net.ipv4.ip_local_reserved_ports. */
static long
count_word(uint32_t i, struct counting *counting)
{
	uint32_t word = counting->low / 64 + i, first = word * 64;
	uint64_t ports = ~(uint64_t)0, reserved = 0;

	if (first >= counting->end)
		return 1;
	if (first < counting->low)
		ports <<= counting->low - first;
	if (first + 64 > counting->end)
		ports &= ~(uint64_t)0 >> (first + 64 - counting->end);
	bpf_probe_read_kernel(&reserved, sizeof(reserved),
			      counting->reserved + word);
	counting->count += (uint32_t)__builtin_popcountll(ports & ~reserved);
	return 0;
}

/* A block counts as so many ports in the quota of its payer. */
static __noinline uint32_t
weight(struct sock *sk, uint32_t start, uint32_t count)
{
	struct net *net = BPF_CORE_READ(sk, __sk_common.skc_net.net);
	struct counting counting = {};
	uint32_t low, high;

	ephemeral_range(net, &low, &high);
	counting.reserved =
		BPF_CORE_READ(net, ipv4.sysctl_local_reserved_ports);
	counting.low = start < low ? low : start;
	counting.end = start + count > high + 1 ? high + 1 : start + count;
	if (counting.low < counting.end)
		bpf_loop(65536 / 64, count_word, &counting, 0);
	return count + counting.count * (GUARD_EPHEMERAL - 1);
}

#endif
