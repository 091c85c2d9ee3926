/* SPDX-License-Identifier: MIT */
#include "shim/autobind.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/kernel/ephemeral.h"
#include "core/kernel/low_fds.h"
#include "core/kernel/sock.h"
#include "core/pool/marks.h"
#include "shim/fork.h"
#include "shim/pick.h"
#include "shim/real.h"
#include "shim/refusal.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

/* The kernel's error when it finds no port. */
static long
kernels_full(enum protocol protocol, const struct call *call)
{
	if (call->verb == VERB_BIND || call->verb == VERB_LISTEN)
		return -EADDRINUSE;
	return protocol == PROTOCOL_TCP ? -EADDRNOTAVAIL : -EAGAIN;
}

/* The program's error then: connect() has one for both protocols. */
static long
none_left(enum protocol protocol, const struct call *call, bool *ret_none)
{
	*ret_none = true;
	refusal_none();
	return call->verb == VERB_CONNECT ? -EADDRNOTAVAIL
					  : kernels_full(protocol, call);
}

/* The option's form: the last port above the first; 0 is the whole range. */
static uint32_t
option_of(struct range range)
{
	return (range_end(range) - 1) << 16 | range.start;
}

/* IPPROTO_IP for IPv6 sockets too. */
static int
get_option(const struct sys_ops *sys, int fd, uint32_t *ret)
{
	socklen_t size = sizeof(*ret);

	*ret = 0;
	return sys_getsockopt(sys, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, ret,
			      &size);
}

static int
set_option(const struct sys_ops *sys, int fd, uint32_t option)
{
	return sys_setsockopt(sys, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &option,
			      sizeof(option));
}

/* The ephemeral range; as the last acquirer read it, if no descriptor is
 * left. */
static struct range
ephemeral_now(struct pool *pool)
{
	const struct range usual = EPHEMERAL_USUAL;
	uint32_t seen = atomic_load(&pool->file->header.ephemeral_range);
	struct range range = {seen & 0xffff,
			      (seen >> 16) - (seen & 0xffff) + 1};
	struct fork_visit visit;
	int r;

	fork_visit(&visit);
	r = ephemeral_read(pool->sys, &range);
	fork_visit_end(&visit);
	return r == 0 || (range.start != 0 && range_valid(range)) ? range
								  : usual;
}

/* The part of the ephemeral range to which the program has restricted the
 * socket. If it is empty the kernel ignores it, and so do we. */
static struct range
clip(struct range ephemeral, uint32_t option)
{
	uint32_t first = option & 0xffff;
	uint32_t last = option >> 16;
	uint32_t end = range_end(ephemeral);

	if (first < ephemeral.start)
		first = ephemeral.start;
	if (last != 0 && last + 1 < end)
		end = last + 1;
	return first < end ? (struct range){first, end - first} : ephemeral;
}

/*
 * The widest clear range, nearly always the only one that is needed: looked for
 * again only when the marks have changed. Each thread keeps its own; a signal
 * handler that comes while it is taken looks for itself.
 */
static struct range
widest(struct pool *pool, enum protocol protocol, struct range within)
{
	static __thread struct {
		volatile bool taken;
		const struct pool_file *file; /* NULL: not known */
		uint32_t generation;
		enum protocol protocol;
		struct range within, widest;
	} known;
	uint32_t generation = atomic_load(&pool->file->header.generation);
	bool mine = !known.taken;
	struct range found;

	known.taken = true;
	atomic_signal_fence(memory_order_seq_cst);
	if (mine && known.file == pool->file &&
	    known.generation == generation && known.protocol == protocol &&
	    range_equal(known.within, within)) {
		found = known.widest;
	} else {
		found = clear_range_next(pool->file, protocol, within, true,
					 CLEAR_RANGE_FIRST);
		if (mine) {
			known.file = pool->file;
			known.generation = generation;
			known.protocol = protocol;
			known.within = within;
			known.widest = found;
		}
	}
	atomic_signal_fence(memory_order_seq_cst);
	if (mine)
		known.taken = false;
	return found;
}

/* Has the socket no port? Then sets `local` to its address, ready to be
 * bound. */
static bool
is_unbound(struct call *call)
{
	struct sockaddr_in6 any;

	if (call->verb == VERB_BIND)
		return !sock_puts_port_off(&sys_kernel, call->fd);
	if (sock_port(&sys_kernel, call->fd, &call->port, &any,
		      &call->local_size) < 0 ||
	    call->port)
		return false;
	*(struct sockaddr_in6 *)&call->local = any;
	return true;
}

/*
 * For old kernels, and sockets without the option (MPTCP): picks a port that is
 * not reserved, not in ip_local_reserved_ports, and that no other socket has,
 * whatever reuse options there are.
 */
static long
pick_clear(struct pool *pool, enum protocol protocol, struct range within,
	   const struct port_set *kept, struct call *call)
{
	struct range range = CLEAR_RANGE_FIRST;
	struct pick pick = {
		.begin = (uint32_t)(sys_clock(&sys_kernel, CLOCK_MONOTONIC) /
				    1000),
		.skip = kept,
		.look = sock_shares_ports(&sys_kernel, call->fd),
		.protocol = protocol,
		.bind = pick_bind,
	};
	struct low_fds low = {.count = 0};
	long r = -EADDRINUSE;

	if (pick.look)
		low_fds_take(&sys_kernel, STDIN_FILENO, &low);
	while (r == -EADDRINUSE) {
		range = clear_range_next(pool->file, protocol, within, false,
					 range);
		if (range.count == 0)
			break;
		pick.range = range;
		r = pick_port(&pick, call);
	}
	low_fds_give_back(&sys_kernel, &low);
	return r;
}

SLOW_PATH static long
autobind_by_pick(struct pool *pool, enum protocol protocol, struct call *call,
		 bool *ret_none)
{
	struct range within = ephemeral_now(pool);
	struct port_set *kept;
	struct fork_visit visit;
	long at, r;

	if (!is_unbound(call))
		return call->real(call);
	at = sys_mmap_private(&sys_kernel, sizeof(struct port_set));
	if (at < 0)
		return at;
	kept = (struct port_set *)at;
	fork_visit(&visit);
	ephemeral_reserved(pool->sys, kept);
	r = pick_clear(pool, protocol, within, kept, call);
	fork_visit_end(&visit);
	sys_munmap(&sys_kernel, kept, sizeof(*kept));
	if (r == -EADDRINUSE)
		return none_left(protocol, call, ret_none);
	if (call->verb == VERB_BIND ||
	    (r < 0 && !call_bound_meanwhile(call, r)))
		return r;
	return call->real(call);
}

/* Back to the program's own setting; unless the program has set another
 * meanwhile, or the number is another socket's: some calls wait for a peer. */
static void
restore_option(const struct sys_ops *sys, int fd, uint32_t set, uint32_t own,
	       bool waited)
{
	uint32_t now;

	if (!waited || (get_option(sys, fd, &now) == 0 && now == set))
		set_option(sys, fd, own);
}

/* Does "no port" have another cause? The socket has a port now. */
static bool
has_port_now(const struct call *call, enum protocol protocol)
{
	return call->verb != VERB_BIND && !call_waits(call, protocol) &&
	       call_has_port(call);
}

static long
autobind_within(struct pool *pool, enum protocol protocol, uint32_t own,
		struct call *call, bool *ret_none)
{
	struct range within = clip(ephemeral_now(pool), own);
	struct range range = widest(pool, protocol, within);
	bool waits = call_waits(call, protocol);
	long full = kernels_full(protocol, call);

	while (range.count) {
		uint32_t option = option_of(range);
		long r;

		if (set_option(pool->sys, call->fd, option) < 0)
			return autobind_by_pick(pool, protocol, call, ret_none);
		r = call->real(call);
		/* Another thread's call of this socket has set the same. */
		restore_option(pool->sys, call->fd, option,
			       own == option ? 0 : own, waits);
		if (r != full || has_port_now(call, protocol))
			return r;
		range = clear_range_next(pool->file, protocol, within, true,
					 range);
	}
	return none_left(protocol, call, ret_none);
}

long
autobind(struct pool *pool, enum protocol protocol, struct call *call,
	 bool *ret_none)
{
	uint32_t own;

	*ret_none = false;
	return get_option(pool->sys, call->fd, &own) < 0
		       ? autobind_by_pick(pool, protocol, call, ret_none)
		       : autobind_within(pool, protocol, own, call, ret_none);
}
