/* SPDX-License-Identifier: MIT */
#include "shim/associated.h"

#include "core/endpoint.h"
#include "core/inuse.h"
#include "core/reserve.h"
#include "core/slot.h"
#include "winerror.h"
#include "shim/config.h"
#include "shim/pools.h"
#include "shim/shim.h"
#include "shim/track.h"
#include "shim/winsock/error.h"

/*
 * Takes the first free port of the block. The look before each bind is for
 * sockets with SO_REUSEADDR or SO_REUSEPORT: the kernel would give them a
 * port that another one has. Under the pool's lock no two looks interleave.
 */
static int
bind_any_of(struct range block, enum protocol protocol, int fd,
	    struct sockaddr *address, socklen_t size)
{
	bool dual_stack = false;
	int saved = errno;

	for (uint32_t port = block.start; port < range_end(block); port++) {
		uint32_t used;

		if (inuse_first(&sys_kernel, protocol, (struct range){port, 1},
				&dual_stack, &used) == 1)
			continue;
		endpoint_set_port(address, (uint16_t)port);
		if (real_bind(fd, address, size) == 0) {
			errno = saved;
			return 0;
		}
		if (errno != EADDRINUSE)
			return -1;
	}
	wsa_beside(WSAENOBUFS, EADDRINUSE);
	return ret_errno(-EADDRINUSE);
}

static int
bind_inside(const struct slot *slot, int fd, struct sockaddr *address,
	    socklen_t size)
{
	struct range block = slot_range(slot);
	int port = endpoint_address_port(address, size);

	if (!endpoint_takes_address(&sys_kernel, fd, address))
		return (int)wsa_plain(real_bind(fd, address, size));
	if (port == 0)
		return bind_any_of(block, (enum protocol)slot->protocol, fd,
				   address, size);
	if (!range_contains(block, (uint32_t)port))
		return ret_errno(-EADDRNOTAVAIL);
	return (int)wsa_plain(real_bind(fd, address, size));
}

bool
associated_bind(int fd, struct sockaddr *address, socklen_t size,
		int *ret_answer)
{
	struct tracked *tracked;
	struct pool_lock lock;
	struct pool *pool;
	struct slot *slot;
	uint64_t cookie;
	uint64_t token;
	int r;

	if (endpoint_cookie(&sys_kernel, fd, &cookie) < 0)
		return false;
	tracked = track_find(cookie);
	token = tracked ? atomic_load(&tracked->associated) : 0;
	if (!token)
		return false;
	r = pools_enter(fd, &pool, &lock);
	if (r == -ENETDOWN && !config_get()->strict)
		return false;
	if (r < 0) {
		/* Interrupted, or no descriptor left: not a reason to hand
		 * out a port that is not the block's. */
		*ret_answer = ret_errno(r);
		return true;
	}
	slot = slot_by_token(pool->file, token);
	if (slot)
		*ret_answer = bind_inside(slot, fd, address, size);
	/* It has served its turn: bound sockets are the kernel's to keep. */
	if (!slot || *ret_answer == 0)
		track_dissociate(cookie);
	pool_leave(pool, &lock);
	return slot != NULL;
}
