/* SPDX-License-Identifier: MIT */
#include "shim/request.h"

#include <errno.h>

#include "core/kernel/ephemeral.h"
#include "core/kernel/sock.h"
#include "core/pool/acquire.h"
#include "core/pool/slot.h"
#include "core/pool/store.h"
#include "shim/config.h"
#include "shim/fork.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/settled.h"
#include "shim/sockets.h"

static int
carrier(int fd, enum protocol *ret_protocol)
{
	int r = sock_protocol(&sys_kernel, fd, ret_protocol);

	return r == -EPROTONOSUPPORT ? -EOPNOTSUPP : r;
}

static int
acquire_inside(struct pool *pool, struct acquire *acquire,
	       struct reservation *ret)
{
	const struct range_list *wildcard = &config_get()->wildcard;
	bool anywhere = acquire->range.start == 0;
	const struct sysctl *sysctl;
	struct range_list around;

	acquire->now = sys_clock(&sys_kernel, CLOCK_REALTIME);
	sysctl = sysctl_get(acquire->now, pool->inode, anywhere);
	acquire->ephemeral = sysctl->ephemeral;
	acquire->forbidden = &sysctl->reserved;
	if (anywhere && wildcard->count == 0) {
		range_list_around(sysctl->ephemeral, &around);
		wildcard = &around;
	}
	acquire->wildcard = wildcard;
	return reserve_acquire(pool, acquire, ret);
}

static bool
token_dead(const void *context, uint64_t token)
{
	struct pool_file *file = (struct pool_file *)context;

	return !slot_by_token(file, token);
}

static int
acquire_once(int fd, struct acquire *acquire, enum pool_wait wait,
	     struct pool **ret_pool, struct reservation *ret)
{
	struct pool_lock lock;
	struct pool *pool;
	int r = pools_enter_how(fd, wait, &pool, &lock);

	if (r < 0)
		return r;
	*ret_pool = pool;
	r = acquire_inside(pool, acquire, ret);
	/* Where there is no room the socket's close will be less prompt. */
	if (r == 0 && sockets_own(ret->cookie, ret->token) < 0) {
		sockets_purge(token_dead, pool->file);
		sockets_own(ret->cookie, ret->token);
	}
	pool_leave(pool, &lock);
	return r;
}

int
request_acquire(int fd, struct range wanted, enum pool_wait wait,
		struct reservation *ret)
{
	struct acquire acquire = {.range = wanted, .fd = fd};
	struct pool *pool = NULL;
	int r = carrier(fd, &acquire.protocol);

	if (r < 0)
		return r;
	if (!range_valid(wanted))
		return -EINVAL;
	do
		r = acquire_once(fd, &acquire, wait, &pool, ret);
	while (r == -EAGAIN && (r = reserve_judge_for(pool, &acquire)) == 0);
	if (r == -EADDRINUSE)
		refusal_of_acquire(pool, acquire.protocol);
	return r;
}

int
request_release(int fd, uint64_t token, enum pool_wait wait)
{
	enum protocol protocol;
	struct reservation found;
	struct pool_lock lock;
	struct pool *pool;
	int holder;
	int r = carrier(fd, &protocol);

	if (r < 0)
		return r;
	r = pools_enter_how(fd, wait, &pool, &lock);
	if (r < 0)
		return r;
	r = reserve_find(pool, protocol, token, &found, &holder);
	if (r == 0 && found.kind == KIND_PERSISTENT)
		r = -EINVAL; /* iphlpapi deletes those */
	if (r == 0) {
		reserve_release(pool, &found, holder);
		sockets_disown(found.cookie, token);
	}
	pool_leave(pool, &lock);
	/* Somebody else's and nobody's are one to this call. */
	return r == -EACCES ? -EINVAL : r;
}

int
request_associate(int fd, uint64_t token, enum pool_wait wait)
{
	enum protocol protocol;
	struct reservation found;
	struct pool_lock lock;
	struct pool *pool;
	uint64_t cookie;
	uint16_t port;
	int holder;
	int r = carrier(fd, &protocol);

	if (r == 0)
		r = sock_port(&sys_kernel, fd, &port, NULL, NULL);
	if (r == 0)
		r = sock_cookie(&sys_kernel, fd, &cookie);
	if (r < 0)
		return r;
	if (port != 0 && !sock_gave_up_port(&sys_kernel, fd))
		return -EINVAL;
	r = pools_enter_how(fd, wait, &pool, &lock);
	if (r < 0)
		return r;
	r = reserve_find(pool, protocol, token, &found, &holder);
	if (r == 0 && found.kind == KIND_PERSISTENT &&
	    !store_right(&sys_kernel, config_get()->store))
		r = -EACCES;
	if (r == 0)
		r = sockets_associate(cookie, token);
	if (r == -ENOBUFS) {
		sockets_purge(token_dead, pool->file);
		r = sockets_associate(cookie, token);
	}
	unsettle(fd); /* which has no port, whatever it did before */
	pool_leave(pool, &lock);
	if (r != -EACCES)
		return r;
	/* A dead one's token is nobody's. */
	r = reserve_lives(pool, token);
	if (r == -EMFILE || r == -ENFILE)
		return r;
	if (r == 0)
		return -EINVAL;
	refusal_reserved(EACCES, 0,
			 pool_whole(pool) ? slot_by_token(pool->file, token)
					  : NULL);
	return -EACCES;
}
