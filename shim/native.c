/* SPDX-License-Identifier: MIT */
#include "shim/native.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/pool/persistent.h"
#include "shim/config.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/request.h"
#include "shim/shim.h"
#include "shim/usermem.h"

int
native_acquire(int fd, void *block, enum pool_wait wait)
{
	struct portres_instance instance = {0};
	struct reservation got;
	struct range wanted;
	int r = usermem_read(&instance, block, sizeof(struct portres_range));

	refusal_none();
	if (r < 0)
		return r;
	wanted = (struct range){ntohs(instance.start_port),
				instance.number_of_ports};
	r = request_acquire(fd, wanted, wait, &got);
	if (r < 0)
		return r;
	instance.start_port = htons((uint16_t)got.range.start);
	instance.number_of_ports = (uint16_t)got.range.count;
	instance.token = got.token;
	r = usermem_write(block, &instance, sizeof(instance));
	if (r < 0) /* nobody knows of it */
		request_release(fd, got.token, POOL_WAIT);
	return r;
}

static int
with_token(int fd, const void *from,
	   int (*serve)(int, uint64_t, enum pool_wait))
{
	uint64_t token;
	int r = usermem_read(&token, from, sizeof(token));

	refusal_none();
	return r < 0 ? r : serve(fd, token, POOL_WAIT);
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

/* Only a caller that did not want to wait hears that the pool is busy. */
static int
native_errno(int r)
{
	return ret_errno(r == -EBUSY ? -EAGAIN : r);
}

EXPORTED int
portres_acquire(int fd, struct portres_instance *block, unsigned int flags)
{
	return native_errno(flags_known(flags)
				    ? native_acquire(fd, block, wait_of(flags))
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
 * The pool of this thread's network namespace, which a socket tells; entered,
 * so that it is not one whose file has been replaced. A call that only looks
 * does not wait for a stopped process inside.
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
	r = pools_enter_how(fd, wait, ret, &lock);
	if (r == 0)
		pool_leave(*ret, &lock);
	else if (r == -EBUSY)
		r = pools_find(fd, ret);
	sys_close(&sys_kernel, fd);
	return r;
}

/* A pool that was replaced meanwhile is none. */
static int
store_errno(int r)
{
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
		r = persistent_add(pool, store, block, &made);
	if (r == -EADDRINUSE)
		refusal_of_acquire(pool, block.protocol);
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
