/* SPDX-License-Identifier: MIT */
#include "guard/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <bpf/skel_internal.h>

/*
 * A light skeleton is a program that loads programs: run once, in the kernel,
 * it makes the maps and loads what uses them. It cannot be told to take maps
 * that are there, as an upgrade without a gap must. So its calls that make maps
 * are replaced, before it is run, by our descriptors.
 */

static const int *given;

static bool
is(const struct bpf_insn *insn, uint8_t code, uint8_t to)
{
	return insn->code == code && insn->dst_reg == to;
}

#define SET (BPF_ALU64 | BPF_MOV | BPF_K) /* a register to a number */
#define CALL (BPF_JMP | BPF_CALL)

/* Is this the call bpf(BPF_MAP_CREATE, …)? Its first argument was set last. */
static bool
makes_map(const struct bpf_insn *insns, size_t i)
{
	if (!is(&insns[i], CALL, 0) || insns[i].imm != BPF_FUNC_sys_bpf)
		return false;
	while (i > 0 && !is(&insns[i - 1], SET, BPF_REG_1))
		i--;
	return i > 0 && insns[i - 1].imm == BPF_MAP_CREATE;
}

/* The loader closes the descriptors that it has if it fails: copies. */
static int
use_given(struct bpf_insn *insns, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		int fd;

		if (!makes_map(insns, i))
			continue;
		if (n == GUARD_MAPS)
			return -ENOTSUP;
		fd = fcntl(given[n++], F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
		insns[i] = (struct bpf_insn){
			.code = SET, .dst_reg = BPF_REG_0, .imm = fd};
	}
	return n == GUARD_MAPS ? 0 : -ENOTSUP;
}

static int
load_and_run(struct bpf_load_and_run_opts *options)
{
	struct bpf_insn *insns;
	int r;

	if (!given)
		return bpf_load_and_run(options);
	insns = malloc(options->insns_sz);
	if (!insns)
		return -ENOMEM;
	memcpy(insns, options->insns, options->insns_sz);
	options->insns = insns;
	r = use_given(insns, options->insns_sz / sizeof(*insns));
	if (r == 0)
		r = bpf_load_and_run(options);
	free(insns);
	return r;
}

#define bpf_load_and_run load_and_run
#include "guard.lskel.h"
#undef bpf_load_and_run

const uint64_t guard_build = GUARD_BUILD;

#define MAPS_AT offsetof(struct guard, maps)

/* The maps in our order; the skeleton's is that of its struct. */
static const size_t map_at[GUARD_MAPS] = {
	[GUARD_MAP_CONFIG] = offsetof(struct guard, maps.config) - MAPS_AT,
	[GUARD_MAP_COUNTERS] = offsetof(struct guard, maps.counters) - MAPS_AT,
	[GUARD_MAP_NAMESPACES] =
		offsetof(struct guard, maps.namespaces) - MAPS_AT,
	[GUARD_MAP_MARKS] = offsetof(struct guard, maps.marks) - MAPS_AT,
	[GUARD_MAP_BLOCKS] = offsetof(struct guard, maps.blocks) - MAPS_AT,
	[GUARD_MAP_USERS] = offsetof(struct guard, maps.users) - MAPS_AT,
	[GUARD_MAP_SOCKETS] = offsetof(struct guard, maps.sockets) - MAPS_AT,
	[GUARD_MAP_CO_OWNERS] =
		offsetof(struct guard, maps.co_owners) - MAPS_AT,
};

_Static_assert(sizeof(((struct guard *)0)->maps) ==
		       GUARD_MAPS * sizeof(struct bpf_map_desc),
	       "a map more than the programs have, or one fewer");

int
guard_load(const int *maps, struct guard_loaded *ret)
{
	struct guard *skeleton = guard__open();
	int ordered[GUARD_MAPS];
	int r;

	if (!skeleton)
		return -ENOMEM;
	for (int i = 0; maps && i < GUARD_MAPS; i++)
		ordered[map_at[i] / sizeof(struct bpf_map_desc)] = maps[i];
	given = maps ? ordered : NULL;
	r = guard__load(skeleton);
	given = NULL;
	if (r < 0) {
		skel_free(skeleton);
		return r;
	}
	for (int i = 0; i < GUARD_MAPS; i++)
		ret->map[i] = ((struct bpf_map_desc *)((char *)&skeleton->maps +
						       map_at[i]))
				      ->map_fd;
	ret->program[GUARD_SOCK_RELEASE] =
		skeleton->progs.guard_release.prog_fd;
	ret->program[GUARD_BIND4] = skeleton->progs.guard_bind4.prog_fd;
	ret->program[GUARD_BIND6] = skeleton->progs.guard_bind6.prog_fd;
	ret->program[GUARD_POST_BIND4] = skeleton->progs.guard_post4.prog_fd;
	ret->program[GUARD_POST_BIND6] = skeleton->progs.guard_post6.prog_fd;
	ret->program[GUARD_SETSOCKOPT] =
		skeleton->progs.guard_setsockopt.prog_fd;
	skel_free(skeleton);
	return 0;
}

void
guard_unload(struct guard_loaded *loaded)
{
	for (int i = 0; i < GUARD_MAPS; i++)
		close(loaded->map[i]);
	for (int i = 0; i < GUARD_PROGRAMS; i++)
		close(loaded->program[i]);
}
