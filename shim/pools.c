/* SPDX-License-Identifier: MIT */
#include "shim/pools.h"

#include <errno.h>
#include <pthread.h>

#include "core/endpoint.h"
#include "core/implicit.h"
#include "shim/config.h"
#include "shim/track.h"

#define POOLS_MAX 16
#define FORK_LOOKS                                                             \
	20000 /* of 50 us: an acquire of all ports is over by then             \
	       */
#define FORK_NAP_NS 50000

/* An entry is filled once and never again: binders hold pointers to it. */
enum { EMPTY, FILLING, READY, STALE };

static struct entry {
	_Atomic int state;
	uint64_t netns;
	struct pool pool;
} entries[POOLS_MAX];

static _Atomic uint32_t gate;
static struct pool *_Atomic first;

static struct entry *
entry_find(uint64_t netns)
{
	for (int i = 0; i < POOLS_MAX; i++)
		if (atomic_load(&entries[i].state) == READY &&
		    entries[i].netns == netns)
			return &entries[i];
	return NULL;
}

static struct entry *
entry_take(void)
{
	for (int i = 0; i < POOLS_MAX; i++) {
		int empty = EMPTY;

		if (atomic_compare_exchange_strong(&entries[i].state, &empty,
						   FILLING))
			return &entries[i];
	}
	return NULL;
}

static int
entry_open(uint64_t netns, enum pool_wait wait, struct entry **ret)
{
	const struct config *config = config_get();
	struct entry *entry;
	int r;

	if (!config->directory[0])
		return -ENETDOWN;
	entry = entry_take();
	if (!entry)
		return -ENETDOWN;
	r = pool_open_how(&sys_kernel, config->directory,
			  config->make_directory, netns, &gate, wait,
			  &entry->pool);
	if (r < 0) {
		atomic_store(&entry->state, EMPTY);
		return r;
	}
	entry->netns = netns;
	atomic_store(&entry->state, READY);
	atomic_store(&first, &entry->pool);
	*ret = entry;
	return 0;
}

static int
entry_for(int fd, enum pool_wait wait, struct entry **ret)
{
	struct entry *entry;
	uint64_t netns;
	int r = endpoint_netns(&sys_kernel, fd, &netns);

	if (r < 0)
		return r;
	entry = entry_find(netns);
	if (!entry)
		return entry_open(netns, wait, ret);
	*ret = entry;
	return 0;
}

/*
 * A pool that could not be opened is not tried again within the second: a
 * program that sends without being bound would try with every packet.
 */
static bool
too_soon(bool failed)
{
	static _Atomic time_t again_at;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (failed)
		atomic_store(&again_at, now.tv_sec + 1);
	return now.tv_sec < atomic_load(&again_at);
}

/* Not for programs that only ever talk to syslog. */
static struct pool *
open_for_bind(int fd)
{
	enum protocol protocol;
	struct entry *entry;

	if (too_soon(false) ||
	    !endpoint_takes_ports(&sys_kernel, fd, &protocol))
		return NULL;
	if (entry_for(fd, POOL_WAIT, &entry) == 0)
		return &entry->pool;
	too_soon(true);
	return NULL;
}

struct pool *
pools_for_bind(int fd)
{
	struct pool *pool = atomic_load_explicit(&first, memory_order_acquire);

	return pool ? pool : open_for_bind(fd);
}

bool
pools_concern_implicit(int fd)
{
	struct pool *pool;

	if (track_any_associated())
		return true;
	pool = pools_for_bind(fd);
	return pool && pool_whole(pool) && implicit_matters(pool);
}

int
pools_enter_how(int fd, enum pool_wait wait, struct pool **ret_pool,
		struct pool_lock *ret_lock)
{
	struct entry *entry;
	int r;

	for (int i = 0; i < 2; i++) {
		r = entry_for(fd, wait, &entry);
		if (r < 0)
			return r;
		r = pool_enter(&entry->pool, wait, ret_lock);
		if (r != -ESTALE) {
			*ret_pool = &entry->pool;
			return r;
		}
		atomic_store(&entry->state, STALE);
		atomic_store(&first, NULL);
	}
	return -ENETDOWN;
}

struct pool *
pools_opened(void)
{
	struct pool *pool = atomic_load(&first);

	return pool && pool_whole(pool) ? pool : NULL;
}

int
pools_enter_again(struct pool **ret_pool, struct pool_lock *ret_lock)
{
	*ret_pool = atomic_load(&first);
	return *ret_pool ? pool_enter(*ret_pool, POOL_TRY, ret_lock) : -ESTALE;
}

/*
 * A thread inside the pool holds a locked descriptor and perhaps a trial
 * socket. A child that inherits them would keep the lock when the parent dies,
 * and the port. So fork waits until nobody is inside, with signals blocked:
 * a handler that came between could wait for us. It does not wait for ever.
 */
static uint64_t fork_signals;
static bool fork_inside;

static void
before_fork(void)
{
	const struct sys_ops *sys = &sys_kernel;
	const uint64_t all = ~(uint64_t)0;
	uint32_t self = (uint32_t)sys_getpid(sys);
	uint64_t signals;
	bool inside = false;

	sys_sigmask(sys, SIG_SETMASK, &all, &signals);
	for (int i = 0; i < FORK_LOOKS && !inside; i++) {
		uint32_t open = 0;

		inside = atomic_compare_exchange_strong(&gate, &open, self);
		if (!inside)
			sys_nanosleep(sys, FORK_NAP_NS);
	}
	fork_signals = signals;
	fork_inside = inside;
}

static void
after_fork(void)
{
	uint64_t signals = fork_signals;

	if (fork_inside)
		atomic_store(&gate, 0);
	sys_sigmask(&sys_kernel, SIG_SETMASK, &signals, NULL);
}

void
pools_register_fork(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}
