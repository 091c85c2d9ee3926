/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The guard's maps, in the order of enum guard_map (guard/load.h). No global
 * variables: those would not outlive a renewal. */
#ifndef PORTRES_GUARD_MAPS_H
#define PORTRES_GUARD_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "guard/state.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct guard_config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct guard_counters);
} counters SEC(".maps");

/* Network namespaces that have blocks, by cookie: see guard/namespaces.h. */
struct guard_namespaces {
	struct bpf_spin_lock lock;
	uint32_t others; /* than the first */
	uint64_t cookie[GUARD_NAMESPACES];
	uint32_t blocks[GUARD_NAMESPACES];
	uint32_t payer[GUARD_NAMESPACES]; /* whose block was the first */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct guard_namespaces);
} namespaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GUARD_NAMESPACES * 2 * GUARD_SEGMENTS);
	__type(key, uint32_t);
	__type(value, struct guard_segment);
} marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GUARD_BLOCKS);
	__type(key, uint32_t);
	__type(value, struct guard_block);
} blocks SEC(".maps");

/* Each user has a word: guard/users.h. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GUARD_USERS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} users SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct guard_socket);
} sockets SEC(".maps");

/* The co-owners of persistent blocks: socket -> instance. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GUARD_BLOCKS);
	__type(key, uint64_t);
	__type(value, uint64_t);
} co_owners SEC(".maps");

static __always_inline struct guard_config *
config_get(void)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline struct guard_counters *
counters_get(void)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/* Is there any block? Everything else is asked only then. An `off` detaches one
 * program after the other: from its beginning on all binds pass, or they would
 * be refused while nobody answers requests. */
static __always_inline int
any_blocks(void)
{
	struct guard_counters *counters = counters_get();
	struct guard_config *config;

	if (!counters || counters->blocks == 0)
		return 0;
	config = config_get();
	return config && !config->ending;
}

#endif
