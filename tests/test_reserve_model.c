/* SPDX-License-Identifier: MIT */
/*
 * A long row of random requests by sockets that come and go, each answer held
 * against a model that knows who has which port.
 */
#include "core/pool/acquire.h"

#include "core/kernel/sock.h"
#include "tests/rig.h"

#define SOCKETS 8
#define STRANGERS 3
#define BLOCKS 4000

struct block {
	struct reservation is;
	int owner; /* index of a socket, -1 when dead or released */
};

struct world {
	struct dice dice;
	struct pool pool;
	uint32_t first; /* of PORTS_OWN ports */
	int fd[SOCKETS];
	uint64_t cookie[SOCKETS];
	int bound[STRANGERS]; /* sockets that ask nobody */
	struct block block[BLOCKS];
	size_t n;
};

static uint32_t
below(struct world *world, uint32_t n)
{
	return dice_below(&world->dice, n);
}

/* Could these ports of ours be reserved now? */
static bool
available(const struct world *world, struct range r)
{
	for (size_t i = 0; i < world->n; i++)
		if (world->block[i].owner >= 0 &&
		    range_overlap(world->block[i].is.range, r))
			return false;
	for (int i = 0; i < STRANGERS; i++) {
		struct sockaddr_in name = {0};
		socklen_t size = sizeof(name);

		getsockname(world->bound[i], (struct sockaddr *)&name, &size);
		if (range_contains(r, ntohs(name.sin_port)))
			return false;
	}
	return true;
}

static void
granted(struct world *world, int owner, const struct reservation *got)
{
	for (size_t i = 0; i < world->n; i++)
		cr_assert_neq(world->block[i].is.token, got->token);
	cr_assert_eq(got->cookie, world->cookie[owner]);
	world->block[world->n++] = (struct block){*got, owner};
}

static void
acquire_named(struct world *world)
{
	int owner = (int)below(world, SOCKETS);
	uint32_t at = below(world, PORTS_OWN);
	struct range r = {
		world->first + at,
		below(world, PORTS_OWN - at < 6 ? PORTS_OWN - at : 6) + 1};
	struct acquire wanted = rig_wanted(world->fd[owner], r.start, r.count);
	bool possible = available(world, r);
	struct reservation got;
	int answer = rig_acquire(&world->pool, &wanted, &got);

	cr_assert_eq(answer, possible ? 0 : -EADDRINUSE, "%u+%u: %d", at,
		     r.count, answer);
	if (answer == 0) {
		cr_assert(got.range.start == r.start &&
			  got.range.count == r.count);
		granted(world, owner, &got);
	}
}

static void
acquire_any(struct world *world)
{
	int owner = (int)below(world, SOCKETS);
	const struct range_list window = {1, {{world->first, PORTS_OWN}}};
	struct acquire wanted =
		rig_wanted(world->fd[owner], 0, below(world, 7) + 1);
	bool possible = false;
	struct reservation got;
	int answer;

	for (uint32_t at = 0; at + wanted.range.count <= PORTS_OWN; at++)
		possible |=
			available(world, (struct range){world->first + at,
							wanted.range.count});
	wanted.wildcard = &window;
	answer = rig_acquire(&world->pool, &wanted, &got);
	cr_assert_eq(answer, possible ? 0 : -ENOBUFS, "any %u: %d",
		     wanted.range.count, answer);
	if (answer == 0) {
		cr_assert_eq(got.range.count, wanted.range.count);
		cr_assert(available(world, got.range));
		granted(world, owner, &got);
	}
}

static void
release(struct world *world)
{
	struct block *block;
	int answer;

	if (world->n == 0)
		return;
	block = &world->block[world->n - 1 -
			      below(world,
				    world->n < 20 ? (uint32_t)world->n : 20)];
	answer = rig_release(&world->pool, &block->is);
	cr_assert_eq(answer, block->owner >= 0 ? 0 : -EINVAL);
	block->owner = -1;
}

static void
renew_socket(struct world *world)
{
	int i = (int)below(world, SOCKETS);

	close(world->fd[i]);
	for (size_t n = 0; n < world->n; n++)
		if (world->block[n].owner == i)
			world->block[n].owner = -1;
	if (below(world, 2)) /* as a shim that saw the close */
		reserve_end_socket(&world->pool, world->cookie[i]);
	world->fd[i] = tcp_socket();
	sock_cookie(&sys_kernel, world->fd[i], &world->cookie[i]);
}

/* A program without the shim moves to another port. */
static void
move_bound(struct world *world)
{
	int *bound = &world->bound[below(world, STRANGERS)];
	uint32_t port = world->first + below(world, PORTS_OWN);

	close(*bound);
	*bound = tcp_socket();
	/* With another one there already, this one stays without a port. */
	bind_to(*bound, AF_INET, "127.0.0.1", port);
}

static void
sweep(struct world *world)
{
	struct pool_lock lock;
	uint32_t alive = 0;

	if (below(world, 2)) { /* somebody died inside */
		lock = rig_enter(&world->pool);
		atomic_store(&world->pool.file->header.dirty, 1);
		atomic_store(mark_of(world->pool.file, PROTOCOL_TCP,
				     below(world, PORT_COUNT)),
			     below(world, SLOT_COUNT + 1));
		pool_leave(&world->pool, &lock);
	}
	rig_sweep(&world->pool);
	lock = rig_enter(&world->pool);
	for (size_t i = 0; i < world->n; i++)
		if (world->block[i].owner >= 0) {
			alive++;
			cr_assert(rig_reserved(&world->pool,
					       world->block[i].is.range.start));
		}
	cr_assert_eq(rig_live_slots(world->pool.file), alive);
	cr_assert(rig_marks_right(world->pool.file));
	pool_leave(&world->pool, &lock);
}

CHECK(reserve_model, every_answer_is_the_models)
{
	static struct world world;

	world.dice = dice_from(23);
	world.pool = rig_pool();
	world.first = own_ports();
	for (int i = 0; i < SOCKETS; i++) {
		world.fd[i] = tcp_socket();
		sock_cookie(&sys_kernel, world.fd[i], &world.cookie[i]);
	}
	for (int i = 0; i < STRANGERS; i++)
		world.bound[i] = tcp_socket();
	for (int step = 0; step < 2500; step++) {
		uint32_t what = below(&world, 100);

		if (what < 30)
			acquire_named(&world);
		else if (what < 50)
			acquire_any(&world);
		else if (what < 75)
			release(&world);
		else if (what < 91)
			renew_socket(&world);
		else if (what < 96)
			move_bound(&world);
		else
			sweep(&world);
	}
	cr_assert_gt(world.n, 300, "only %zu granted", world.n);
	for (int i = 0; i < SOCKETS; i++)
		close(world.fd[i]);
	for (int i = 0; i < STRANGERS; i++)
		close(world.bound[i]);
	pool_close(&world.pool);
}
