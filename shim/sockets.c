/* SPDX-License-Identifier: MIT */
#include "shim/sockets.h"

#include <errno.h>
#include <stddef.h>

#include "core/kernel/sys.h"

#define SOCKETS_MAX 16384u /* a power of two */
#define REACH 64u	   /* how far from its place an entry may be */

_Atomic uint32_t sockets_count;
_Atomic uint32_t sockets_associations;
static struct tracked table[SOCKETS_MAX] LARGE;
static _Atomic uint32_t reached; /* no entry was ever further away */

static _Atomic pid_t owner_process; /* of these tables; 0 = not known yet */

bool
sockets_are_ours(void)
{
	pid_t self = sys_getpid(&sys_kernel);
	pid_t unknown = 0;

	return atomic_compare_exchange_strong(&owner_process, &unknown, self) ||
	       unknown == self;
}

bool
in_vfork_child(void)
{
	pid_t owner = atomic_load(&owner_process);

	return owner != 0 && owner != sys_getpid(&sys_kernel);
}

void
sockets_forked(void)
{
	/* The child claims the table itself: its own vfork child must not. */
	if (atomic_load(&owner_process))
		atomic_store(&owner_process, sys_getpid(&sys_kernel));
}

void
sockets_hide(void)
{
	sockets_are_ours();
	atomic_fetch_or(&sockets_count, SOCKETS_HIDDEN);
}

static struct tracked *
place(uint64_t cookie, uint32_t i)
{
	/* The kernel gives out cookies in rows: spread them a little. */
	return &table[(cookie * 7 + i) % SOCKETS_MAX];
}

struct tracked *
sockets_find(uint64_t cookie)
{
	uint32_t end = atomic_load(&reached) + 1;

	for (uint32_t i = 0; i < end; i++)
		if (atomic_load(&place(cookie, i)->cookie) == cookie)
			return place(cookie, i);
	return NULL;
}

static struct tracked *
find_or_add(uint64_t cookie)
{
	struct tracked *tracked = sockets_find(cookie);

	for (uint32_t i = 0; !tracked && i < REACH; i++) {
		struct tracked *free = place(cookie, i);

		if (atomic_load(&free->cookie))
			continue;
		if (i > atomic_load(&reached))
			atomic_store(&reached, i);
		atomic_store(&free->owned, 0);
		atomic_store(&free->associated, 0);
		atomic_store(&free->cookie, cookie);
		atomic_fetch_add(&sockets_count, 1);
		tracked = free;
	}
	return tracked;
}

static void
set_association(struct tracked *tracked, uint64_t token)
{
	uint64_t before = atomic_exchange(&tracked->associated, token);

	if (token && !before)
		atomic_fetch_add(&sockets_associations, 1);
	if (before && !token)
		atomic_fetch_sub(&sockets_associations, 1);
}

void
sockets_drop(struct tracked *tracked, uint64_t cookie)
{
	/* A close may linger, and the entry be another socket's by then. */
	if (atomic_load(&tracked->cookie) != cookie)
		return;
	set_association(tracked, 0);
	if (atomic_exchange(&tracked->cookie, 0))
		atomic_fetch_sub(&sockets_count, 1);
}

static void
drop_if_idle(struct tracked *tracked)
{
	if (!atomic_load(&tracked->owned) && !atomic_load(&tracked->associated))
		sockets_drop(tracked, atomic_load(&tracked->cookie));
}

int
sockets_associate(uint64_t cookie, uint64_t token)
{
	struct tracked *tracked = find_or_add(cookie);

	if (!tracked)
		return -ENOBUFS;
	set_association(tracked, token);
	return 0;
}

void
sockets_dissociate(uint64_t cookie)
{
	struct tracked *tracked = sockets_find(cookie);

	if (!tracked)
		return;
	set_association(tracked, 0);
	drop_if_idle(tracked);
}

int
sockets_own(uint64_t cookie, uint64_t token)
{
	struct tracked *tracked = find_or_add(cookie);

	if (!tracked)
		return -ENOBUFS;
	/* The first acquirer claims the table, and is no child of vfork. */
	if (!atomic_load(&owner_process))
		sockets_are_ours();
	if (atomic_load(&tracked->owned))
		token = SOCKETS_SEVERAL;
	atomic_store(&tracked->owned, token);
	return 0;
}

void
sockets_purge(uint64_t room_for,
	      bool (*dead)(const void *context, uint64_t cookie,
			   uint64_t token),
	      const void *context)
{
	for (uint32_t i = 0; i < REACH; i++) {
		struct tracked *tracked = place(room_for, i);
		uint64_t cookie = atomic_load(&tracked->cookie);
		uint64_t owned = atomic_load(&tracked->owned);
		uint64_t associated = atomic_load(&tracked->associated);

		if (!cookie)
			continue;
		if (owned && dead(context, cookie, owned))
			atomic_store(&tracked->owned, 0);
		if (associated && dead(context, cookie, associated))
			set_association(tracked, 0);
		drop_if_idle(tracked);
	}
}

void
sockets_disown(uint64_t cookie, uint64_t token)
{
	struct tracked *tracked = sockets_find(cookie);

	if (!tracked || atomic_load(&tracked->owned) != token)
		return;
	atomic_store(&tracked->owned, 0);
	drop_if_idle(tracked);
}

_Atomic uint64_t settled_numbers[SETTLED_NUMBERS / 64] LARGE;

void
unsettle_all(void)
{
	for (int i = 0; i < SETTLED_NUMBERS / 64; i++)
		if (atomic_load_explicit(&settled_numbers[i],
					 memory_order_relaxed))
			atomic_store(&settled_numbers[i], 0);
}
