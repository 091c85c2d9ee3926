/* SPDX-License-Identifier: MIT */
#include "shim/unbound.h"

#include "core/kernel/sock.h"
#include "core/pool/clear_range.h"
#include "core/pool/reserve.h"
#include "shim/announced.h"
#include "shim/associated.h"
#include "shim/config.h"
#include "shim/fork.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/shim.h"
#include "shim/sockets.h"

_Atomic uint64_t unbound_numbers[UNBOUND_NUMBERS / 64];

void
unbound_renew_all(void)
{
	for (int i = 0; i < UNBOUND_NUMBERS / 64; i++)
		if (atomic_load_explicit(&unbound_numbers[i],
					 memory_order_relaxed))
			atomic_store(&unbound_numbers[i], 0);
}

bool
unbound_is(int fd, struct unbound *ret)
{
	const struct sys_ops *sys = &sys_kernel;
	uint16_t port;

	ret->fd = fd;
	if (sock_port(sys, fd, &port, &ret->any, &ret->size) < 0)
		return false;
	return port == 0 ||
	       (sock_gave_up_port(sys, fd) &&
		sock_port(sys, fd, &port, &ret->any, &ret->size) == 0 &&
		port == 0);
}

int
unbound_associated(struct unbound *unbound)
{
	int answer;

	if (sockets_any_associated() &&
	    associated_bind(unbound->fd, (struct sockaddr *)&unbound->any,
			    unbound->size, &answer))
		return answer;
	return 0;
}

bool
unbound_forbidden(int fd)
{
	struct pool *pool = pools_for_bind(fd);
	enum protocol protocol;

	return config_get()->strict && !(pool && pool_whole(pool)) &&
	       sock_takes_ports(&sys_kernel, fd, &protocol);
}

bool
unbound_sweep(int fd, enum pool_wait wait)
{
	struct pool_lock lock;
	struct pool *pool;
	uint32_t freed;

	if (pools_find(fd, &pool) < 0 || reserve_judge(pool) < 0 ||
	    pools_enter_how(fd, wait, &pool, &lock) < 0)
		return false;
	freed = reserve_sweep(pool);
	pool_leave(pool, &lock);
	return freed > 0;
}

/*
 * Announced as a choice, so that no reservation which reaches into the range
 * is made before the port is bound; nobody is waited for. Where that cannot be
 * done only an acquirer in this very moment could be given the same port.
 */
static int
choose(struct pool *pool, enum protocol protocol, int fd,
       struct sockaddr *address, socklen_t size)
{
	struct announced announced;
	struct fork_visit visit;
	bool known = announced_begin(pool, ANNOUNCE_CHOICE, &announced) == 0;
	int r;

	if (!known && config_get()->strict)
		return -ENETDOWN;
	atomic_thread_fence(memory_order_seq_cst);
	fork_visit(&visit);
	r = implicit_bind(pool, protocol, fd, address, size);
	fork_visit_end(&visit);
	if (known)
		announced_end(&announced);
	return r;
}

int
unbound_choose(int fd, struct sockaddr *address, socklen_t size,
	       bool *ret_bound)
{
	struct pool *pool = pools_for_bind(fd);
	enum protocol protocol;
	int r;

	*ret_bound = false;
	if (unbound_forbidden(fd))
		return ret_errno(-ENETDOWN);
	if (!pool || !pool_whole(pool) || !implicit_matters(pool) ||
	    !sock_takes_ports(&sys_kernel, fd, &protocol))
		return 0;
	r = choose(pool, protocol, fd, address, size);
	/* What is reserved may be reserved by the dead. */
	if (r == -EADDRINUSE && unbound_sweep(fd, POOL_BRIEF))
		r = choose(pool, protocol, fd, address, size);
	if (r == -EADDRINUSE)
		r = implicit_refusal(pool, protocol, address, size);
	*ret_bound = r == 0;
	if (r < 0)
		refusal_none();
	return ret_errno(r);
}

int
unbound_bind(int fd, int none_left)
{
	struct unbound unbound;
	int saved = errno;
	bool bound;

	/* If it has a port after all, this fails and changes nothing. */
	if (!unbound_is(fd, &unbound)) {
		if (sock_port_unsure(&sys_kernel, fd)) {
			sock_set_port((struct sockaddr *)&unbound.any, 0);
			unbound_choose(fd, (struct sockaddr *)&unbound.any,
				       unbound.size, &bound);
			errno = saved;
		}
		return 0;
	}
	if (unbound_associated(&unbound) < 0)
		return -1;
	/* Still unbound? Then it was not associated. */
	if (!unbound_is(fd, &unbound))
		return 0;
	if (unbound_choose(fd, (struct sockaddr *)&unbound.any, unbound.size,
			   &bound) == 0)
		return 0;
	return errno == EADDRINUSE ? ret_errno(-none_left) : -1;
}
