/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Network namespaces: each that has blocks has an index, which selects its
 * marks. The last block gives it back. That in which the guard was put on, the
 * machine's as a rule, has index 0 for good: others cannot take all from it.
 */
#ifndef PORTRES_GUARD_NAMESPACES_H
#define PORTRES_GUARD_NAMESPACES_H

#include "guard/users.h"

static __always_inline struct guard_namespaces *
namespaces_get(void)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(&namespaces, &zero);
}

/* The machine's own cookie is 1, but not on Linux 6.18. */
static __always_inline bool
is_first_namespace(uint64_t cookie)
{
	struct guard_config *c = config_get();

	return c && cookie == (c->layout == GUARD_LAYOUT_BEFORE
				       ? 1
				       : c->store_namespace);
}

/*
 * The index, or -1: no block is there. Asked by every bind, without the lock:
 * an index may go to another namespace at any time, so whoever finds a mark by
 * it compares the cookies again.
 */
static __always_inline int
namespace_find(uint64_t cookie)
{
	struct guard_namespaces *n;

	if (is_first_namespace(cookie))
		return 0;
	n = namespaces_get();
	if (!n || !n->others)
		return -1;
	for (uint32_t i = 0; i < GUARD_NAMESPACES; i++) {
		/* Most are found at once: the cookies are a running number. */
		uint32_t at = ((uint32_t)cookie + i) % GUARD_NAMESPACES;

		if (at && n->cookie[at] == cookie)
			return (int)at;
	}
	return -1;
}

/*
 * Counts a block in, which `payer` pays for. The index; or -ENOBUFS: too many
 * namespaces have blocks. It opens the namespace if it is the first block
 * there, for which the payer must have been charged (`may_open`), or -EAGAIN;
 * so *may_open is what it has done.
 */
static __noinline int
namespace_enter(uint64_t cookie, uint32_t payer, bool *may_open)
{
	struct guard_namespaces *n = namespaces_get();
	int found = -1, unused = -1, r = -ENOBUFS;
	bool opens, may;
	uint32_t most;

	if (!n || !may_open)
		return r;
	may = *may_open;
	*may_open = false;
	if (is_first_namespace(cookie))
		return 0;
	most = GUARD_NAMESPACES - 1 -
	       (payer == GUARD_NOBODY ? 0 : GUARD_ROOTS_NAMESPACES);
	bpf_spin_lock(&n->lock);
	for (uint32_t i = 0; i < GUARD_NAMESPACES; i++) {
		uint32_t at = ((uint32_t)cookie + i) % GUARD_NAMESPACES;

		if (!at)
			continue;
		if (n->cookie[at] == cookie) {
			found = (int)at;
			break;
		}
		if (!n->cookie[at] && unused < 0)
			unused = (int)at;
	}
	opens = found < 0 && unused >= 0 && n->others < most;
	if (opens && !may) {
		r = -EAGAIN;
		opens = false;
	} else if (opens) {
		found = unused;
		n->cookie[found & (GUARD_NAMESPACES - 1)] = cookie;
		n->payer[found & (GUARD_NAMESPACES - 1)] = payer;
		n->others++;
	}
	if (found >= 0)
		n->blocks[found & (GUARD_NAMESPACES - 1)]++;
	bpf_spin_unlock(&n->lock);
	*may_open = opens;
	return found >= 0 ? found : r;
}

static __noinline int
namespace_leave(uint32_t index)
{
	struct guard_namespaces *n = namespaces_get();
	uint32_t at = index % GUARD_NAMESPACES;
	uint32_t payer = GUARD_NOBODY;

	if (!n || !at)
		return 0;
	bpf_spin_lock(&n->lock);
	if (--n->blocks[at] == 0) {
		payer = n->payer[at];
		n->cookie[at] = 0;
		n->others--;
	}
	bpf_spin_unlock(&n->lock);
	user_discharge(payer, USER_NAMESPACE);
	return 0;
}

#endif
