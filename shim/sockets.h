/* SPDX-License-Identifier: MIT */
/*
 * This process' table of its sockets, by cookie: those that are associated with
 * a token, and those that own reservations.
 *
 * Associations are stored nowhere else. The table of owners makes close()
 * prompt; it may be wrong or incomplete without harm, because a lease ends with
 * its socket anyway.
 *
 * Reading needs no lock. Associations and owners are added with the pool's lock
 * held, by one thread of the process at a time.
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

/* The number of sockets in the table; the top bit: there are hidden
 * descriptors. */
extern _Atomic uint32_t sockets_count __attribute__((visibility("hidden")));

#define SOCKETS_HIDDEN ((uint32_t)1 << 31)

/* Can a close matter? The one load that a pass-through close pays. */
static inline bool
sockets_any(void)
{
	return atomic_load_explicit(&sockets_count, memory_order_relaxed) != 0;
}

static inline bool
sockets_any_socket(void)
{
	return (atomic_load_explicit(&sockets_count, memory_order_relaxed) &
		~SOCKETS_HIDDEN) != 0;
}

/* Are there hidden descriptors? See hidden_fds.h. */
static inline bool
sockets_hidden(void)
{
	return (atomic_load_explicit(&sockets_count, memory_order_relaxed) &
		SOCKETS_HIDDEN) != 0;
}

void sockets_hide(void);

/* Large tables stand behind all else, so that small variables share a page that
 * is written at start anyway. Another page would be paid by every program. */
#define LARGE __attribute__((section(".bss.large")))

extern _Atomic uint32_t sockets_associations
	__attribute__((visibility("hidden")));

/* Is any socket associated, and not yet bound? */
static inline bool
sockets_any_associated(void)
{
	return atomic_load_explicit(&sockets_associations,
				    memory_order_relaxed) != 0;
}

/*
 * Is this process the owner of the table, and not a child of vfork() in its
 * memory? A forked child calls sockets_forked() to become the owner of its
 * copy.
 */
bool sockets_are_ours(void);
void sockets_forked(void);

/* Is this known to be such a child? Unlike sockets_are_ours(), claims
 * nothing. */
bool in_vfork_child(void);

/* The socket's entry, or NULL. */
struct tracked *sockets_find(uint64_t cookie);

/* Returns 0, or -ENOBUFS when there is no room. */
int sockets_associate(uint64_t cookie, uint64_t token);
void sockets_dissociate(uint64_t cookie);

int sockets_own(uint64_t cookie, uint64_t token);
void sockets_disown(uint64_t cookie, uint64_t token);

/* Makes room for that socket: drops dead tokens, which sockets leave that are
 * closed by raw system calls. The token is SOCKETS_SEVERAL where the socket has
 * had several reservations. */
void sockets_purge(uint64_t room_for,
		   bool (*dead)(const void *context, uint64_t cookie,
				uint64_t token),
		   const void *context) __attribute__((cold));

/* Frees the entry, if it still is that socket's. */
void sockets_drop(struct tracked *tracked, uint64_t cookie);

/*
 * Settled descriptors: their socket has sent before, and so has a port. Their
 * next send pays one load and nothing else. socket() unsettles its number, and
 * connect() to AF_UNSPEC, which takes a port away, unsettles all. (A number
 * that comes back as the duplicate of an unbound socket counts as settled, and
 * so does one whose port another process gave up: its next port may be a
 * reserved one, if a block reaches into the ephemeral range. While any socket
 * is associated the kernel is asked all the same.)
 *
 * To ask the kernel instead, beside such a block, costs a send on loopback a
 * tenth to a fifth of its time.
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
