/* SPDX-License-Identifier: MIT */
/*
 * usage: crowd DIRECTORY
 *
 * Acquires beside 4,000 live blocks, 4,000 dead ones and 4,000 other locks,
 * against acquires in an empty pool; and acquires of dead owners' blocks,
 * against one reading of the kernel's list of locks. On core alone, because one
 * process has both pools. Prints rows as bench.c does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/locks.h"
#include "core/pool/pool.h"
#include "core/pool/acquire.h"
#include "core/pool/slot.h"

enum { CROWD = 4000, A_SOCKET = 40 };

static const char *directory;

static struct pool
open_pool(int number)
{
	struct pool pool;

	if (pool_open(&sys_kernel, directory, false, NULL, (uint64_t)number,
		      &fork_block_alone, &pool) < 0)
		die("pool");
	return pool;
}

static int
acquire(struct pool *pool, int fd, enum protocol protocol, uint32_t start,
	uint32_t count)
{
	static const struct range_list nowhere;
	struct acquire wanted = {
		.protocol = protocol,
		.range = {start, count},
		.fd = fd,
		.wildcard = &nowhere,
	};
	struct reservation got;
	struct pool_lock lock;
	int r;

	do {
		r = pool_enter(pool, POOL_WAIT, &lock);
		if (r < 0)
			return r;
		r = reserve_acquire(pool, &wanted, &got);
		pool_leave(pool, &lock);
	} while (r == -EAGAIN && (r = reserve_judge_for(pool, &wanted)) == 0);
	return r;
}

/* Blocks of one port each; skips ports in use. */
static void
crowd_in(struct pool *pool, uint32_t port)
{
	int fd = -1;

	for (int held = 0; held < CROWD; port++) {
		if (held % A_SOCKET == 0)
			fd = socket(AF_INET, SOCK_DGRAM, 0);
		held += acquire(pool, fd, PROTOCOL_UDP, port, 1) == 0;
	}
}

static void
act_living(void *pool)
{
	crowd_in(pool, 2000);
	lock_files(directory, CROWD);
}

static void
act_dead(void *pool)
{
	crowd_in(pool, 8000);
}

static void
acquire_or_die(struct pool *pool, int fd)
{
	int r = acquire(pool, fd, PROTOCOL_TCP, BENCH_BLOCK, 20);

	if (r < 0) {
		errno = -r;
		die("acquire");
	}
}

static void
act_one(void *pool)
{
	acquire_or_die(pool, socket(AF_INET, SOCK_STREAM, 0));
}

static double
time_acquires(struct pool *pool)
{
	double start = now();

	for (int i = 0; i < 10; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		struct slot *slot;

		acquire_or_die(pool, fd);
		slot = slot_by_port(pool->file, PROTOCOL_TCP, BENCH_BLOCK);
		close(fd);
		/* As the library does when it sees the close. */
		slot_mark_dead(pool->file, atomic_load(&slot->token),
			       slot->cookie);
	}
	return (now() - start) / 10;
}

static double
time_one(struct pool *pool)
{
	pid_t owner = start_child(act_one, pool);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	double start;

	end_process(owner);
	start = now();
	acquire_or_die(pool, fd);
	start = now() - start;
	slot_mark_dead(
		pool->file,
		slot_by_port(pool->file, PROTOCOL_TCP, BENCH_BLOCK)->token,
		slot_by_port(pool->file, PROTOCOL_TCP, BENCH_BLOCK)->cookie);
	close(fd);
	return start;
}

static double
time_reading(void)
{
	double start = now();

	read_locks();
	return now() - start;
}

int
main(int argc, char **argv)
{
	double beside[ROUNDS], alone[ROUNDS];
	struct rlimit files = {20000, 20000};
	struct pool crowded, empty;
	pid_t living, dead;

	if (argc != 2)
		return 2;
	directory = argv[1];
	setrlimit(RLIMIT_NOFILE, &files);
	crowded = open_pool(1);
	empty = open_pool(2);
	living = start_child(act_living, &crowded);
	dead = start_child(act_dead, &crowded);
	end_process(dead);
	for (int round = 0; round < ROUNDS; round++) {
		beside[round] = time_acquires(&crowded);
		alone[round] = time_acquires(&empty);
	}
	print_row("acquire 20, beside a crowd : beside none", typical(beside),
		  typical(alone), 1.1);
	for (int round = 0; round < ROUNDS; round++) {
		beside[round] = time_one(&crowded);
		alone[round] = time_reading();
	}
	print_row("acquire of a dead one's : one reading", typical(beside),
		  typical(alone), 2.5);
	end_process(living);
	return 0;
}
