/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/anywhere.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/trouble.h"
#include "cli/view.h"
#include "core/kernel/ephemeral.h"
#include "core/pool/acquire.h"
#include "core/pool/persistent.h"
#include "shim/config.h"

#define LOOK_NAP_NS 20000000
#define SECOND_NS ((uint64_t)1000000000)

/*
 * A socket that the command inherits. Low numbers are taken by convention
 * (systemd hands over sockets from 3 on) and by habit (shells use 10 and up).
 */
static int
open_socket(enum protocol protocol)
{
	struct rlimit limit = {0};
	int low, high, from;

	low = socket(AF_INET,
		     protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (low < 0)
		return -errno;
	getrlimit(RLIMIT_NOFILE, &limit);
	from = limit.rlim_cur > 1024 ? 900 : (int)limit.rlim_cur / 2;
	high = fcntl(low, F_DUPFD, from);
	if (high < 0)
		return low;
	close(low);
	return high;
}

static int
acquire_inside(struct pool *pool, const struct acquire *acquire,
	       struct reservation *ret)
{
	struct pool_lock lock;
	int r = pool_enter(pool, POOL_WAIT, &lock);

	if (r < 0)
		return r;
	r = reserve_acquire(pool, acquire, ret);
	pool_leave(pool, &lock);
	return r;
}

static int
acquire_once(struct pool *pool, int fd, struct block block,
	     struct reservation *ret)
{
	struct acquire acquire = {
		.kind = KIND_RUNTIME,
		.protocol = block.protocol,
		.range = block.range,
		.fd = fd,
		.ephemeral = ephemeral_range(pool->sys),
		.now = sys_clock(pool->sys, CLOCK_REALTIME),
	};
	struct anywhere anywhere;
	int r;

	anywhere_find(&anywhere);
	acquire.wildcard = &anywhere.ranges;
	acquire.forbidden = &anywhere.forbidden;
	do
		r = acquire_inside(pool, &acquire, ret);
	while (r == -EAGAIN && (r = reserve_judge_for(pool, &acquire)) == 0);
	return r;
}

/*
 * In a persistent block any number of programs may be, with the right to the
 * store. It is asked for here, once: a server may give up its user later.
 */
static int
acquire_or_join(struct pool *pool, int fd, struct block block,
		struct reservation *ret)
{
	const struct sys_ops *sys = pool->sys;
	int r = -ENOENT;

	if (block.range.start)
		r = persistent_join(pool, block, fd, &ret->token);
	if (r == -ENOENT)
		return acquire_once(pool, fd, block, ret);
	if (r == 0 && !store_right(sys, config_get()->store))
		r = -EACCES;
	ret->range = block.range;
	return r;
}

static int
explain(struct pool *pool, struct block block, int r)
{
	struct trouble trouble;

	if (r == -EADDRINUSE) {
		refuse_conflict(pool, block,
				"ask for ports inside it, or delete it");
	} else if (r == -EACCES) {
		trouble_of_store(r, &trouble);
		refuse("%s %u is in a persistent block, and %s: %s",
		       protocol_name(block.protocol), block.range.start,
		       trouble.cause, trouble.way_out);
	} else if (r == -ENOBUFS) {
		refuse("no %u free %s ports in a row: ask for fewer, or see "
		       "portres list",
		       block.range.count, protocol_name(block.protocol));
	} else if (r == -ENETDOWN || r == -ESTALE) {
		trouble_of_pool(r, &trouble);
		refuse("%s: %s", trouble.cause, trouble.way_out);
	} else {
		refuse("no ports: %s", strerror(-r));
	}
	return STATUS_NO_PORTS;
}

static int
acquire_one(struct pool *pool, struct run *run, size_t i, uint64_t deadline)
{
	struct block *block = &run->block[i];
	int fd = open_socket(block->protocol);
	struct reservation got;
	int r = fd;

	while (fd >= 0) {
		r = acquire_or_join(pool, fd, *block, &got);
		if ((r != -EADDRINUSE && r != -ENOBUFS) ||
		    sys_clock(pool->sys, CLOCK_MONOTONIC) >= deadline)
			break;
		sys_nanosleep(pool->sys, LOOK_NAP_NS);
	}
	if (r < 0)
		return explain(pool, *block, r);
	block->range = got.range;
	run->token[i] = got.token;
	return 0;
}

int
run_acquire(struct run *run)
{
	struct pool pool;
	uint64_t deadline;
	int r = view_need_pool(&pool) ? STATUS_NO_PORTS : 0;

	if (r != 0)
		return r;
	deadline = sys_clock(pool.sys, CLOCK_MONOTONIC) + run->wait * SECOND_NS;
	for (size_t i = 0; i < run->count && r == 0; i++)
		r = acquire_one(&pool, run, i, deadline);
	/* The mapping goes with exec; the sockets do not. */
	pool_close(&pool);
	return r;
}
