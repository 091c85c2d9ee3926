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

/* `other_fd`: a socket of the other protocol for the same ports, or -1. */
static int
acquire_once(struct pool *pool, const struct run *run, size_t i, int fd,
	     int other_fd, struct reservation *ret)
{
	struct acquire acquire = {
		.kind = KIND_RUNTIME,
		.heirs = true,
		.protocol = run->block[i].protocol,
		.range = run->block[i].range,
		.align = run->align,
		.fd = fd,
		.both = other_fd >= 0,
		.other_fd = other_fd,
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
acquire_or_join(struct pool *pool, struct run *run, size_t i, int fd,
		int other_fd, struct reservation *ret)
{
	const struct sys_ops *sys = pool->sys;
	struct block block = run->block[i];
	int r = -ENOENT;

	if (block.range.start)
		r = persistent_join(pool, block, fd, &ret->token);
	if (r == -ENOENT)
		return acquire_once(pool, run, i, fd, other_fd, ret);
	run->joined[i] = r == 0;
	if (r == 0 && !store_right(sys, config_get()->store))
		r = -EACCES;
	ret->range = block.range;
	return r;
}

static int
explain(struct pool *pool, struct block block, bool both, int r)
{
	struct trouble trouble;

	if (refuse_descriptors(r))
		return STATUS_NO_PORTS;
	if (r == -EADDRINUSE) {
		refuse_conflict(pool, block,
				"ask for ports inside it, or delete it");
	} else if (r == -EACCES) {
		trouble_of_store(r, &trouble);
		refuse("%s %u is in a persistent block, and %s: %s",
		       protocol_name(block.protocol), block.range.start,
		       trouble.cause, trouble.way_out);
	} else if (r == -EUSERS) {
		refuse("%s %u is in a persistent block, and the guard has no "
		       "room for one more program in that: end one, or start "
		       "this one with the others' ulimit -n",
		       protocol_name(block.protocol), block.range.start);
	} else if (r == -EPERM) {
		refuse("%s %u is in a persistent block, and the guard knows of "
		       "no right of yours to its store: as root, portres "
		       "guard on",
		       protocol_name(block.protocol), block.range.start);
	} else if (r == -ENOBUFS) {
		refuse("no %u free %s ports in a row: ask for fewer, or see "
		       "portres list",
		       block.range.count,
		       both ? "tcp and udp" : protocol_name(block.protocol));
	} else if (r == -ENETDOWN || r == -ESTALE) {
		trouble_of_pool(r, &trouble);
		refuse("%s: %s", trouble.cause, trouble.way_out);
	} else {
		refuse("no ports: %s: see portres doctor", strerror(-r));
	}
	return STATUS_NO_PORTS;
}

/* Certain ports of both are two requests: either says why not. */
static bool
wants_both(const struct run *run, size_t i)
{
	return i + 1 < run->count && run->twin[i + 1] &&
	       !run->block[i].range.start;
}

/* Has a block before it a port of this one? Nobody gives it back, so there is
 * nothing to wait for. In a persistent block both may be. */
static bool
asked_twice(const struct run *run, size_t i)
{
	const struct block *block = &run->block[i];

	for (size_t j = 0; j < run->count; j++)
		if (run->token[j] && !run->joined[j] &&
		    run->block[j].protocol == block->protocol &&
		    range_overlap(run->block[j].range, block->range))
			return true;
	return false;
}

static int
misused_twice(struct block block)
{
	char range[16];

	return misused(&command_run,
		       "a port of %s %s is asked for twice: once is enough",
		       protocol_name(block.protocol),
		       range_text(&block.range, range));
}

static int
acquire_one(struct pool *pool, struct run *run, size_t i, uint64_t deadline)
{
	struct block *block = &run->block[i];
	bool both = wants_both(run, i);
	int fd = open_socket(block->protocol);
	int other_fd = both ? open_socket(block[1].protocol) : -1;
	struct reservation got[PROTOCOL_COUNT];
	int r = both && other_fd < 0 ? other_fd : fd;

	while (fd >= 0 && (!both || other_fd >= 0)) {
		r = acquire_or_join(pool, run, i, fd, other_fd, got);
		if (r == -EADDRINUSE && asked_twice(run, i))
			return misused_twice(*block);
		if ((r != -EADDRINUSE && r != -ENOBUFS) ||
		    sys_clock(pool->sys, CLOCK_MONOTONIC) >= deadline)
			break;
		sys_nanosleep(pool->sys, LOOK_NAP_NS);
	}
	if (r < 0)
		return explain(pool, *block, both, r);
	for (int n = 0; n <= both; n++) {
		block[n].range = got[n].range;
		run->token[i + (size_t)n] = got[n].token;
	}
	return 0;
}

/* Certain ones, or those that may be anywhere. */
static int
acquire_all(struct pool *pool, struct run *run, bool certain, uint64_t deadline)
{
	int r = 0;

	for (size_t i = 0, next; i < run->count && r == 0; i = next) {
		next = i + (wants_both(run, i) ? 2 : 1);
		if ((run->block[i].range.start != 0) == certain)
			r = acquire_one(pool, run, i, deadline);
	}
	return r;
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
	/* Those that may be anywhere keep off the others. */
	r = acquire_all(&pool, run, true, deadline);
	if (r == 0)
		r = acquire_all(&pool, run, false, deadline);
	/* The mapping goes with exec; the sockets do not. */
	pool_close(&pool);
	return r;
}
