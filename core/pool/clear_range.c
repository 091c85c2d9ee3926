/* SPDX-License-Identifier: MIT */
#include "core/pool/clear_range.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/kernel/ephemeral.h"
#include "core/kernel/port_probe.h"
#include "core/kernel/sock.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

/* The option's form: the last port above the first; 0 is the whole range. */
static uint32_t
window_option(struct range window)
{
	return (range_end(window) - 1) << 16 | window.start;
}

/* No descriptor left to look with? Then as the last acquirer saw it. */
static struct range
ephemeral_now(struct pool *pool)
{
	const struct range usual = EPHEMERAL_USUAL;
	uint32_t seen = atomic_load(&pool->file->header.ephemeral_range);
	struct range range = {seen & 0xffff,
			      (seen >> 16) - (seen & 0xffff) + 1};

	if (ephemeral_read(pool->sys, &range) == 0)
		return range;
	return range.start != 0 && range_valid(range) ? range : usual;
}

/*
 * The part of the ephemeral range that the program wants to keep to. Where it
 * wants none of it the kernel does not heed it, and neither do we.
 */
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

/* Widest first: there the kernel finds a port soonest. */
static bool
comes_after(struct range a, struct range b)
{
	return a.count < b.count || (a.count == b.count && a.start > b.start);
}

static struct range
better(struct range run, struct range best, struct range last)
{
	return comes_after(run, last) && comes_after(best, run) ? run : best;
}

/*
 * Before Linux 6.8 TCP passes over the last port of an odd number of them. So
 * where the kernel chooses, that one is a window of its own as well.
 */
static struct range
better_window(struct range run, bool by_hand, struct range best,
	      struct range last)
{
	if (!by_hand && run.count > 1 && run.count % 2 != 0)
		best = better((struct range){range_end(run) - 1, 1}, best,
			      last);
	return better(run, best, last);
}

/*
 * The window without marks that comes next after `last`, or one of no ports:
 * for the kernel to choose from, or for a port that is picked by hand.
 */
static struct range
next_window(struct pool *pool, enum protocol protocol, struct range within,
	    bool by_hand, struct range last)
{
	struct range run = {within.start, 0};
	struct range best = {0, 0};

	for (uint32_t port = within.start; port < range_end(within); port++) {
		if (!atomic_load_explicit(mark_of(pool->file, protocol, port),
					  memory_order_relaxed)) {
			run.count++;
			continue;
		}
		best = better_window(run, by_hand, best, last);
		run = (struct range){port + 1, 0};
	}
	return better_window(run, by_hand, best, last);
}

/* At the IP level for IPv6 sockets too. */
static int
get_option(struct pool *pool, int fd, uint32_t *ret)
{
	socklen_t size = sizeof(*ret);

	*ret = 0;
	return sys_getsockopt(pool->sys, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
			      ret, &size);
}

static int
set_option(struct pool *pool, int fd, uint32_t option)
{
	return sys_setsockopt(pool->sys, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
			      &option, sizeof(option));
}

static int
bind_within(struct pool *pool, struct range window, int fd,
	    struct sockaddr *address, socklen_t size)
{
	int r = set_option(pool, fd, window_option(window));

	return r < 0 ? r : sys_bind(pool->sys, fd, address, size);
}

/*
 * Old kernels, and sockets that do not know the option (MPTCP): binds to any
 * free port of the window, beginning somewhere in it, and not to one that the
 * administrator keeps from the kernel's choice, nor, whatever the socket may
 * share, to one that another socket has. Returns 0, -EADDRINUSE or -Exxx.
 */
static int
pick_port(struct pool *pool, enum protocol protocol, struct range window,
	  const struct port_set *kept, int fd, struct sockaddr *address,
	  socklen_t size)
{
	uint32_t begin =
		(uint32_t)(sys_clock(pool->sys, CLOCK_MONOTONIC) / 1000);
	bool look = sock_shares_ports(pool->sys, fd);
	bool dual_stack = false;

	for (uint32_t i = 0; i < window.count; i++) {
		uint32_t port = window.start + (begin + i) % window.count;
		int r = port_set_has(kept, port);

		if (r == 0 && look)
			r = port_probe_conflicts(pool->sys, protocol, port,
						 &dual_stack);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		sock_set_port(address, (uint16_t)port);
		r = sys_bind(pool->sys, fd, address, size);
		if (r != -EADDRINUSE)
			return r;
	}
	return -EADDRINUSE;
}

/* `kept`: not by the option, but by hand. */
static int
bind_somewhere(struct pool *pool, enum protocol protocol, uint32_t own,
	       const struct port_set *kept, int fd, struct sockaddr *address,
	       socklen_t size)
{
	struct range within = clip(ephemeral_now(pool), own);
	struct range window = IMPLICIT_FIRST;
	int answer = -EADDRINUSE;

	while (answer == -EADDRINUSE) {
		window = next_window(pool, protocol, within, kept != NULL,
				     window);
		if (window.count == 0)
			break;
		answer = kept ? pick_port(pool, protocol, window, kept, fd,
					  address, size)
			      : bind_within(pool, window, fd, address, size);
	}
	return answer;
}

static int
bind_by_hand(struct pool *pool, enum protocol protocol, int fd,
	     struct sockaddr *address, socklen_t size)
{
	long at = sys_mmap_private(pool->sys, sizeof(struct port_set));
	struct port_set *kept = (struct port_set *)at;
	int r;

	if (at < 0)
		return (int)at;
	ephemeral_reserved(pool->sys, kept);
	r = bind_somewhere(pool, protocol, 0, kept, fd, address, size);
	sys_munmap(pool->sys, kept, sizeof(*kept));
	return r;
}

static int
bind_chosen(struct pool *pool, enum protocol protocol, int fd,
	    struct sockaddr *address, socklen_t size)
{
	uint32_t own;
	int r;

	if (get_option(pool, fd, &own) < 0)
		return bind_by_hand(pool, protocol, fd, address, size);
	r = bind_somewhere(pool, protocol, own, NULL, fd, address, size);
	set_option(pool, fd, own);
	return r;
}

int
implicit_bind(struct pool *pool, enum protocol protocol, int fd,
	      struct sockaddr *address, socklen_t size)
{
	bool put_off = sock_puts_port_off(pool->sys, fd);
	int answer;

	if (put_off)
		sock_put_port_off(pool->sys, fd, false);
	answer = bind_chosen(pool, protocol, fd, address, size);
	if (put_off)
		sock_put_port_off(pool->sys, fd, true);
	return answer;
}

int
implicit_window(struct pool *pool, enum protocol protocol, int fd,
		struct range *window, uint32_t *ret_own)
{
	struct range next;
	uint32_t own;
	int r = get_option(pool, fd, &own);

	if (r < 0)
		return r;
	next = next_window(pool, protocol, clip(ephemeral_now(pool), own),
			   false, *window);
	if (next.count == 0)
		return -EADDRNOTAVAIL;
	r = set_option(pool, fd, window_option(next));
	if (r < 0)
		return r;
	*window = next;
	*ret_own = own;
	return 0;
}

void
implicit_window_end(struct pool *pool, int fd, struct range window,
		    uint32_t own)
{
	uint32_t now;

	/* connect() may have waited, and the number be another socket's. */
	if (get_option(pool, fd, &now) == 0 && now == window_option(window))
		set_option(pool, fd, own);
}

bool
implicit_full(struct pool *pool, int fd, struct range window)
{
	struct sockaddr_in6 own;
	socklen_t size;
	uint16_t port;
	int trial, r;

	if (sock_port(pool->sys, fd, &port, &own, &size) < 0 || port != 0)
		return false;
	trial = sys_socket(pool->sys, own.sin6_family,
			   SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (trial < 0)
		return true;
	r = bind_within(pool, window, trial, (struct sockaddr *)&own, size);
	sys_close(pool->sys, trial);
	return r == -EADDRINUSE;
}

/* Why a bind is refused when there is no port left for it. */

int
implicit_refusal(struct pool *pool, enum protocol protocol,
		 const struct sockaddr *address, socklen_t size)
{
	int type = protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct sockaddr_storage any_port;
	int trial = sys_socket(pool->sys, address->sa_family,
			       type | SOCK_CLOEXEC, 0);
	int r = 0;

	if (trial < 0)
		return -EADDRINUSE;
	memcpy(&any_port, address, size);
	sock_set_port((struct sockaddr *)&any_port, 0);
	sock_put_port_off(pool->sys, trial, true);
	if (sock_puts_port_off(pool->sys, trial))
		r = sys_bind(pool->sys, trial, &any_port, size);
	sys_close(pool->sys, trial);
	return r < 0 ? r : -EADDRINUSE;
}
