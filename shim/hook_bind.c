/* SPDX-License-Identifier: MIT */
#include "shim/shim.h"

#include <string.h>

#include "core/announce.h"
#include "core/endpoint.h"
#include "core/reserve.h"
#include "core/slot.h"
#include "winerror.h"
#include "shim/associated.h"
#include "shim/config.h"
#include "shim/pools.h"
#include "shim/track.h"
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
	int r = real_bind(request->fd,
			  (const struct sockaddr *)&request->address,
			  request->size);

	if (r < 0)
		wsa_no_beside(); /* errno says it all */
	return r;
}

static int
refuse(void)
{
	/* Windows calls this one forbidden, not in use. */
	wsa_beside(WSAEACCES, EADDRINUSE);
	return ret_errno(-EADDRINUSE);
}

/* The pool cannot be asked: existing programs go on, unless told otherwise. */
static int
bind_unchecked(const struct request *request)
{
	return config_get()->strict ? ret_errno(-ENETDOWN)
				    : bind_really(request);
}

static bool
marked(struct pool *pool, uint16_t port)
{
	return atomic_load(mark_of(pool->file, PROTOCOL_TCP, port)) ||
	       atomic_load(mark_of(pool->file, PROTOCOL_UDP, port));
}

/* Somebody may have reserved the port: ask under the lock, and bind there. */
static int
bind_locked(const struct request *request)
{
	enum protocol protocol;
	struct pool_lock lock;
	struct pool *pool;
	int r = endpoint_protocol(&sys_kernel, request->fd, &protocol);

	if (r < 0 && r != -EPROTONOSUPPORT)
		return bind_really(request);
	r = pools_enter(request->fd, &pool, &lock);
	if (r < 0)
		return bind_unchecked(request);
	if (reserve_holder(pool, protocol, request->port))
		r = refuse();
	else
		r = bind_really(request);
	pool_leave(pool, &lock);
	return r;
}

/* Nearly every bind: nothing reserved here, no lock, no waiting. */
static int
bind_announced(struct pool *pool, const struct request *request)
{
	static __thread struct announcer self
		__attribute__((tls_model("initial-exec")));
	struct announce announce;
	int r;

	if (announce_begin(&sys_kernel, &self, pool->file, request->port,
			   &announce) < 0)
		return bind_locked(request);
	if (marked(pool, request->port)) {
		announce_end(&announce);
		return bind_locked(request);
	}
	r = bind_really(request);
	announce_end(&announce);
	return r;
}

int
shim_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	struct request request;
	struct pool *pool;
	int r;

	if (!read_request(fd, address, size, &request))
		return real_bind(fd, address, size);
	if (track_any() &&
	    associated_bind(fd, (struct sockaddr *)&request.address,
			    request.size, &r))
		return r;
	/* The system chooses, and wildcards stay out of its range. */
	if (request.port == 0)
		return bind_really(&request);
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
