/* SPDX-License-Identifier: MIT */
#include "shim/steer.h"

#include <errno.h>
#include <string.h>

#include "core/kernel/sock.h"
#include "core/pool/marks.h"
#include "core/pool/reserve.h"
#include "core/pool/slot.h"
#include "shim/autobind.h"
#include "shim/config.h"
#include "shim/explain.h"
#include "shim/hidden_fds.h"
#include "shim/in_block.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/restart.h"
#include "shim/shim.h"
#include "shim/sockets.h"
#include "shim/usermem.h"

#define LOOKS_MAX 8 /* at a port that changes its owner meanwhile */

bool
steer_read(struct call *call, const struct sockaddr *address, socklen_t size)
{
	int port;

	if (size < sizeof(struct sockaddr_in) || size > sizeof(call->local) ||
	    !usermem_readable(address, size))
		return false;
	memcpy(&call->local, address, size);
	call->local_size = size;
	port = sock_address_port((struct sockaddr *)&call->local, size);
	call->port = (uint16_t)port;
	return port >= 0;
}

/* Would the call autobind an unbound socket? */
static bool
autobinds(const struct call *call, enum protocol protocol)
{
	switch (call->verb) {
	case VERB_LISTEN:
		return protocol == PROTOCOL_TCP;
	case VERB_SEND: /* without a peer TCP sends to nobody */
		return protocol == PROTOCOL_UDP || call->flags & MSG_FASTOPEN;
	default:
		return true;
	}
}

/*
 * Would the call of an unbound socket get as far as to give it a port? A TCP
 * connect() checks the peer's address first, and AF_UNSPEC binds nothing.
 */
static bool
reaches_autobind(const struct call *call, enum protocol protocol)
{
	sa_family_t family;

	if (call->verb == VERB_BIND)
		return sock_takes_address(
			&sys_kernel, call->fd,
			(const struct sockaddr *)&call->local);
	if (call->size && !usermem_readable(call->address, call->size))
		return false;
	if (call->verb != VERB_CONNECT)
		return true;
	if (call->size < sizeof(family))
		return false;
	memcpy(&family, &call->address->sa_family, sizeof(family));
	return family != AF_UNSPEC &&
	       (protocol == PROTOCOL_UDP ||
		(call->size >= sizeof(struct sockaddr_in) &&
		 sock_takes_peer(&sys_kernel, call->fd, call->address,
				 call->size)));
}

/* Is the socket unbound? Then `local` becomes its address, ready to be bound.
 */
static bool
read_unbound(struct call *call)
{
	struct sockaddr_in6 own;

	if (sock_port(&sys_kernel, call->fd, &call->port, &own,
		      &call->local_size) < 0 ||
	    call->port)
		return false;
	*(struct sockaddr_in6 *)&call->local = own;
	return true;
}

/* Does a sandbox forbid getsockopt()? Then nobody can say what a socket is. */
static bool
unanswered(int r)
{
	return r == -EPERM || r == -EACCES || r == -ENOSYS;
}

/* May the call give the socket a port? One that nobody can tell apart from TCP
 * and UDP may. */
static bool
may_take_port(struct call *call)
{
	enum protocol protocol;
	uint16_t port;
	int r = sock_protocol(&sys_kernel, call->fd, &protocol);

	if (unanswered(r))
		return sock_port(&sys_kernel, call->fd, &port, NULL, NULL) ==
			       0 &&
		       (call->verb == VERB_BIND || port == 0);
	return (r == 0 || r == -EPROTONOSUPPORT) && autobinds(call, protocol) &&
	       (call->verb == VERB_BIND || !call_has_port(call)) &&
	       reaches_autobind(call, protocol);
}

/* The pool cannot be used: programs go on, unless PORTRES_STRICT is set. */
static long
unchecked(struct call *call)
{
	if (!config_get()->strict || !may_take_port(call))
		return call->real(call);
	explain_unchecked();
	refusal_none();
	return -ENETDOWN;
}

/* Would the socket take the port from the pool? If not, the kernel answers.
 * ret_associable: it may bind in an inherited block; not so MPTCP. */
static bool
takes_port(struct pool *pool, const struct call *call,
	   enum protocol *ret_protocol, bool *ret_associable)
{
	int r = sock_protocol(&sys_kernel, call->fd, ret_protocol);

	/* A sandbox forbids getsockopt(): take the protocol that is marked. */
	if (unanswered(r)) {
		*ret_protocol = atomic_load(mark_of(pool->file, PROTOCOL_TCP,
						    call->port))
					? PROTOCOL_TCP
					: PROTOCOL_UDP;
		*ret_associable = true;
		return true;
	}
	*ret_associable = r == 0;
	return (r == 0 || r == -EPROTONOSUPPORT) &&
	       sock_takes_address(&sys_kernel, call->fd,
				  (const struct sockaddr *)&call->local);
}

/*
 * The port's state in the pool. RESERVED: by the slot that is copied, because
 * the file may be cut short later. OURS: the same, and the socket may have it.
 * PASSING: it is being reserved or released in this moment, which the lock
 * settles.
 */
enum state { FREE, OURS, RESERVED, PASSING };

static enum state
state_of(struct pool *pool, enum protocol protocol, uint16_t port,
	 struct slot *ret)
{
	const struct slot *slot;

	if (!atomic_load(mark_of(pool->file, protocol, port)))
		return FREE;
	slot = slot_by_port(pool->file, protocol, port);
	if (!slot)
		return PASSING;
	memcpy(ret, slot, sizeof(*ret));
	return slot_is_dead(ret) ? FREE : RESERVED;
}

/* Is it an inherited block? Then the guard is told so, too: the owning socket
 * may have another number than its heirs have it at. */
static bool
is_let_in(const struct call *call, const struct slot *slot)
{
	int owner = hidden_fds_owner(slot);
	struct guarded block;

	if (owner < 0)
		return false;
	block = slot_guarded(slot);
	if (guarded_by_some(&block))
		guard_associate(&sys_kernel, call->fd, owner, &block);
	return true;
}

SLOW_PATH static enum state
look_closer(struct pool *pool, const struct call *call, struct slot *ret)
{
	struct slot slot[PROTOCOL_COUNT];
	enum state state[] = {
		state_of(pool, PROTOCOL_TCP, call->port, &slot[PROTOCOL_TCP]),
		state_of(pool, PROTOCOL_UDP, call->port, &slot[PROTOCOL_UDP]),
	};
	enum protocol protocol;
	bool associable;

	if ((state[PROTOCOL_TCP] == FREE && state[PROTOCOL_UDP] == FREE) ||
	    !takes_port(pool, call, &protocol, &associable))
		return FREE;
	if (state[protocol] == RESERVED)
		memcpy(ret, &slot[protocol], sizeof(*ret));
	return state[protocol] == RESERVED && associable && is_let_in(call, ret)
		       ? OURS
		       : state[protocol];
}

/* Nearly no port is marked, for either protocol. */
static enum state
look(struct pool *pool, const struct call *call, struct slot *ret)
{
	struct segment *segment =
		&pool->file->segment[call->port / SEGMENT_PORTS];
	uint32_t n = call->port % SEGMENT_PORTS;

	return atomic_load(&segment->mark[PROTOCOL_TCP][n]) ||
			       atomic_load(&segment->mark[PROTOCOL_UDP][n])
		       ? look_closer(pool, call, ret)
		       : FREE;
}

/* Binds without announcement and without the lock, which a stopped process may
 * have. The marks can be read all the same, and a marked port is refused. */
SLOW_PATH static long
bind_unheld(struct pool *pool, struct call *call)
{
	enum protocol protocol;
	bool associable;
	uint32_t mark = 0;

	if (pool_whole(pool) && takes_port(pool, call, &protocol, &associable))
		mark = atomic_load(mark_of(pool->file, protocol, call->port));
	if (!mark)
		return unchecked(call);
	explain_passing(call->port);
	refusal_reserved(EADDRINUSE, call->port, NULL);
	return -EADDRINUSE;
}

/* Binds under the lock, if the bind cannot be announced or the port is PASSING.
 * FREE or OURS: it was bound. `pool` changes if its file was cut
 * short and is another by now. */
SLOW_PATH static long
bind_locked(struct pool **pool, struct call *call, enum state *ret_state,
	    struct slot *ret)
{
	struct pool_lock lock;
	long r = pools_enter_to_bind(call->fd, POOL_BRIEF, pool, &lock);

	*ret_state = FREE;
	if (r < 0)
		return bind_unheld(*pool, call);
	*ret_state = look(*pool, call, ret);
	if (*ret_state == PASSING)
		*ret_state = FREE;
	if (*ret_state != RESERVED)
		r = call->real(call);
	pool_leave(*pool, &lock);
	return r;
}

SLOW_PATH static long
refuse(const struct call *call, const struct slot *slot, bool unjudged)
{
	explain_reserved(slot, call->port, unjudged);
	refusal_reserved(EADDRINUSE, call->port, slot);
	return -EADDRINUSE;
}

SLOW_PATH static long
bound_in_ours(struct call *call, const struct slot *slot, long answer)
{
	if (answer == -EADDRINUSE)
		answer = in_block_restart(atomic_load(&slot->token), call);
	if (answer == 0)
		restart_bound();
	return answer;
}

/*
 * Nearly every bind passes here once: announced, no mark, bound. A reserved
 * port is refused once its owner is known to live. The slot of a dead owner is
 * marked dead, and the next look finds the port free.
 */
static long
bind_checked(struct pool *pool, struct call *call)
{
	for (int looks = 1;; looks++) {
		struct announced announced;
		enum state state = PASSING;
		struct slot slot;
		long r = 0;

		if (announced_begin(pool, call->port, &announced) == 0) {
			state = look(pool, call, &slot);
			if (state == FREE || state == OURS)
				r = call->real(call);
			announced_end(&announced);
		}
		if (state == PASSING)
			r = bind_locked(&pool, call, &state, &slot);
		if (state == FREE)
			return r;
		if (state == OURS)
			return bound_in_ours(call, &slot, r);
		r = reserve_lives(pool, atomic_load(&slot.token));
		if (r != 0 || looks == LOOKS_MAX)
			return refuse(call, &slot, r < 0);
	}
}

/*
 * Leaves autobind to the kernel while no block is in the ephemeral range.
 * Announced, so that none gets there before the port is bound; but a connect()
 * waits for its peer, and a send is nearly never the first.
 */
static bool
autobind_plainly(struct pool *pool, struct call *call, long *ret)
{
	struct announced announced;
	bool known = (call->verb == VERB_BIND || call->verb == VERB_LISTEN) &&
		     announced_begin(pool, 0, &announced) == 0;
	bool plainly =
		(known || pool_whole(pool)) && !clear_range_matters(pool->file);

	if (plainly)
		*ret = call->real(call);
	if (known)
		announced_end(&announced);
	return plainly;
}

/* Frees the blocks of dead owners. Was there any? */
static bool
sweep(struct call *call)
{
	enum pool_wait wait =
		call->verb == VERB_CONNECT ? POOL_TRY : POOL_BRIEF;
	struct pool_lock lock;
	struct pool *pool;
	uint32_t freed;

	if (pools_find(call->fd, &pool) < 0 || reserve_judge(pool) < 0 ||
	    pools_enter_to_bind(call->fd, wait, &pool, &lock) < 0)
		return false;
	freed = reserve_sweep(pool);
	pool_leave(pool, &lock);
	return freed > 0;
}

static long
autobind_announced(struct pool *pool, enum protocol protocol, struct call *call,
		   bool *ret_none)
{
	bool waits = call_waits(call, protocol);
	struct announced announced;
	bool known = !waits && announced_begin(pool, 0, &announced) == 0;
	long r;

	if (!known && !waits && config_get()->strict) {
		explain_unchecked();
		return -ENETDOWN;
	}
	r = autobind(pool, protocol, call, ret_none);
	if (known)
		announced_end(&announced);
	return r;
}

/*
 * Autobinds; if no port is left, frees the blocks of dead owners and tries
 * again. A socket that may have a port all the same goes on without.
 */
static long
autobind_clear(struct pool *pool, enum protocol protocol, struct call *call,
	       enum sock_port_state state)
{
	bool none = false;
	long r = autobind_announced(pool, protocol, call, &none);

	if (none && sweep(call))
		r = autobind_announced(pool, protocol, call, &none);
	if (none && state == SOCK_UNSURE)
		return call->real(call);
	if (none)
		explain_none_left();
	return r;
}

static long
autobind_carefully(struct pool *pool, struct call *call)
{
	enum sock_port_state state = SOCK_UNBOUND;
	enum protocol protocol;

	if (!pool_whole(pool))
		return unchecked(call);
	if (!sock_takes_ports(&sys_kernel, call->fd, &protocol) ||
	    !autobinds(call, protocol))
		return call->real(call);
	if (call->verb != VERB_BIND)
		state = sock_port_state(&sys_kernel, call->fd);
	if (state == SOCK_BOUND || !reaches_autobind(call, protocol))
		return call->real(call);
	return autobind_clear(pool, protocol, call, state);
}

/* Binds an associated socket in its block, then makes the call. */
static bool
bind_associated(struct call *call, long *ret)
{
	enum protocol protocol;

	if (!sock_takes_ports(&sys_kernel, call->fd, &protocol) ||
	    !autobinds(call, protocol) || !read_unbound(call) ||
	    !reaches_autobind(call, protocol) || !in_block_bind(call, ret))
		return false;
	if (*ret == 0 || call_bound_meanwhile(call, *ret))
		*ret = call->real(call);
	return true;
}

long
steer_choice(struct call *call)
{
	struct pool *pool;
	long r;

	if (call->verb != VERB_BIND && sockets_any_associated() &&
	    bind_associated(call, &r))
		return r;
	pool = POOLS_FOR_BIND(call->fd);
	if (!pool)
		return unchecked(call);
	if (autobind_plainly(pool, call, &r))
		return r;
	return autobind_carefully(pool, call);
}

long
steer_bind(struct call *call)
{
	struct pool *pool;
	long r;

	if (atomic_load_explicit(&sockets_associations, memory_order_relaxed) &&
	    in_block_bind(call, &r))
		return r;
	if (call->port == 0)
		return steer_choice(call);
	pool = POOLS_FOR_BIND(call->fd);
	return pool ? bind_checked(pool, call) : unchecked(call);
}
