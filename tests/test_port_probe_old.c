/* SPDX-License-Identifier: MIT */
/*
 * Kernels before Linux 6.8, whose socket list does not show TCP sockets that
 * are bound and neither listen nor connect.
 */
#include "core/kernel/port_probe.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>

#include "core/kernel/sockdiag.h"
#include "tests/kernel.h"
#include "tests/rig.h"
#include "tests/socket_list.h"

#define BOUND_INACTIVE 13

static long
kernel_old(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
		char rest[128];
	} request;
	long changed[6];

	(void)sys;
	if (nr != SYS_sendto || (size_t)arg[2] > sizeof(request))
		return kernel_real(nr, arg);
	memcpy(&request, (const void *)arg[1], (size_t)arg[2]);
	request.body.idiag_states &= ~(1u << BOUND_INACTIVE);
	memcpy(changed, arg, sizeof(changed));
	changed[1] = (long)&request;
	return kernel_real(nr, changed);
}

CHECK(inuse_old, a_socket_that_is_only_bound_counts)
{
	const struct sys_ops old = {.call = kernel_old};
	const struct range one = {own_ports(), 1};
	struct sockdiag_count count;
	struct port_probe probe = {0};
	struct port_cost cost = {0};
	uint32_t found = 0;
	int fd;

	NEEDS_SOCKET_LIST();
	fd = tcp_socket();
	cr_assert_eq(port_probe_first(&old, &probe, &cost, PROTOCOL_TCP, one,
				      &found),
		     0);
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", one.start), 0);
	cr_assert_eq(sockdiag_count(&old, PROTOCOL_TCP, one.start, &count), 0);
	cr_assert_eq(count.other, 0);
	cr_assert_eq(port_probe_first(&old, &probe, &cost, PROTOCOL_TCP, one,
				      &found),
		     1);
	cr_assert_eq(found, one.start);
	close(fd);
}
