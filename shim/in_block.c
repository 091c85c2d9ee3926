/* SPDX-License-Identifier: MIT */
#include "shim/in_block.h"

#include <errno.h>
#include <string.h>

#include "core/kernel/sock.h"
#include "core/kernel/sockdiag.h"
#include "core/pool/lease.h"
#include "core/pool/reserve.h"
#include "core/pool/slot.h"
#include "shim/config.h"
#include "shim/explain.h"
#include "shim/hidden_fds.h"
#include "shim/pick.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/restart.h"
#include "shim/sockets.h"

static long
pick_bind_reusing(struct call *call)
{
	return restart_reusing(call, pick_bind);
}

static void
see_listener(void *context, const struct inet_diag_msg *socket)
{
	port_set_add(context, (struct range){ntohs(socket->id.idiag_sport), 1});
}

/* Does somebody listen at each port? Nearly always, where a block is exhausted,
 * and the long list need not be read under the lock. */
static bool
all_listen(struct range range, struct port_set *empty)
{
	uint32_t end = range_end(range);

	if (sockdiag_listeners(&sys_kernel, range, see_listener, empty) < 0)
		return false;
	while (range.start < end && port_set_has(empty, range.start))
		range.start++;
	return range.start == end;
}

/* Picks a port that has only connections in TIME_WAIT: none other is left. */
static long
pick_waiting(struct pick *pick, struct call *call)
{
	long at = sys_mmap_private(&sys_kernel, sizeof(struct port_set));
	struct port_set *used = (struct port_set *)at;
	long r = -EADDRINUSE;

	if (at < 0)
		return r;
	pick->skip = used;
	pick->look = false;
	if (restart_helps(call))
		pick->bind = pick_bind_reusing;
	if (!all_listen(pick->range, used) &&
	    sockdiag_used(&sys_kernel, pick->protocol, pick->range, used) == 0)
		r = pick_port(pick, call);
	sys_munmap(&sys_kernel, used, sizeof(*used));
	return r;
}

/* -1 of a persistent block that this process was not started with. */
static int
owner_of(const struct slot *slot)
{
	return slot->kind == KIND_RUNTIME ? lease_holder(&sys_kernel, slot)
					  : hidden_fds_owner(slot);
}

/* The guard may have come after the association, so it is told again. Does it
 * let the socket in? The owner, if he is here: where nobody says that there is
 * a guard, one question is cheaper than a look for him. */
static bool
let_in(const struct slot *slot, const struct guarded *block, int fd,
       int *ret_owner)
{
	*ret_owner = -1;
	if (!guarded_by_some(block) &&
	    guard_associate(&sys_kernel, fd, -1, block) == -ENOPROTOOPT)
		return false;
	*ret_owner = owner_of(slot);
	return (*ret_owner >= 0 || block->kept) &&
	       guard_associate(&sys_kernel, fd, *ret_owner, block) == 0;
}

static void
refuse_exhausted(const struct slot *slot)
{
	explain_exhausted(slot);
	refusal_set(EADDRINUSE, PORTRES_EXHAUSTED, 0);
}

/* `slot` stands in the file, which may be cut short while the kernel binds. */
static long
pick_from(struct slot *slot, struct call *call)
{
	struct slot copy;
	struct guarded block;
	struct pick pick = {.bind = pick_bind, .owner = -1};
	bool shares, asked;
	long r;

	memcpy(&copy, slot, sizeof(copy));
	block = slot_guarded(&copy);
	asked = guarded_by_some(&block);
	pick.range = slot_range(&copy);
	pick.protocol = block.protocol;
	pick.look = shares = sock_shares_ports(&sys_kernel, call->fd);
	if (asked && let_in(&copy, &block, call->fd, &pick.owner))
		pick.block = &block;
	r = pick_port(&pick, call);
	/* An adoption gave it to the guard, and was killed before it said so.
	 */
	if (r == -EADDRINUSE && !asked &&
	    let_in(&copy, &block, call->fd, &pick.owner)) {
		if (sys_readable(&sys_kernel, slot))
			atomic_store(&slot->guard, GUARDED_SOMEHOW);
		pick.block = &block;
		r = pick_port(&pick, call);
	}
	if (r == -EADDRINUSE && pick.protocol == PROTOCOL_TCP)
		r = pick_waiting(&pick, call);
	if (r == -EADDRINUSE)
		refuse_exhausted(&copy);
	return r;
}

/* GONE: the block is no longer reserved, and the socket one like others. */
enum outcome { DONE, GONE, UNUSABLE };

static enum outcome
answer(long r, long *ret_answer)
{
	*ret_answer = r;
	return DONE;
}

static enum outcome
without_pool(int r, long *ret_answer)
{
	if (r == -ENETDOWN && !config_get()->strict)
		return UNUSABLE;
	if (r == -ENETDOWN)
		explain_unchecked();
	return answer(r, ret_answer);
}

/*
 * Binds to the call's port if it is in the block, and false if it is not. The
 * announcement keeps others from reserving it before it is bound. Without one
 * (a child of vfork, 255 binders in the segment) only the block's owner could
 * release it meanwhile. ret_slot: the block's, as it was.
 */
static bool
bind_announced(struct pool *pool, uint64_t token, struct call *call,
	       struct slot *ret_slot, long *ret_answer)
{
	struct announced announced;
	bool known = announced_begin(pool, call->port, &announced) == 0;
	const struct slot *slot = slot_by_token(pool->file, token);
	bool inside = slot && range_contains(slot_range(slot), call->port);

	if (inside) {
		memcpy(ret_slot, slot, sizeof(*ret_slot));
		*ret_answer = pick_bind(call);
	}
	if (known)
		announced_end(&announced);
	return inside;
}

/* The guard may not know yet that the socket has a part in the block. */
static bool
in_the_guards_way(const struct call *call, const struct slot *slot, long answer)
{
	struct guarded block = slot_guarded(slot);
	int owner;

	return answer == -EADDRINUSE && let_in(slot, &block, call->fd, &owner);
}

/* Binds to the first port of the block that is free, each announced. */
static bool
pick_announced(struct pool *pool, uint64_t token, struct call *call,
	       struct slot *ret_slot, long *ret_answer)
{
	const struct slot *slot = slot_by_token(pool->file, token);
	struct range range = {0};

	if (slot)
		range = slot_range(slot);
	for (uint32_t i = 0; i < range.count; i++) {
		call->port = (uint16_t)(range.start + i);
		sock_set_port((struct sockaddr *)&call->local, call->port);
		if (!bind_announced(pool, token, call, ret_slot, ret_answer))
			return false;
		if (*ret_answer != -EADDRINUSE)
			return true;
	}
	return slot != NULL;
}

/*
 * Binds to any port of the block where the pool's lock is out of reach, because
 * the program has given up its user or its root directory. It does for a socket
 * that is alone on its port; two that share ports could both get one.
 */
static enum outcome
bind_to_any_unlocked(uint64_t token, struct call *call, long *ret_answer)
{
	struct pool *pool;
	struct slot slot;
	bool inside;
	int r = pools_find(call->fd, &pool);

	if (r < 0)
		return without_pool(r, ret_answer);
	if (sock_shares_ports(&sys_kernel, call->fd)) {
		explain_out_of_reach();
		return answer(-ENETDOWN, ret_answer);
	}
	inside = pick_announced(pool, token, call, &slot, ret_answer);
	if (inside && in_the_guards_way(call, &slot, *ret_answer))
		inside = pick_announced(pool, token, call, &slot, ret_answer);
	if (inside && *ret_answer == -EADDRINUSE)
		refuse_exhausted(&slot);
	if (inside)
		return DONE;
	/* The port is the system's to choose, as it was. */
	call->port = 0;
	sock_set_port((struct sockaddr *)&call->local, 0);
	return GONE;
}

/* Binds to any port of the block: under the lock, or two sockets that share
 * ports could both get one. If a stopped process has the lock: -ENETDOWN. */
static enum outcome
bind_to_any(uint64_t token, struct call *call, long *ret_answer)
{
	struct pool_lock lock;
	struct pool *pool;
	struct slot *slot;
	int r = pools_enter_to_bind(call->fd, POOL_BRIEF, &pool, &lock);

	if (r == -ENETDOWN)
		return bind_to_any_unlocked(token, call, ret_answer);
	/* No lock is no reason for a port outside the block. */
	if (r < 0) {
		explain_locked(r);
		return answer(r == -EBUSY ? -ENETDOWN : r, ret_answer);
	}
	slot = slot_by_token(pool->file, token);
	if (slot)
		*ret_answer = pick_from(slot, call);
	pool_leave(pool, &lock);
	return slot ? DONE : GONE;
}

/* The lock is for who binds, not for who looks: none that was bound so since
 * has the option. */
long
in_block_restart(uint64_t token, struct call *call)
{
	struct pool_lock lock;
	struct pool *pool;
	const struct slot *slot;
	long r = -EADDRINUSE;

	if (!restart_helps(call) || !restart_passes(call) ||
	    pools_enter_to_bind(call->fd, POOL_BRIEF, &pool, &lock) < 0)
		return r;
	slot = slot_by_token(pool->file, token);
	if (slot && range_contains(slot_range(slot), call->port))
		r = restart_reusing(call, pick_bind);
	pool_leave(pool, &lock);
	return r;
}

/* Binds to a certain port, which must be in the block. */
static enum outcome
bind_to_one(uint64_t token, struct call *call, long *ret_answer)
{
	const struct slot *at;
	struct pool *pool;
	struct slot slot;
	bool inside;
	int r = pools_find(call->fd, &pool);

	if (r < 0)
		return without_pool(r, ret_answer);
	inside = bind_announced(pool, token, call, &slot, ret_answer);
	if (inside && in_the_guards_way(call, &slot, *ret_answer))
		inside = bind_announced(pool, token, call, &slot, ret_answer);
	if (inside && *ret_answer == -EADDRINUSE)
		*ret_answer = in_block_restart(token, call);
	if (inside)
		return DONE;
	/* A port outside is no error once the block's owner is dead. */
	at = slot_by_token(pool->file, token);
	if (!at)
		return GONE;
	memcpy(&slot, at, sizeof(slot));
	if (!reserve_lives(pool, token))
		return GONE;
	explain_outside(&slot, call->port);
	return answer(-EADDRNOTAVAIL, ret_answer);
}

bool
in_block_bind(struct call *call, long *ret_answer)
{
	enum outcome outcome;
	struct tracked *tracked;
	uint64_t cookie, token;

	if (sock_cookie(&sys_kernel, call->fd, &cookie) < 0)
		return false;
	tracked = sockets_find(cookie);
	token = tracked ? atomic_load(&tracked->associated) : 0;
	/* An address of another family is the kernel's to refuse. */
	if (!token || !sock_takes_address(&sys_kernel, call->fd,
					  (struct sockaddr *)&call->local))
		return false;
	outcome = call->port ? bind_to_one(token, call, ret_answer)
			     : bind_to_any(token, call, ret_answer);
	if (outcome == DONE && *ret_answer == 0)
		restart_bound();
	/* The association ends with the bind: the kernel keeps a bound port. */
	if (outcome == GONE || (outcome == DONE && *ret_answer == 0))
		sockets_dissociate(cookie);
	return outcome == DONE;
}
