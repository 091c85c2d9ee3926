/* SPDX-License-Identifier: MIT */
#include "shim/shim.h"

#include <string.h>

#include "core/endpoint.h"
#include "core/reserve.h"
#include "core/slot.h"
#include "winerror.h"
#include "shim/announced.h"
#include "shim/associated.h"
#include "shim/config.h"
#include "shim/explain.h"
#include "shim/gate.h"
#include "shim/inherited.h"
#include "shim/pools.h"
#include "shim/track.h"
#include "shim/unbound.h"
#include "shim/user.h"
#include "shim/winsock/error.h"

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
	    !user_readable(address, size))
		return false;
	ret->fd = fd;
	ret->size = size;
	memcpy(&ret->address, address, size);
	port = endpoint_address_port((struct sockaddr *)&ret->address, size);
	ret->port = (uint16_t)port;
	return port >= 0;
}

static int
bind_really(const struct request *request)
{
	return (int)wsa_plain(real_bind(
		request->fd, (const struct sockaddr *)&request->address,
		request->size));
}

static int
refuse(const struct slot *slot, uint16_t port)
{
	if (config_get()->debug)
		explain_refusal(slot, port);
	/* Windows calls this one forbidden, not in use. */
	wsa_beside(WSAEACCES, EADDRINUSE);
	return ret_errno(-EADDRINUSE);
}

/* The pool cannot be asked: existing programs go on, unless told otherwise. */
static int
bind_unchecked(const struct request *request)
{
	enum protocol protocol;

	return config_get()->strict &&
			       endpoint_takes_ports(&sys_kernel, request->fd,
						    &protocol)
		       ? ret_errno(-ENETDOWN)
		       : bind_really(request);
}

static bool
marked(struct pool *pool, uint16_t port)
{
	return atomic_load(mark_of(pool->file, PROTOCOL_TCP, port)) ||
	       atomic_load(mark_of(pool->file, PROTOCOL_UDP, port));
}

/*
 * Is the port in a reservation that this socket has no part in? Of a block
 * that the program was started with, what can be associated has one: not MPTCP.
 */
static bool
is_foreign(const struct slot *slot, int fd)
{
	enum protocol protocol;

	return slot && !(inherited_owns(slot) &&
			 endpoint_protocol(&sys_kernel, fd, &protocol) == 0);
}

/* Somebody may have reserved the port: ask under the lock, and bind there. */
static int
bind_locked(const struct request *request, enum protocol protocol)
{
	struct pool_lock lock;
	struct pool *pool;
	struct slot *slot;
	int r = pools_enter(request->fd, &pool, &lock);

	if (r < 0)
		return bind_unchecked(request);
	slot = reserve_holder(pool, protocol, request->port);
	r = is_foreign(slot, request->fd) ? refuse(slot, request->port)
					  : bind_really(request);
	pool_leave(pool, &lock);
	return r;
}

/* A plain no needs no lock, nor waits for other processes. */
static const struct slot *
peek(struct pool *pool, enum protocol protocol, uint16_t port)
{
	const struct slot *slot;
	struct gate_visit visit;

	if (!pool_whole(pool))
		return NULL;
	gate_visit(&visit);
	slot = reserve_peek(pool, protocol, port);
	gate_visit_end(&visit);
	return slot;
}

static int
bind_carefully(struct pool *pool, const struct request *request)
{
	enum protocol protocol;
	const struct slot *slot;

	if (!endpoint_takes_ports(&sys_kernel, request->fd, &protocol) ||
	    !endpoint_takes_address(&sys_kernel, request->fd,
				    (const struct sockaddr *)&request->address))
		return bind_really(request);
	slot = peek(pool, protocol, request->port);
	return is_foreign(slot, request->fd) ? refuse(slot, request->port)
					     : bind_locked(request, protocol);
}

/* Of a block that the program was started with? */
static bool
is_inherited(struct pool *pool, const struct request *request)
{
	enum protocol protocol;
	const struct slot *slot;

	if (!track_guarding() ||
	    endpoint_protocol(&sys_kernel, request->fd, &protocol) < 0)
		return false;
	slot = slot_by_port(pool->file, protocol, request->port);
	return slot && inherited_owns(slot);
}

/* Nearly every bind: nothing reserved here, no lock, no waiting. */
static int
bind_announced(struct pool *pool, const struct request *request)
{
	struct announced announced;
	int r;

	if (announced_begin(pool, request->port, &announced) < 0)
		return bind_carefully(pool, request);
	if (marked(pool, request->port) && !is_inherited(pool, request)) {
		announced_end(&announced);
		return bind_carefully(pool, request);
	}
	r = bind_really(request);
	announced_end(&announced);
	return r;
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
	if (endpoint_puts_port_off(&sys_kernel, request->fd) ||
	    !endpoint_takes_address(&sys_kernel, request->fd,
				    (struct sockaddr *)&request->address))
		return bind_really(request);
	r = unbound_choose(request->fd, (struct sockaddr *)&request->address,
			   request->size, &bound);
	/* With no port left a bound socket hears first that it is bound. */
	if (r < 0 && errno == EADDRINUSE && !unbound_is(request->fd, &unbound))
		r = ret_errno(-EINVAL);
	if (r < 0)
		return (int)wsa_plain(r);
	return bound ? 0 : bind_really(request);
}

int
shim_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	struct request request;
	struct pool *pool;
	int r;

	if (!read_request(fd, address, size, &request))
		return real_bind(fd, address, size);
	if (track_any_associated() &&
	    associated_bind(fd, (struct sockaddr *)&request.address,
			    request.size, &r))
		return r;
	if (request.port == 0)
		return bind_chosen(&request);
	pool = pools_for_bind(fd);
	if (!pool)
		return bind_unchecked(&request);
	return bind_announced(pool, &request);
}

EXPORTED int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
	return shim_bind(fd, address, size);
}
