/* SPDX-License-Identifier: MIT */
/*
 * What this process knows of its own sockets, by cookie: which ones are
 * associated with a token, and which ones own reservations.
 *
 * Only the first is knowledge that exists nowhere else. The second makes
 * close() prompt and may be wrong or lost without harm, because a lease ends
 * with its socket whatever we know.
 *
 * Reading needs no lock. Writing happens inside the pool (pool_enter), which
 * lets in one thread of the process at a time.
 */
#ifndef PORTRES_SHIM_SOCKETS_H
#define PORTRES_SHIM_SOCKETS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tracked {
	_Atomic uint64_t cookie;
	_Atomic uint64_t owned;	     /* token, 0, or SOCKETS_SEVERAL */
	_Atomic uint64_t associated; /* token or 0 */
};

#define SOCKETS_SEVERAL UINT64_MAX

/* The sockets that are tracked; the top bit tells of inherited.h's. */
extern _Atomic uint32_t sockets_count __attribute__((visibility("hidden")));

#define SOCKETS_GUARDING ((uint32_t)1 << 31)

/* Whether a close can matter: the one load that a pass-through close pays. */
static inline bool
sockets_any(void)
{
	return atomic_load_explicit(&sockets_count, memory_order_relaxed) != 0;
}

static inline bool
sockets_any_socket(void)
{
	return (atomic_load_explicit(&sockets_count, memory_order_relaxed) &
		~SOCKETS_GUARDING) != 0;
}

/* Are there descriptors that the program does not know of? See inherited.h. */
static inline bool
sockets_hidden(void)
{
	return (atomic_load_explicit(&sockets_count, memory_order_relaxed) &
		SOCKETS_GUARDING) != 0;
}

void sockets_hide(void);

extern _Atomic uint32_t sockets_associations
	__attribute__((visibility("hidden")));

/* Whether any socket is associated and not yet bound. */
static inline bool
sockets_any_associated(void)
{
	return atomic_load_explicit(&sockets_associations,
				    memory_order_relaxed) != 0;
}

/*
 * Is this process the one whose sockets are tracked here, and not a child of
 * vfork() in its memory? After fork() the child says that it is.
 */
bool sockets_are_ours(void);
void sockets_forked(void);

/* Is it known to be such a child? Asking does not make it the process. */
bool in_vfork_child(void);

/* NULL when the socket is not tracked. */
struct tracked *sockets_find(uint64_t cookie);

/* Returns 0, or -ENOBUFS when there is no room. */
int sockets_associate(uint64_t cookie, uint64_t token);
void sockets_dissociate(uint64_t cookie);

/* The same. */
int sockets_own(uint64_t cookie, uint64_t token);
void sockets_disown(uint64_t cookie, uint64_t token);

/*
 * Makes room: drops what is about tokens that are dead. Sockets that are
 * closed by raw system calls leave such things behind.
 */
void sockets_purge(bool (*dead)(const void *context, uint64_t token),
		   const void *context);

/* The socket is gone, if it is still the one with that cookie. */
void sockets_drop(struct tracked *tracked, uint64_t cookie);

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
