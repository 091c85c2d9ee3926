/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/kernel/sock.h"
#include "core/pool/reserve.h"
#include "core/pool/slot.h"
#include "shim/announced.h"
#include "shim/associated.h"
#include "shim/config.h"
#include "shim/explain.h"
#include "shim/hidden_fds.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/shim.h"
#include "shim/sockets.h"
#include "shim/unbound.h"
#include "shim/usermem.h"

#define LOOKS_MAX 8 /* at a port that changes its owner meanwhile */

/* A bind whose address has been read, once, so that it cannot change. */
struct request {
	int fd;
	struct sockaddr_storage address;
	socklen_t size;
	uint16_t port;
};

/* False for what the kernel should answer by itself. */
static bool
read_request(int fd, const struct sockaddr *address, socklen_t size,
	     struct request *ret)
{
	int port;

	if (size < sizeof(struct sockaddr_in) || size > sizeof(ret->address) ||
	    !usermem_readable(address, size))
		return false;
	ret->fd = fd;
	ret->size = size;
	memcpy(&ret->address, address, size);
	port = sock_address_port((struct sockaddr *)&ret->address, size);
	ret->port = (uint16_t)port;
	return port >= 0;
}

static int
bind_really(const struct request *request)
{
	return (int)kernels_answer(real_bind(
		request->fd, (const struct sockaddr *)&request->address,
		request->size));
}

static int
refuse(const struct pool *pool, uint16_t port, const struct slot *slot)
{
	refusal_reserved(EADDRINUSE, port, pool, slot);
	return ret_errno(-EADDRINUSE);
}

/* The pool cannot be asked: existing programs go on, unless told otherwise. */
static int
bind_unchecked(const struct request *request)
{
	enum protocol protocol;

	return config_get()->strict && sock_takes_ports(&sys_kernel,
							request->fd, &protocol)
		       ? ret_errno(-ENETDOWN)
		       : bind_really(request);
}

static bool
marked_at_all(struct pool *pool, uint16_t port)
{
	return atomic_load(mark_of(pool->file, PROTOCOL_TCP, port)) ||
	       atomic_load(mark_of(pool->file, PROTOCOL_UDP, port));
}

/*
 * Is the port one that the socket would take from the pool? Otherwise the
 * kernel says why not. A block that the program was started with is open to
 * what can be associated: not to MPTCP.
 */
static bool
matters(struct pool *pool, const struct request *request,
	enum protocol *ret_protocol, bool *ret_associable)
{
	int r = sock_protocol(&sys_kernel, request->fd, ret_protocol);

	/* A sandbox forbids to ask: then it is the one that is marked. */
	if (r == -EPERM || r == -EACCES || r == -ENOSYS) {
		*ret_protocol = atomic_load(mark_of(pool->file, PROTOCOL_TCP,
						    request->port))
					? PROTOCOL_TCP
					: PROTOCOL_UDP;
		*ret_associable = true;
		return true;
	}
	*ret_associable = r == 0;
	return (r == 0 || r == -EPROTONOSUPPORT) &&
	       sock_takes_address(&sys_kernel, request->fd,
				  (const struct sockaddr *)&request->address);
}

/*
 * What the pool says of the port. PASSING: it is being reserved, or given
 * back, in this moment; whoever has the lock knows more.
 */
enum state { FREE, RESERVED, PASSING };

static enum state
look(struct pool *pool, const struct request *request, struct slot **ret_slot,
     uint64_t *ret_token)
{
	enum protocol protocol;
	bool associable;

	if (!marked_at_all(pool, request->port) ||
	    !matters(pool, request, &protocol, &associable) ||
	    !atomic_load(mark_of(pool->file, protocol, request->port)))
		return FREE;
	*ret_slot = slot_by_port(pool->file, protocol, request->port);
	if (!*ret_slot)
		return PASSING;
	*ret_token = atomic_load(&(*ret_slot)->token);
	if (*ret_token & TOKEN_DEAD ||
	    (associable && hidden_fds_owns(*ret_slot)))
		return FREE;
	return RESERVED;
}

/*
 * While one is held, nobody reserves the port whom the bind would not find, or
 * who would not find the bind: an announcement, or the pool's lock.
 */
struct hold {
	bool locked;
	struct pool *pool;
	struct pool_lock lock;
	struct announced announced;
};

static int
hold_begin(struct pool *pool, const struct request *request, bool lock,
	   struct hold *ret)
{
	ret->pool = pool;
	ret->locked = lock ||
		      announced_begin(pool, request->port, &ret->announced) < 0;
	return ret->locked ? pools_enter(request->fd, &ret->pool, &ret->lock)
			   : 0;
}

static void
hold_end(struct hold *hold)
{
	if (hold->locked)
		pool_leave(hold->pool, &hold->lock);
	else
		announced_end(&hold->announced);
}

/*
 * Neither an announcement nor, in time, the lock: a stopped process may have
 * it. The marks can be read all the same, and a marked port is not had.
 */
static int
bind_without_hold(struct pool *pool, const struct request *request)
{
	enum protocol protocol;
	bool associable;
	uint32_t mark = 0;

	if (pool_whole(pool) && matters(pool, request, &protocol, &associable))
		mark = atomic_load(
			mark_of(pool->file, protocol, request->port));
	if (!mark)
		return bind_unchecked(request);
	if (config_get()->debug)
		explain_passing(request->port);
	return refuse(pool, request->port, NULL);
}

/*
 * Nearly every bind goes through here once: announced, no mark, bound. What is
 * reserved is refused as soon as its owner is known to live. Where the owner
 * is dead the judgement ends the slot, and the next look finds the port free.
 */
static int
bind_checked(struct pool *pool, const struct request *request)
{
	struct slot *slot = NULL;
	bool lock = false;
	uint64_t token;

	for (int looks = 1;; looks++) {
		struct hold hold;
		enum state state;
		int r = hold_begin(pool, request, lock, &hold);

		if (r < 0)
			return bind_without_hold(pool, request);
		state = look(hold.pool, request, &slot, &token);
		if (state == FREE || (state == PASSING && hold.locked)) {
			r = bind_really(request);
			hold_end(&hold);
			return r;
		}
		hold_end(&hold);
		lock = state == PASSING;
		if (lock)
			continue;
		r = reserve_lives(hold.pool, token);
		if (r == 0 && looks < LOOKS_MAX)
			continue;
		if (config_get()->debug)
			explain_refusal(slot, request->port, r < 0);
		return refuse(hold.pool, request->port, slot);
	}
}

/* The system chooses, from what is not reserved. */
static int
bind_chosen(struct request *request)
{
	struct unbound unbound;
	struct choice choice;
	bool bound;
	int r;

	if (!choice_begin(request->fd, &choice)) {
		r = bind_really(request);
		choice_end(&choice);
		return r;
	}
	/* With IP_BIND_ADDRESS_NO_PORT nobody chooses, yet; and an address of
	 * another family is the kernel's to refuse. */
	if (sock_puts_port_off(&sys_kernel, request->fd) ||
	    !sock_takes_address(&sys_kernel, request->fd,
				(struct sockaddr *)&request->address))
		return bind_really(request);
	r = unbound_choose(request->fd, (struct sockaddr *)&request->address,
			   request->size, &bound);
	/* With no port left a bound socket hears first that it is bound. */
	if (r < 0 && errno == EADDRINUSE && !unbound_is(request->fd, &unbound))
		r = ret_errno(-EINVAL);
	if (r < 0)
		return r;
	return bound ? 0 : bind_really(request);
}

int
shim_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	struct request request;
	struct pool *pool;
	int r;

	if (!read_request(fd, address, size, &request))
		return (int)kernels_answer(real_bind(fd, address, size));
	if (sockets_any_associated() &&
	    associated_bind(fd, (struct sockaddr *)&request.address,
			    request.size, &r))
		return r;
	if (request.port == 0)
		return bind_chosen(&request);
	pool = pools_for_bind(fd);
	return pool ? bind_checked(pool, &request) : bind_unchecked(&request);
}

EXPORTED int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
	return shim_bind(fd, address, size);
}
