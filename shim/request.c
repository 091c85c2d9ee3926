/* SPDX-License-Identifier: MIT */
#include "shim/request.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/kernel/ephemeral.h"
#include "core/kernel/sock.h"
#include "core/pool/acquire.h"
#include "core/pool/persistent.h"
#include "core/pool/slot.h"
#include "core/pool/store.h"
#include "shim/config.h"
#include "shim/fork.h"
#include "shim/hidden_fds.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/shim.h"
#include "shim/sockets.h"
#include "shim/usermem.h"

static int
protocol_of(int fd, enum protocol *ret_protocol)
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
	sysctl = sysctl_get(&sys_kernel, acquire->now, pool->inode, anywhere);
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
token_dead(const void *context, uint64_t cookie, uint64_t token)
{
	struct pool_file *file = (struct pool_file *)context;

	if (token != SOCKETS_SEVERAL)
		return !slot_by_token(file, token);
	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		const struct slot *slot = &file->slot[i];

		if (slot_live(slot) && !slot_is_dead(slot) &&
		    slot->kind == KIND_RUNTIME && slot->cookie == cookie)
			return false;
	}
	return true;
}

/* Without an entry no close marks the slot dead: the next acquirer does. */
static void
own(struct pool *pool, const struct reservation *got)
{
	if (sockets_own(got->cookie, got->token) == 0)
		return;
	sockets_purge(got->cookie, token_dead, pool->file);
	sockets_own(got->cookie, got->token);
}

static int
acquire_once(int fd, struct acquire *acquire, enum pool_wait wait,
	     struct pool **ret_pool, struct obstacle *ret_obstacle,
	     struct reservation *ret)
{
	struct pool_lock lock;
	struct pool *pool;
	int r = pools_enter(fd, wait, &pool, &lock);

	if (r < 0)
		return r;
	*ret_pool = pool;
	r = acquire_inside(pool, acquire, ret);
	*ret_obstacle = obstacle_of(pool);
	if (r == 0)
		own(pool, &ret[0]);
	if (r == 0 && acquire->both)
		own(pool, &ret[1]);
	pool_leave(pool, &lock);
	return r;
}

/* A pool is of one network namespace, and so are both of its protocols. */
static int
check_other(const struct asked *asked, enum protocol protocol)
{
	enum protocol other;
	uint64_t one, two;
	int r = protocol_of(asked->other_fd, &other);

	if (r < 0)
		return r;
	if (protocol != PROTOCOL_TCP || other != PROTOCOL_UDP)
		return -EOPNOTSUPP;
	r = sock_netns(&sys_kernel, asked->fd, &one);
	if (r == 0)
		r = sock_netns(&sys_kernel, asked->other_fd, &two);
	if (r < 0)
		return r;
	return one == two ? 0 : -EINVAL;
}

int
request_acquire(const struct asked *asked, enum pool_wait wait,
		struct reservation *ret)
{
	struct acquire acquire = {
		.range = asked->range,
		.fd = asked->fd,
		.align = asked->align,
		.both = asked->both,
		.other_fd = asked->other_fd,
		.heirs = asked->heirs,
	};
	struct obstacle obstacle = {0};
	struct pool *pool = NULL;
	int r = protocol_of(asked->fd, &acquire.protocol);

	if (r == 0 && asked->both)
		r = check_other(asked, acquire.protocol);
	if (r < 0)
		return r;
	if (!range_valid(asked->range) ||
	    (asked->align && asked->range.start % asked->align))
		return -EINVAL;
	do
		r = acquire_once(asked->fd, &acquire, wait, &pool, &obstacle,
				 ret);
	while (r == -EAGAIN && (r = reserve_judge_for(pool, &acquire)) == 0);
	if (r == -EADDRINUSE)
		refusal_of_acquire(pool, obstacle);
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
	int r = protocol_of(fd, &protocol);

	if (r < 0)
		return r;
	r = pools_enter(fd, wait, &pool, &lock);
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
	/* Another process' token and an unknown one are one error here. */
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
	const struct slot *slot;
	int holder;
	int r = protocol_of(fd, &protocol);

	if (r == 0)
		r = sock_port(&sys_kernel, fd, &port, NULL, NULL);
	if (r == 0)
		r = sock_cookie(&sys_kernel, fd, &cookie);
	if (r < 0)
		return r;
	if (sock_port_state(&sys_kernel, fd) != SOCK_UNBOUND)
		return -EINVAL;
	r = pools_enter(fd, wait, &pool, &lock);
	if (r < 0)
		return r;
	r = reserve_find(pool, protocol, token, &found, &holder);
	slot = r == 0 ? slot_by_token(pool->file, token) : NULL;
	if (r == 0 && !slot)
		r = -EINVAL;
	/* `portres run` had the right when it opened the block to us. */
	if (r == 0 && found.kind == KIND_PERSISTENT &&
	    hidden_fds_owner(slot) < 0 &&
	    !store_right(&sys_kernel, config_get()->store))
		r = -EACCES;
	if (r == 0)
		r = sockets_associate(cookie, token);
	if (r == -ENOBUFS) {
		sockets_purge(cookie, token_dead, pool->file);
		r = sockets_associate(cookie, token);
	}
	if (r == 0 && guarded_by_some(&found.guard))
		guard_associate(&sys_kernel, fd,
				holder >= 0 ? holder : hidden_fds_owner(slot),
				&found.guard);
	unsettle(fd); /* its socket has no port */
	pool_leave(pool, &lock);
	if (r != -EACCES)
		return r;
	/* The token of a dead owner is unknown. */
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

static struct portres_instance
instance_of(const struct reservation *got)
{
	return (struct portres_instance){
		.start_port = htons((uint16_t)got->range.start),
		.number_of_ports = (uint16_t)got->range.count,
		.token = got->token,
	};
}

/* `blocks`: one, or two with `both`. */
static int
acquire_for(struct asked *asked, struct portres_instance *blocks,
	    enum pool_wait wait)
{
	struct portres_instance made[PROTOCOL_COUNT] = {0};
	struct reservation got[PROTOCOL_COUNT];
	size_t count = asked->both ? 2 : 1;
	int r = usermem_read(made, blocks, sizeof(struct portres_range));

	refusal_none();
	if (r < 0)
		return r;
	asked->range =
		(struct range){ntohs(made->start_port), made->number_of_ports};
	r = request_acquire(asked, wait, got);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		made[i] = instance_of(&got[i]);
	r = usermem_write(blocks, made, count * sizeof(*made));
	if (r == 0)
		return 0;
	/* nobody knows of it */
	request_release(asked->fd, got[0].token, POOL_WAIT);
	if (asked->both)
		request_release(asked->other_fd, got[1].token, POOL_WAIT);
	return r;
}

int
native_acquire(int fd, void *block, enum pool_wait wait)
{
	struct asked asked = {.fd = fd};

	return acquire_for(&asked, block, wait);
}

static int
with_token(int fd, const void *from,
	   int (*request)(int, uint64_t, enum pool_wait))
{
	uint64_t token;
	int r = usermem_read(&token, from, sizeof(token));

	refusal_none();
	return r < 0 ? r : request(fd, token, POOL_WAIT);
}

int
native_release(int fd, const void *token)
{
	return with_token(fd, token, request_release);
}

int
native_associate(int fd, const void *token)
{
	return with_token(fd, token, request_associate);
}

static enum pool_wait
wait_of(unsigned int flags)
{
	return flags & PORTRES_NOWAIT ? POOL_TRY : POOL_WAIT;
}

static bool
flags_known(unsigned int flags)
{
	return (flags & ~(unsigned int)PORTRES_NOWAIT) == 0;
}

static bool
acquire_flags_known(unsigned int flags)
{
	return flags_known(flags & 0xffff & ~(unsigned int)PORTRES_HEIRS);
}

#define ALIGN_OF(flags) ((flags) >> 16)

/* Only a caller with PORTRES_NOWAIT gets -EBUSY from the pool. */
static int
native_errno(int r)
{
	return ret_errno(r == -EBUSY ? -EAGAIN : r);
}

EXPORTED int
portres_acquire(int fd, struct portres_instance *block, unsigned int flags)
{
	struct asked asked = {.fd = fd,
			      .align = ALIGN_OF(flags),
			      .heirs = flags & PORTRES_HEIRS};

	refusal_none();
	return native_errno(acquire_flags_known(flags)
				    ? acquire_for(&asked, block, wait_of(flags))
				    : -EINVAL);
}

EXPORTED int
portres_acquire_both(int tcp, int udp, struct portres_instance blocks[2],
		     unsigned int flags)
{
	struct asked asked = {.fd = tcp,
			      .both = true,
			      .other_fd = udp,
			      .align = ALIGN_OF(flags),
			      .heirs = flags & PORTRES_HEIRS};

	refusal_none();
	return native_errno(
		acquire_flags_known(flags)
			? acquire_for(&asked, blocks, wait_of(flags))
			: -EINVAL);
}

EXPORTED int
portres_release(int fd, uint64_t token, unsigned int flags)
{
	refusal_none();
	return native_errno(flags_known(flags)
				    ? request_release(fd, token, wait_of(flags))
				    : -EINVAL);
}

EXPORTED int
portres_associate(int fd, uint64_t token, unsigned int flags)
{
	refusal_none();
	return native_errno(
		flags_known(flags)
			? request_associate(fd, token, wait_of(flags))
			: -EINVAL);
}

static int
block_of(int protocol, uint16_t start_port, uint16_t number_of_ports,
	 struct block *ret)
{
	ret->protocol = protocol == IPPROTO_TCP ? PROTOCOL_TCP : PROTOCOL_UDP;
	ret->range = (struct range){ntohs(start_port), number_of_ports};
	return (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) &&
			       block_valid(*ret)
		       ? 0
		       : -EINVAL;
}

/*
 * The pool of this thread's network namespace, which a new socket is in;
 * entered once, so that it is not one whose file has been replaced. A lookup
 * does not wait for a stopped process that has the lock.
 */
static int
open_pool(enum pool_wait wait, struct pool **ret)
{
	int fd = sys_socket(&sys_kernel, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pool_lock lock;
	int r;

	refusal_none();
	if (fd < 0)
		return fd;
	r = pools_enter(fd, wait, ret, &lock);
	if (r == 0)
		pool_leave(*ret, &lock);
	else if (r == -EBUSY)
		r = pools_find(fd, ret);
	sys_close(&sys_kernel, fd);
	return r;
}

/* A pool that was replaced meanwhile cannot be used. Programs are not told of
 * the guard. */
static int
store_errno(int r)
{
	if (r > 0)
		return r & PERSISTENT_UNCONFIRMED;
	return ret_errno(r == -ESTALE ? -ENETDOWN : r);
}

EXPORTED int
portres_persistent_create(int protocol, uint16_t start_port,
			  uint16_t number_of_ports, uint64_t *token)
{
	const char *store = config_get()->store;
	struct block block;
	struct pool *pool;
	uint64_t made;
	int r = block_of(protocol, start_port, number_of_ports, &block);

	if (r == 0)
		r = open_pool(POOL_PATIENT, &pool);
	if (r == 0)
		r = persistent_add(pool, store, &block, NULL, &made);
	if (r == -EADDRINUSE)
		refusal_of_acquire(pool, obstacle_of(pool));
	if (r >= 0 && usermem_write(token, &made, sizeof(made)) < 0) {
		persistent_delete(pool, store, block);
		r = -EFAULT;
	}
	return store_errno(r);
}

EXPORTED int
portres_persistent_delete(int protocol, uint16_t start_port,
			  uint16_t number_of_ports)
{
	struct block block;
	struct pool *pool;
	int r = block_of(protocol, start_port, number_of_ports, &block);

	if (r == 0)
		r = open_pool(POOL_PATIENT, &pool);
	if (r == 0)
		r = persistent_delete(pool, config_get()->store, block);
	return store_errno(r);
}

EXPORTED int
portres_persistent_find(int protocol, uint16_t start_port,
			uint16_t number_of_ports, uint64_t *token)
{
	struct block block;
	struct pool *pool;
	uint64_t found;
	int r = block_of(protocol, start_port, number_of_ports, &block);

	if (r == 0)
		r = open_pool(POOL_BRIEF, &pool);
	if (r == 0)
		r = persistent_lookup(pool, block, &found);
	if (r == 0)
		r = usermem_write(token, &found, sizeof(found));
	return store_errno(r);
}
