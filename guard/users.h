/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Users: how much of the guard each has, so that one alone cannot fill it. Root
 * is not counted.
 *
 * A user is one word of a map, which changes at once, or not:
 *
 *	bits 0-17   ports, one of the ephemeral range as GUARD_EPHEMERAL
 *	bits 18-26  blocks
 *	bits 27-30  network namespaces in which his block was the first
 *	bit 31      the entry is being deleted
 *	bits 32-63  his number: an entry that is deleted may become another's
 */
#ifndef PORTRES_GUARD_USERS_H
#define PORTRES_GUARD_USERS_H

#include <stdbool.h>

#include <asm/errno.h>

#include "guard/maps.h"

#define USER_PORTS(n) ((uint64_t)(n))
#define USER_BLOCK ((uint64_t)1 << 18)
#define USER_NAMESPACE ((uint64_t)1 << 27)
#define USER_GOES ((uint64_t)1 << 31)

#define USER_TRIES 256 /* while others change it */

struct charge {
	uint64_t what, quota;
	uint32_t uid;
	uint32_t back;
	int32_t result;
};

static __always_inline bool
is_too_much(uint64_t word, const struct charge *charge)
{
	uint64_t both = word + charge->what;

	/* Two quotas may be more than their bits hold. */
	return word % USER_BLOCK + charge->what % USER_BLOCK > charge->quota ||
	       both / USER_BLOCK % (USER_NAMESPACE / USER_BLOCK) >
		       GUARD_USER_BLOCKS ||
	       both / USER_NAMESPACE % (USER_GOES / USER_NAMESPACE) >
		       GUARD_USER_NAMESPACES;
}

/* Does the word at a map's entry belong to the user, and stay? */
static __always_inline bool
is_users(uint64_t word, uint32_t uid)
{
	return word >> 32 == uid && !(word & USER_GOES);
}

static __always_inline long
charge_once(uint64_t *at, struct charge *charge)
{
	uint32_t uid = charge->uid;
	uint64_t first = (uint64_t)uid << 32 | charge->what;
	uint64_t word;

	if (!at) {
		if (bpf_map_update_elem(&users, &uid, &first, BPF_NOEXIST) < 0)
			return 0;
		charge->result = 0;
		return 1;
	}
	word = *(volatile uint64_t *)at;
	if (!is_users(word, uid))
		return 0;
	if (is_too_much(word, charge))
		return 1;
	if (__sync_val_compare_and_swap(at, word, word + charge->what) != word)
		return 0;
	charge->result = 0;
	return 1;
}

static __always_inline long
discharge_once(uint64_t *at, struct charge *charge)
{
	uint32_t uid = charge->uid;
	uint64_t word, left;

	if (!at)
		return 1;
	word = *(volatile uint64_t *)at;
	if (!is_users(word, uid))
		return 0;
	left = word - charge->what;
	if (left == (uint64_t)uid << 32)
		left |= USER_GOES;
	if (__sync_val_compare_and_swap(at, word, left) != word)
		return 0;
	if (left & USER_GOES)
		bpf_map_delete_elem(&users, &uid);
	return 1;
}

static long
change_once(uint32_t i, struct charge *charge)
{
	uint32_t uid = charge->uid;
	uint64_t *at = bpf_map_lookup_elem(&users, &uid);

	return charge->back ? discharge_once(at, charge)
			    : charge_once(at, charge);
}

static __noinline int
user_change(uint32_t uid, uint64_t what, uint64_t quota, uint32_t back)
{
	struct charge charge = {
		.what = what,
		.quota = quota,
		.uid = uid,
		.back = back,
		.result = -ENOBUFS,
	};

	if (uid == GUARD_NOBODY)
		return 0;
	bpf_loop(USER_TRIES, change_once, &charge, 0);
	return charge.result;
}

/* 0, or -ENOBUFS and nothing has changed. `ports` may be any number. */
static __always_inline int
user_charge(uint32_t uid, uint64_t ports, uint64_t more)
{
	struct guard_config *c = config_get();

	if (!c || (uid != GUARD_NOBODY && ports > c->quota))
		return -ENOBUFS;
	return user_change(uid, USER_PORTS(ports) + more, c->quota, 0);
}

static __always_inline void
user_discharge(uint32_t uid, uint64_t what)
{
	user_change(uid, what, 0, 1);
}

#endif
