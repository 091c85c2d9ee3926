/* SPDX-License-Identifier: MIT */
/*
 * Leases on a real socket that stays, and what a reading of /proc/locks sees
 * of them.
 */
#ifndef PORTRES_TESTS_LOCKS_STAY_H
#define PORTRES_TESTS_LOCKS_STAY_H

#include "core/pool/lease.h"
#include "tests/rig.h"

#define STAY 150u

/* Far above any pool's tokens, and no two of them side by side. */
static inline uint64_t
token(uint32_t n)
{
	return ((uint64_t)0x7000000000 + (uint64_t)getpid()) << 20 | n << 1;
}

struct seen {
	uint64_t first;
	uint32_t times[STAY];
};

static inline void
note(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	struct seen *seen = context;
	uint64_t n = (start - seen->first) / 2;

	(void)device;
	(void)inode;
	if (start >= seen->first && n < STAY)
		seen->times[n]++;
}

/* Notes it in several, up to a NULL. */
static inline void
note_all(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	for (struct seen **seen = context; *seen; seen++)
		note(*seen, device, inode, start);
}

static inline uint32_t
missing(const struct seen *seen)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < STAY; i++)
		n += seen->times[i] == 0;
	return n;
}

static inline int
hold(int fd, uint64_t start)
{
	struct slot slot = {.token = start};

	return lease_hold(&sys_kernel, fd, &slot);
}

/* A socket with STAY leases. */
static inline int
stay(void)
{
	int fd = tcp_socket();

	for (uint32_t i = 0; i < STAY; i++)
		cr_assert_eq(hold(fd, token(i)), 0);
	return fd;
}

#endif
