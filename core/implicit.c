/* SPDX-License-Identifier: MIT */
#include "core/implicit.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/endpoint.h"
#include "core/ephemeral.h"
#include "core/inuse.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

#define WINDOWS_MAX 16
#define PICKS_MAX 4096

/* The widest runs of the ephemeral range without marks, widest first. */
struct windows {
	int count;
	struct range range[WINDOWS_MAX];
};

/* The option's form: the last port above the first; 0 is the whole range. */
static uint32_t
window_option(struct range window)
{
	return (range_end(window) - 1) << 16 | window.start;
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

static void
insert(struct windows *windows, struct range run)
{
	int i;

	if (run.count == 0)
		return;
	if (windows->count == WINDOWS_MAX &&
	    windows->range[WINDOWS_MAX - 1].count >= run.count)
		return;
	if (windows->count < WINDOWS_MAX)
		windows->count++;
	for (i = windows->count - 1;
	     i > 0 && windows->range[i - 1].count < run.count; i--)
		windows->range[i] = windows->range[i - 1];
	windows->range[i] = run;
}

static void
find_windows(struct pool *pool, enum protocol protocol, uint32_t option,
	     struct windows *ret)
{
	struct range ephemeral = clip(ephemeral_range(pool->sys), option);
	struct range run = {ephemeral.start, 0};

	ret->count = 0;
	for (uint32_t port = ephemeral.start; port < range_end(ephemeral);
	     port++) {
		if (!atomic_load_explicit(mark_of(pool->file, protocol, port),
					  memory_order_relaxed)) {
			run.count++;
			continue;
		}
		insert(ret, run);
		run = (struct range){port + 1, 0};
	}
	insert(ret, run);
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

/* May the socket be bound to a port that another one has? */
static bool
shares_ports(struct pool *pool, int fd)
{
	int address = 0, port = 0;
	socklen_t size = sizeof(int);

	sys_getsockopt(pool->sys, fd, SOL_SOCKET, SO_REUSEADDR, &address,
		       &size);
	sys_getsockopt(pool->sys, fd, SOL_SOCKET, SO_REUSEPORT, &port, &size);
	return address || port;
}

/*
 * Old kernels, and sockets that do not know the option (MPTCP): any free port
 * of the window, beginning somewhere in it, and not one that the administrator
 * keeps from the kernel's choice.
 */
static int
pick(struct pool *pool, enum protocol protocol, struct range window, int fd,
     struct sockaddr *address, socklen_t size)
{
	uint32_t begin =
		(uint32_t)(sys_clock(pool->sys, CLOCK_MONOTONIC) / 1000);
	bool look = shares_ports(pool, fd);
	bool dual_stack = false;
	struct range_list kept;

	ephemeral_reserved(pool->sys, &kept);
	for (uint32_t i = 0; i < window.count && i < PICKS_MAX; i++) {
		uint32_t port = window.start + (begin + i) % window.count;
		const struct range one = {port, 1};
		uint32_t used;
		int r;

		if (range_list_overlaps(&kept, one) ||
		    (look && inuse_first(pool->sys, protocol, one, &dual_stack,
					 &used) == 1))
			continue;
		endpoint_set_port(address, (uint16_t)port);
		r = sys_bind(pool->sys, fd, address, size);
		if (r != -EADDRINUSE)
			return r;
	}
	return -EADDRINUSE;
}

static int
bind_within(struct pool *pool, struct range window, int fd,
	    struct sockaddr *address, socklen_t size)
{
	int r = set_option(pool, fd, window_option(window));

	return r < 0 ? r : sys_bind(pool->sys, fd, address, size);
}

int
implicit_bind(struct pool *pool, enum protocol protocol, int fd,
	      struct sockaddr *address, socklen_t size)
{
	struct windows windows;
	int answer = -EADDRINUSE;
	uint32_t own;
	bool by_hand = get_option(pool, fd, &own) < 0;

	find_windows(pool, protocol, own, &windows);
	for (int i = 0; i < windows.count && answer == -EADDRINUSE; i++)
		answer = by_hand ? pick(pool, protocol, windows.range[i], fd,
					address, size)
				 : bind_within(pool, windows.range[i], fd,
					       address, size);
	if (!by_hand)
		set_option(pool, fd, own);
	return answer;
}

int
implicit_window(struct pool *pool, enum protocol protocol, int fd, int n,
		uint32_t *ret_own)
{
	struct windows windows;
	uint32_t own;
	int r = get_option(pool, fd, &own);

	if (r < 0)
		return r;
	find_windows(pool, protocol, own, &windows);
	if (n >= windows.count)
		return -EADDRNOTAVAIL;
	r = set_option(pool, fd, window_option(windows.range[n]));
	if (r == 0)
		*ret_own = own;
	return r;
}

void
implicit_window_end(struct pool *pool, int fd, uint32_t own)
{
	set_option(pool, fd, own);
}
