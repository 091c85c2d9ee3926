/* SPDX-License-Identifier: MIT */
/*
 * Descriptors whose socket has sent before, and so has a port: the next send
 * pays a load and nothing else. socket() makes a number new again, and
 * connect() to AF_UNSPEC, which takes the port away, makes all of them new. (A
 * number that comes back as the duplicate of an unbound socket is taken for the
 * old one, and so is one whose socket another process took apart; its port may
 * then be a reserved one where blocks reach into the ephemeral range.)
 *
 * To ask instead, while a block is there, costs a send on loopback a tenth to a
 * fifth of its time.
 */
#ifndef PORTRES_SHIM_SETTLED_H
#define PORTRES_SHIM_SETTLED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SETTLED_NUMBERS 65536

extern _Atomic uint64_t settled_numbers[SETTLED_NUMBERS / 64]
	__attribute__((visibility("hidden")));

static inline bool
settled(int fd)
{
	return (unsigned)fd < SETTLED_NUMBERS &&
	       (atomic_load_explicit(&settled_numbers[fd / 64],
				     memory_order_relaxed) >>
			fd % 64 &
		1);
}

static inline void
settle(int fd)
{
	if ((unsigned)fd < SETTLED_NUMBERS && !settled(fd))
		atomic_fetch_or(&settled_numbers[fd / 64],
				(uint64_t)1 << fd % 64);
}

static inline void
unsettle(int fd)
{
	if (settled(fd))
		atomic_fetch_and(&settled_numbers[fd / 64],
				 ~((uint64_t)1 << fd % 64));
}

void unsettle_all(void);

#endif
