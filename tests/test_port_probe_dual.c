/* SPDX-License-Identifier: MIT */
/* Trial sockets must see IPv4 and IPv6, whatever the kernel's settings. */
#include "core/kernel/port_probe.h"

#include "tests/kernel.h"
#include "tests/rig.h"
#include "tests/socket_list.h"

/* One that allows sockets of IPv4 alone. */
struct kernel_forbidding {
	struct sys_ops ops;
	int answer;
};

static long
forbid(const struct sys_ops *sys, long nr, const long arg[6])
{
	const struct kernel_forbidding *self = (const void *)sys;

	if (nr == SYS_socket && arg[0] != AF_INET)
		return self->answer;
	return kernel_real(nr, arg);
}

/* A kernel without IPv6. */
static long
kernel_v4(const struct sys_ops *sys, long nr, const long arg[6])
{
	(void)sys;
	if (nr == SYS_socket && arg[0] == AF_INET6)
		return -EAFNOSUPPORT;
	return kernel_real(nr, arg);
}

CHECK(inuse_dual, without_ipv6_ipv4_is_asked)
{
	const struct sys_ops v4 = {.call = kernel_v4};
	const struct range own = {own_ports(), PORTS_OWN};
	struct port_probe probe = {0};
	struct port_cost cost = {0};
	uint32_t found;
	int fd = socket_of(PROTOCOL_UDP, AF_INET);

	cr_assert_eq(
		port_probe_first(&v4, &probe, &cost, PROTOCOL_UDP, own, &found),
		0);
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", own.start + 5), 0);
	cr_assert_eq(
		port_probe_first(&v4, &probe, &cost, PROTOCOL_UDP, own, &found),
		1);
	cr_assert_eq(found, own.start + 5);
	/* Which says nothing of IPv6 sockets. */
	cr_assert_not(probe.dual_stack);
	close(fd);
}

static void
is_seen_from_a_sandbox(enum protocol protocol)
{
	const struct sys_ops v4 = {.call = kernel_v4};
	const struct range own = {own_ports(), 10};
	struct port_probe probe = {0};
	struct port_cost cost = {0};
	uint32_t found;
	int fd = socket_of(protocol, AF_INET6);

	cr_assert_eq(bind_to(fd, AF_INET6, "::1", own.start + 5), 0);
	if (protocol == PROTOCOL_TCP)
		cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(
		port_probe_first(&v4, &probe, &cost, protocol, own, &found), 1);
	cr_assert_eq(found, own.start + 5);
	close(fd);
	cr_assert_eq(
		port_probe_first(&v4, &probe, &cost, protocol, own, &found), 0);
}

/* It may have no IPv6 sockets itself: others do. */
CHECK(inuse_dual, a_sandbox_that_forbids_ipv6)
{
	NEEDS_SOCKET_LIST();
	is_seen_from_a_sandbox(PROTOCOL_TCP);
	is_seen_from_a_sandbox(PROTOCOL_UDP);
}

/* A filter may give any answer to what it forbids; netlink, too. */
CHECK(inuse_dual, whatever_a_sandbox_says)
{
	static const int answers[] = {-EAFNOSUPPORT, -EACCES, -EPERM,
				      -EOPNOTSUPP, -EPROTONOSUPPORT};
	const struct range own = {own_ports(), 10};
	int fd = tcp_socket();

	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", own.start + 5), 0);
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct kernel_forbidding kernel = {{.call = forbid},
						   answers[i]};
		struct port_probe probe = {0};
		struct port_cost cost = {0};
		uint32_t found = 0;

		cr_assert_eq(port_probe_first(
				     &kernel.ops, &probe, &cost, PROTOCOL_TCP,
				     (struct range){own.start, 5}, &found),
			     0, "%d: %u", answers[i], found);
		cr_assert_eq(port_probe_first(&kernel.ops, &probe, &cost,
					      PROTOCOL_TCP, own, &found),
			     1);
		cr_assert_eq(found, own.start + 5);
	}
	close(fd);
}

/* Without IPv6 each port costs a trial and no more. */
CHECK(inuse_dual, without_ipv6_no_list_is_read)
{
	const struct sys_ops v4 = {.call = kernel_v4};
	struct kernel_refusing lists =
		kernel_refusing(SYS_sendto, -EPERM, NULL);
	struct kernel_refusing kernel = kernel_refusing(
		SYS_faccessat2, -ENOENT, "/proc/thread-self/net/if_inet6");
	const struct range own = {own_ports(), 10};
	struct port_probe probe = {0};
	struct port_cost cost = {0};
	uint32_t found;

	lists.behind = &v4;
	kernel.behind = &lists.ops;
	cr_assert_eq(port_probe_first(&kernel.ops, &probe, &cost, PROTOCOL_TCP,
				      own, &found),
		     0);
	cr_assert_eq(kernel.asked, 1);
	cr_assert_eq(lists.asked, 0);
}

/* net.ipv6.bindv6only: new IPv6 sockets see IPv6 only, until told otherwise. */
static long
kernel_only(const struct sys_ops *sys, long nr, const long arg[6])
{
	long r = kernel_real(nr, arg);
	int yes = 1;

	(void)sys;
	if (nr == SYS_socket && arg[0] == AF_INET6 && r >= 0)
		setsockopt((int)r, IPPROTO_IPV6, IPV6_V6ONLY, &yes,
			   sizeof(yes));
	return r;
}

CHECK(inuse_dual, bindv6only_hides_no_ipv4_socket)
{
	const struct sys_ops only = {.call = kernel_only};
	const struct range three = {own_ports(), 3};
	struct port_probe probe = {0};
	struct port_cost cost = {0};
	uint32_t found;
	int fd = tcp_socket();

	cr_assert_eq(bind_to(fd, AF_INET, "0.0.0.0", three.start + 1), 0);
	cr_assert_eq(port_probe_first(&only, &probe, &cost, PROTOCOL_TCP, three,
				      &found),
		     1);
	cr_assert_eq(found, three.start + 1);
	cr_assert_not(probe.dual_stack);
	close(fd);
}

/* A caller who looks many times asks once. */
CHECK(inuse_dual, what_is_known_of_trial_sockets_is_not_asked_again)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_getsockopt, -ENOPROTOOPT, NULL);
	const struct range three = {own_ports(), 3};
	struct port_probe probe = {0};
	struct port_cost cost = {0};
	uint32_t found;

	cr_assert_eq(port_probe_first(&kernel.ops, &probe, &cost, PROTOCOL_TCP,
				      three, &found),
		     0);
	cr_assert_eq(kernel.asked, 3);
	cr_assert_not(probe.dual_stack);
	cr_assert_eq(port_probe_first(&sys_kernel, &probe, &cost, PROTOCOL_TCP,
				      three, &found),
		     0);
	cr_assert(probe.dual_stack);
	cr_assert_eq(port_probe_first(&kernel.ops, &probe, &cost, PROTOCOL_TCP,
				      three, &found),
		     0);
	cr_assert_eq(kernel.asked, 3);
}
