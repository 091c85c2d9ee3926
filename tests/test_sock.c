/* SPDX-License-Identifier: MIT */
/* Which sockets take whose ports, whatever their protocol's number says. */
#include "core/kernel/sock.h"

#include <linux/netlink.h>

#include "tests/kernel.h"
#include "tests/rig.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct kind {
	const char *name;
	int domain, type, number;
	int answer;
	enum protocol protocol;
};

static const struct kind kinds[] = {
	{"TCP", AF_INET, SOCK_STREAM, 0, 0, PROTOCOL_TCP},
	{"TCP6", AF_INET6, SOCK_STREAM, IPPROTO_TCP, 0, PROTOCOL_TCP},
	{"UDP", AF_INET, SOCK_DGRAM, 0, 0, PROTOCOL_UDP},
	{"UDP6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP, 0, PROTOCOL_UDP},
	{"MPTCP", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, -EPROTONOSUPPORT,
	 PROTOCOL_TCP},
	{"MPTCP6", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP, -EPROTONOSUPPORT,
	 PROTOCOL_TCP},
	{"raw TCP", AF_INET, SOCK_RAW, IPPROTO_TCP, -EOPNOTSUPP, 9},
	{"raw TCP6", AF_INET6, SOCK_RAW, IPPROTO_TCP, -EOPNOTSUPP, 9},
	{"raw UDP", AF_INET, SOCK_RAW, IPPROTO_UDP, -EOPNOTSUPP, 9},
	{"raw UDP6", AF_INET6, SOCK_RAW, IPPROTO_UDP, -EOPNOTSUPP, 9},
	{"raw MPTCP", AF_INET, SOCK_RAW, IPPROTO_MPTCP, -EOPNOTSUPP, 9},
	{"UDP-Lite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, -EOPNOTSUPP, 9},
	{"ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP, -EOPNOTSUPP, 9},
	{"netlink 6", AF_NETLINK, SOCK_RAW, NETLINK_XFRM, -EOPNOTSUPP, 9},
	{"netlink 17", AF_NETLINK, SOCK_DGRAM, 17, -EOPNOTSUPP, 9},
	{"CAN 6", AF_CAN, SOCK_DGRAM, 6, -EOPNOTSUPP, 9},
	{"unix", AF_UNIX, SOCK_STREAM, 0, -EOPNOTSUPP, 9},
};

CHECK(endpoint, a_socket_takes_the_ports_of_its_protocol)
{
	size_t seen = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const struct kind *kind = &kinds[i];
		int fd = socket(kind->domain, kind->type, kind->number);
		enum protocol protocol = 9;
		int r;

		if (fd < 0)
			continue; /* not every kernel has all, nor may we */
		seen++;
		r = sock_protocol(&sys_kernel, fd, &protocol);
		cr_expect_eq(r, kind->answer, "%s: %d", kind->name, r);
		cr_expect_eq(protocol, kind->protocol, "%s: protocol %d",
			     kind->name, (int)protocol);
		close(fd);
	}
	cr_assert_geq(seen, 5); /* TCP, UDP and unix are everywhere */
}

/* A kernel that knows no options of UDP. */
static long
kernel_silent(const struct sys_ops *sys, long nr, const long arg[6])
{
	(void)sys;
	if (nr == SYS_getsockopt && arg[1] == IPPROTO_UDP)
		return -ENOPROTOOPT;
	return kernel_real(nr, arg);
}

CHECK(endpoint, udp_is_known_without_its_options)
{
	const struct sys_ops silent = {.call = kernel_silent};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const struct kind *kind = &kinds[i];
		int fd = socket(kind->domain, kind->type, kind->number);
		enum protocol protocol = 9;

		if (fd < 0)
			continue;
		cr_expect_eq(sock_protocol(&silent, fd, &protocol),
			     kind->answer, "%s", kind->name);
		close(fd);
	}
}

CHECK(endpoint, what_is_no_socket)
{
	enum protocol protocol = 9;
	int pipes[2];

	cr_assert_eq(sock_protocol(&sys_kernel, -1, &protocol), -EBADF);
	cr_assert_eq(pipe(pipes), 0);
	cr_assert_eq(sock_protocol(&sys_kernel, pipes[0], &protocol),
		     -ENOTSOCK);
	cr_assert_eq(protocol, 9);
	close(pipes[0]);
	close(pipes[1]);
}
