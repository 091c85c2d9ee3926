/* SPDX-License-Identifier: MIT */
#include "shim/associated.h"

#include "core/kernel/port_probe.h"
#include "core/kernel/sock.h"
#include "core/kernel/sockdiag.h"
#include "core/pool/reserve.h"
#include "core/pool/slot.h"
#include "shim/announced.h"
#include "shim/config.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/shim.h"
#include "shim/sockets.h"

/*
 * What a socket with SO_REUSEADDR or SO_REUSEPORT is kept off, because the
 * kernel would give it a port that another one has. Under the pool's lock no
 * two looks interleave.
 */
struct look {
	enum protocol protocol;
	bool dual_stack;
	const struct port_set *used; /* NULL: try each */
};

/* 1 or 0, or -Exxx when the kernel would not say. */
static int
is_taken(struct look *look, uint32_t port)
{
	if (look->used)
		return port_set_has(look->used, port);
	return port_probe_conflicts(&sys_kernel, look->protocol, port,
				    &look->dual_stack);
}

/* `look` is NULL where the kernel's own answer will do. */
static int
bind_first(struct range block, struct look *look, int fd,
	   struct sockaddr *address, socklen_t size)
{
	int saved = errno;

	for (uint32_t port = block.start; port < range_end(block); port++) {
		int r = look ? is_taken(look, port) : 0;

		if (r < 0)
			return ret_errno(r);
		if (r > 0)
			continue;
		sock_set_port(address, (uint16_t)port);
		if (real_bind(fd, address, size) == 0) {
			errno = saved;
			return 0;
		}
		if (errno != EADDRINUSE)
			return -1;
	}
	return ret_errno(-EADDRINUSE);
}

/* What is only in TIME_WAIT is good enough for it, if nothing else is left. */
static int
bind_waiting(struct range block, struct look *look, int fd,
	     struct sockaddr *address, socklen_t size)
{
	long at = sys_mmap_private(&sys_kernel, sizeof(struct port_set));
	struct port_set *used = (struct port_set *)at;
	int r = -1;

	if (at < 0)
		return ret_errno(-EADDRINUSE);
	look->used = used;
	if (sockdiag_used(&sys_kernel, look->protocol, block, used) == 0)
		r = bind_first(block, look, fd, address, size);
	sys_munmap(&sys_kernel, used, sizeof(*used));
	return r;
}

static int
bind_any_of(struct range block, enum protocol protocol, int fd,
	    struct sockaddr *address, socklen_t size)
{
	struct look look = {.protocol = protocol};
	bool shares = sock_shares_ports(&sys_kernel, fd);
	int r = bind_first(block, shares ? &look : NULL, fd, address, size);

	if (r < 0 && errno == EADDRINUSE && shares && protocol == PROTOCOL_TCP)
		r = bind_waiting(block, &look, fd, address, size);
	if (r < 0 && errno == EADDRINUSE)
		refusal_set(EADDRINUSE, PORTRES_EXHAUSTED, 0);
	return r;
}

/* GONE: the block has ended, and the socket is one like others. */
enum outcome { DONE, GONE, UNUSABLE };

static enum outcome
answer(int r, int *ret_answer)
{
	*ret_answer = ret_errno(r);
	return DONE;
}

/*
 * To any port: under the lock, or two sockets that share ports could both be
 * given one. A stopped process may have it: then there is none to be had.
 */
static enum outcome
bind_to_any(uint64_t token, int fd, struct sockaddr *address, socklen_t size,
	    int *ret_answer)
{
	struct pool_lock lock;
	struct pool *pool;
	struct slot *slot;
	int r = pools_enter(fd, &pool, &lock);

	if (r == -ENETDOWN && !config_get()->strict)
		return UNUSABLE;
	/* Not a reason to hand out a port that is not the block's. */
	if (r < 0)
		return answer(r == -EBUSY ? -ENETDOWN : r, ret_answer);
	slot = slot_by_token(pool->file, token);
	if (slot)
		*ret_answer = bind_any_of(slot_range(slot),
					  (enum protocol)slot->protocol, fd,
					  address, size);
	pool_leave(pool, &lock);
	return slot ? DONE : GONE;
}

/*
 * To a certain port, which must be the block's. The announcement keeps others
 * from reserving it before it is bound. Without one (a child of vfork, 255
 * binders in the segment) only the block's owner could give it back meanwhile.
 */
static enum outcome
bind_to_one(uint64_t token, uint16_t port, int fd, struct sockaddr *address,
	    socklen_t size, int *ret_answer)
{
	struct announced announced;
	const struct slot *slot;
	struct pool *pool;
	bool inside, known;
	int r = pools_find(fd, &pool);

	if (r == -ENETDOWN && !config_get()->strict)
		return UNUSABLE;
	if (r < 0)
		return answer(r, ret_answer);
	known = announced_begin(pool, port, &announced) == 0;
	slot = slot_by_token(pool->file, token);
	inside = slot && range_contains(slot_range(slot), port);
	if (inside)
		*ret_answer = (int)kernels_answer(real_bind(fd, address, size));
	if (known)
		announced_end(&announced);
	if (inside)
		return DONE;
	/* Outside is nobody's business once the block is a dead one. */
	if (!slot || !reserve_lives(pool, token))
		return GONE;
	return answer(-EADDRNOTAVAIL, ret_answer);
}

bool
associated_bind(int fd, struct sockaddr *address, socklen_t size,
		int *ret_answer)
{
	int port = sock_address_port(address, size);
	enum outcome outcome;
	struct tracked *tracked;
	uint64_t cookie;
	uint64_t token;

	if (sock_cookie(&sys_kernel, fd, &cookie) < 0)
		return false;
	tracked = sockets_find(cookie);
	token = tracked ? atomic_load(&tracked->associated) : 0;
	/* An address of another family is the kernel's to refuse. */
	if (!token || !sock_takes_address(&sys_kernel, fd, address))
		return false;
	outcome = port ? bind_to_one(token, (uint16_t)port, fd, address, size,
				     ret_answer)
		       : bind_to_any(token, fd, address, size, ret_answer);
	/* It has served its turn: bound sockets are the kernel's to keep. */
	if (outcome == GONE || (outcome == DONE && *ret_answer == 0))
		sockets_dissociate(cookie);
	return outcome == DONE;
}
