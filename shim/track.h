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
#ifndef PORTRES_SHIM_TRACK_H
#define PORTRES_SHIM_TRACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tracked {
	_Atomic uint64_t cookie;
	_Atomic uint64_t owned;	     /* token, 0, or TRACK_SEVERAL */
	_Atomic uint64_t associated; /* token or 0 */
};

#define TRACK_SEVERAL UINT64_MAX

/* The sockets that are tracked; the top bit tells of inherited.h's. */
extern _Atomic uint32_t track_count __attribute__((visibility("hidden")));

#define TRACK_GUARDING ((uint32_t)1 << 31)

/* Whether a close can matter: the one load that a pass-through close pays. */
static inline bool
track_any(void)
{
	return atomic_load_explicit(&track_count, memory_order_relaxed) != 0;
}

static inline bool
track_any_socket(void)
{
	return (atomic_load_explicit(&track_count, memory_order_relaxed) &
		~TRACK_GUARDING) != 0;
}

/* Are there descriptors that the program does not know of? See inherited.h. */
static inline bool
track_guarding(void)
{
	return (atomic_load_explicit(&track_count, memory_order_relaxed) &
		TRACK_GUARDING) != 0;
}

void track_guard(void);

extern _Atomic uint32_t track_associations
	__attribute__((visibility("hidden")));

/* Whether any socket is associated and not yet bound. */
static inline bool
track_any_associated(void)
{
	return atomic_load_explicit(&track_associations,
				    memory_order_relaxed) != 0;
}

/*
 * Is this process the one whose sockets are tracked here, and not a child of
 * vfork() in its memory? After fork() the child says that it is.
 */
bool track_is_ours(void);
void track_forked(void);

/* Is it known to be such a child? Asking does not make it the process. */
bool track_is_borrowed(void);

/* NULL when the socket is not tracked. */
struct tracked *track_find(uint64_t cookie);

/* Returns 0, or -ENOBUFS when there is no room. */
int track_associate(uint64_t cookie, uint64_t token);
void track_dissociate(uint64_t cookie);

/* The same. */
int track_own(uint64_t cookie, uint64_t token, int fd);
void track_disown(uint64_t cookie, uint64_t token);

/*
 * Makes room: drops what is about tokens that are dead. Sockets that are
 * closed by raw system calls leave such things behind.
 */
void track_purge(bool (*dead)(const void *context, uint64_t token),
		 const void *context);

/* The socket is gone, if it is still the one with that cookie. */
void track_drop(struct tracked *tracked, uint64_t cookie);

/*
 * The cookie of an owning socket that was last seen at this descriptor number,
 * 0 when there was none. Asked when the number has another socket, because
 * closes by raw system calls pass us by. Tells it once; track_displaced_still()
 * says that the number is to be asked about again.
 */
uint64_t track_displaced(int fd);
void track_displaced_still(int fd, uint64_t cookie);

#endif
