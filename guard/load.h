/* SPDX-License-Identifier: MIT */
/*
 * Brings the guard's programs and maps into the kernel. The programs are part
 * of the command (a light skeleton, made by bpftool), so that it needs libc
 * alone.
 */
#ifndef PORTRES_GUARD_LOAD_H
#define PORTRES_GUARD_LOAD_H

#include <stdint.h>

enum guard_map {
	GUARD_MAP_CONFIG,
	GUARD_MAP_COUNTERS,
	GUARD_MAP_NAMESPACES,
	GUARD_MAP_MARKS,
	GUARD_MAP_BLOCKS,
	GUARD_MAP_USERS,
	GUARD_MAP_SOCKETS,
	GUARD_MAP_CO_OWNERS,
	GUARD_MAPS
};

/* In the order in which they are attached: no block can be acquired before all
 * binds are looked at, and before closes are. */
enum guard_program {
	GUARD_SOCK_RELEASE,
	GUARD_BIND4,
	GUARD_BIND6,
	GUARD_POST_BIND4,
	GUARD_POST_BIND6,
	GUARD_SETSOCKOPT,
	GUARD_PROGRAMS
};

struct guard_loaded {
	int map[GUARD_MAPS];
	int program[GUARD_PROGRAMS];
};

/* Tells these programs from those of another build. */
extern const uint64_t guard_build;

/*
 * Loads the programs, with maps of their own, or, if `maps` is not NULL, on
 * those: copies of its descriptors are used. 0; -Exxx from the kernel; or
 * -ENOTSUP: these programs cannot be put on given maps.
 */
int guard_load(const int *maps, struct guard_loaded *ret);

void guard_unload(struct guard_loaded *loaded);

#endif
