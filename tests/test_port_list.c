/* SPDX-License-Identifier: MIT */
/*
 * Ports in use, by the kernel's list of sockets: it must say what trial binds
 * say, be believed only where it is complete, and be read only where it is
 * cheaper.
 */
#include "core/kernel/port_probe.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <sched.h>

#include "core/kernel/sockdiag.h"
#include "tests/kernel.h"
#include "tests/rig.h"
#include "tests/socket_list.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Costs that leave no choice. */
#define BY_LIST ((struct port_cost){.trial = UINT32_MAX, .list = 1})
#define BY_TRIAL ((struct port_cost){.trial = 1, .list = UINT32_MAX})

/* One that counts how it is asked, and may answer otherwise. */
struct kernel_counting {
	struct sys_ops ops;
	int binds, lists;
	int rooms; /* mapped for answers, less those that were given back */
	/* Changes a request, or what was read, where it is set. */
	void (*ask)(struct nlmsghdr *request);
	long (*answer)(int list, char *answer, long n);
	uint64_t bind_ns, list_ns; /* what each costs, if not 0 */
	uint64_t now;
};

static long
count(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_counting *self = (struct kernel_counting *)(void *)sys;
	char request[256];
	long changed[6], r;

	memcpy(changed, arg, sizeof(changed));
	switch (nr) {
	case SYS_bind:
		self->binds++;
		self->now += self->bind_ns;
		return kernel_real(nr, arg);
	case SYS_sendto:
		self->lists++;
		self->now += self->list_ns;
		memcpy(request, (const void *)arg[1], (size_t)arg[2]);
		if (self->ask)
			self->ask((struct nlmsghdr *)request);
		changed[1] = (long)request;
		return kernel_real(nr, changed);
	case SYS_read:
		r = kernel_real(nr, arg);
		return r > 0 && self->answer
			       ? self->answer(self->lists, (char *)arg[1], r)
			       : r;
	case SYS_mmap:
		self->rooms++;
		return kernel_real(nr, arg);
	case SYS_munmap:
		self->rooms--;
		return kernel_real(nr, arg);
	case SYS_clock_gettime:
		if (!self->bind_ns)
			return kernel_real(nr, arg);
		*(struct timespec *)arg[1] = (struct timespec){
			.tv_sec = (time_t)(self->now / 1000000000),
			.tv_nsec = (long)(self->now % 1000000000)};
		return 0;
	default:
		return kernel_real(nr, arg);
	}
}

static struct kernel_counting
kernel_counting(void)
{
	return (struct kernel_counting){.ops = {.call = count}};
}

static int
ask(struct kernel_counting *kernel, struct port_probe *probe,
    struct port_cost *cost, enum protocol protocol, struct range range)
{
	uint32_t port = 0;
	int r = port_probe_first(&kernel->ops, probe, cost, protocol, range,
				 &port);

	return r == 1 ? (int)port : r;
}

/* The port in use, or 0: from the list. */
static int
by_list(enum protocol protocol, struct range range)
{
	struct kernel_counting kernel = kernel_counting();
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;
	int r = ask(&kernel, &probe, &cost, protocol, range);

	cr_assert_gt(kernel.lists, 0, "a list was to be read");
	if (protocol == PROTOCOL_TCP && !socket_list_has_inactive())
		cr_assert(probe.unlisted[protocol], "it is not complete");
	else
		cr_assert_leq(kernel.binds, 4);
	return r;
}

static int
by_trial(enum protocol protocol, struct range range)
{
	struct kernel_counting kernel = kernel_counting();
	struct port_probe probe = {0};
	struct port_cost cost = BY_TRIAL;
	int r = ask(&kernel, &probe, &cost, protocol, range);

	cr_assert_gt(kernel.binds, 0);
	return r;
}

static void
both_say(enum protocol protocol, struct range range, uint32_t port,
	 const char *what)
{
	int list = by_list(protocol, range);

	cr_assert_eq(list, (int)port, "%s: the list says %d", what, list);
	list = by_trial(protocol, range);
	cr_assert_eq(list, (int)port, "%s: trial binds say %d", what, list);
}

/* First, in the middle and last in a range. */
static void
all_see(enum protocol protocol, uint32_t port, const char *what)
{
	both_say(protocol, (struct range){port, 3}, port, what);
	both_say(protocol, (struct range){port - 1, 3}, port, what);
	both_say(protocol, (struct range){port - 2, 3}, port, what);
	both_say(!protocol, (struct range){port - 1, 3}, 0, what);
}

static bool
may_bind_to_device(void)
{
	int fd = tcp_socket();
	bool may = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0;

	close(fd);
	return may;
}

static void
set(int fd, int level, int option)
{
	int yes = 1;

	cr_assert_eq(setsockopt(fd, level, option, &yes, sizeof(yes)), 0);
}

CHECK(port_list, sees_each_kind_of_socket_that_a_trial_bind_sees)
{
	static const struct {
		int domain;
		const char *address;
		bool only; /* IPV6_V6ONLY */
	} binds[] = {{AF_INET, "0.0.0.0", false},
		     {AF_INET, "127.0.0.1", false},
		     {AF_INET, "127.0.0.77", false},
		     {AF_INET6, "::", false},
		     {AF_INET6, "::", true},
		     {AF_INET6, "::1", false},
		     {AF_INET6, "::1", true},
		     {AF_INET6, "::ffff:127.0.0.1", false}};
	static const int reuse[][2] = {{0, 0},
				       {SO_REUSEADDR, 0},
				       {SO_REUSEPORT, 0},
				       {SO_REUSEADDR, SO_REUSEPORT}};
	uint32_t port = own_ports() + 5;
	bool device = may_bind_to_device();

	NEEDS_SOCKET_LIST();
	for (int p = 0; p < PROTOCOL_COUNT; p++)
		for (size_t i = 0; i < sizeof(binds) / sizeof(*binds) * 8;
		     i++) {
			size_t at = i / 8;
			int fd = socket_of(p, binds[at].domain);

			if (binds[at].only)
				set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
			for (int n = 0; n < 2; n++)
				if (reuse[i / 2 % 4][n])
					set(fd, SOL_SOCKET,
					    reuse[i / 2 % 4][n]);
			if (i % 2 && device)
				setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
					   "lo", 3);
			cr_assert_eq(bind_to(fd, binds[at].domain,
					     binds[at].address, port),
				     0);
			all_see(p, port, binds[at].address);
			if (p == PROTOCOL_TCP) {
				cr_assert_eq(listen(fd, 1), 0);
				all_see(p, port, "listening");
				cr_assert_eq(shutdown(fd, SHUT_RD), 0);
				all_see(p, port, "no longer listening");
			}
			close(fd);
			both_say(p, (struct range){port - 1, 3}, 0, "closed");
		}
}

CHECK(port_list, sees_connections_to_their_end)
{
	uint32_t port = own_ports() + 5, client = port + 10;
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct connection c;
	int udp;

	NEEDS_SOCKET_LIST();
	c = connect_over(port, client);
	all_see(PROTOCOL_TCP, port, "a listener and a connection");
	all_see(PROTOCOL_TCP, client, "the client");
	close(c.listener);
	all_see(PROTOCOL_TCP, port, "an accepted connection");
	shutdown(c.server, SHUT_WR);
	all_see(PROTOCOL_TCP, port, "half closed");
	close(c.server);
	all_see(PROTOCOL_TCP, port, "an orphan in FIN_WAIT2");
	close(c.client);
	/* TIME_WAIT: the last packets may still be under way. */
	while (by_trial(PROTOCOL_TCP, (struct range){port - 1, 3}))
		sched_yield();
	both_say(PROTOCOL_TCP, (struct range){port - 1, 3}, 0, "TIME_WAIT");

	udp = socket_of(PROTOCOL_UDP, AF_INET);
	cr_assert_eq(bind_to(udp, AF_INET, "127.0.0.1", client), 0);
	cr_assert_eq(connect(udp, (struct sockaddr *)&peer, sizeof(peer)), 0);
	all_see(PROTOCOL_UDP, client, "connected UDP");
	cr_assert_eq(connect(udp, &nowhere, sizeof(nowhere)), 0);
	all_see(PROTOCOL_UDP, client, "no longer connected");
	close(udp);
}

CHECK(port_list, sees_sockets_of_mptcp)
{
	uint32_t port = own_ports() + 5;
	int fd;

	NEEDS_SOCKET_LIST();
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	if (fd < 0)
		SKIP("no MPTCP here");
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", port), 0);
	all_see(PROTOCOL_TCP, port, "bound MPTCP");
	cr_assert_eq(listen(fd, 1), 0);
	all_see(PROTOCOL_TCP, port, "listening MPTCP");
	close(fd);
}

/* Kernels before Linux 6.8 do not know the state of a socket that is bound and
 * neither listens nor is connected; before 5.9, no attribute for UDP. */
#define BOUND_INACTIVE 13

struct old_request {
	struct nlmsghdr header;
	struct inet_diag_req body;
	struct nlattr protocol;
};

static void
forget_states(struct nlmsghdr *request)
{
	if (request->nlmsg_type == TCPDIAG_GETSOCK)
		((struct old_request *)request)->body.idiag_states &=
			~(1u << BOUND_INACTIVE);
}

static void
forget_protocol(struct nlmsghdr *request)
{
	if (request->nlmsg_type == TCPDIAG_GETSOCK)
		((struct old_request *)request)->protocol.nla_type = 99;
}

static void
expect_no_belief(enum protocol protocol, void (*forget)(struct nlmsghdr *))
{
	struct kernel_counting kernel = kernel_counting();
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;
	const struct range range = {own_ports(), 8};
	int fd = socket_of(protocol, AF_INET);

	kernel.ask = forget;
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", range.start + 3), 0);
	cr_assert_eq(ask(&kernel, &probe, &cost, protocol, range),
		     (int)range.start + 3);
	cr_assert(probe.unlisted[protocol]);
	cr_assert_not(probe.unlisted[!protocol]);
	/* That is not asked again. */
	close(fd);
	kernel.lists = kernel.binds = 0;
	cr_assert_eq(ask(&kernel, &probe, &cost, protocol, range), 0);
	cr_assert_eq(kernel.lists, 0);
	cr_assert_eq(kernel.binds, 8);
}

CHECK(port_list, is_believed_only_if_it_shows_our_own_socket)
{
	NEEDS_SOCKET_LIST();
	expect_no_belief(PROTOCOL_TCP, forget_states);
	expect_no_belief(PROTOCOL_UDP, forget_protocol);
}

CHECK(port_list, without_it_trial_binds_are_made)
{
	static const int errors[] = {-EPERM, -EACCES, -EAFNOSUPPORT, -EMFILE,
				     -ENOBUFS};
	const struct range range = {own_ports(), 8};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		struct kernel_refusing kernel =
			kernel_refusing(SYS_sendto, errors[i], NULL);
		struct port_probe probe = {0};
		struct port_cost cost = BY_LIST;
		uint32_t port;
		int fd = socket_of(PROTOCOL_UDP, AF_INET);

		cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", range.start + 3),
			     0);
		cr_assert_eq(port_probe_first(&kernel.ops, &probe, &cost,
					      PROTOCOL_UDP, range, &port),
			     1);
		cr_assert_eq(port, range.start + 3);
		/* Want of memory or of descriptors passes. */
		cr_assert_eq(probe.unlisted[PROTOCOL_UDP] != 0, i < 3);
		close(fd);
	}
}

/* A sandbox may not have netlink at all. */
static long
without_netlink(const struct sys_ops *sys, long nr, const long arg[6])
{
	(void)sys;
	if (nr == SYS_socket && arg[0] == AF_NETLINK)
		return -EAFNOSUPPORT;
	return kernel_real(nr, arg);
}

CHECK(port_list, without_netlink_it_is_not_asked_for_again)
{
	const struct sys_ops sandbox = {.call = without_netlink};
	const struct range range = {own_ports(), 8};
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;
	uint32_t port;

	cr_assert_eq(port_probe_first(&sandbox, &probe, &cost, PROTOCOL_UDP,
				      range, &port),
		     0);
	cr_assert(probe.unlisted[PROTOCOL_UDP]);
}

/* The socket of our own finds no place. */
CHECK(port_list, without_a_place_for_ours_trial_binds_are_made)
{
	struct kernel_counting kernel = kernel_counting();
	const struct range range = {own_ports(), 8};
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;
	int fd[8];

	for (uint32_t i = 0; i < 8; i++) {
		fd[i] = socket_of(PROTOCOL_UDP, AF_INET);
		cr_assert_eq(
			bind_to(fd[i], AF_INET, "0.0.0.0", range.start + i), 0);
	}
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_UDP, range),
		     (int)range.start);
	cr_assert_eq(kernel.lists, 0);
	cr_assert_not(probe.unlisted[PROTOCOL_UDP]);
	for (int i = 0; i < 8; i++)
		close(fd[i]);
}

/* Ports that have addresses in use do not hinder it. */
CHECK(port_list, beside_other_addresses_ours_has_a_place)
{
	const struct range range = {own_ports(), 8};
	int fd[8];

	NEEDS_SOCKET_LIST();
	for (uint32_t i = 0; i < 8; i++) {
		fd[i] = socket_of(PROTOCOL_UDP, AF_INET);
		cr_assert_eq(
			bind_to(fd[i], AF_INET, "127.0.0.1", range.start + i),
			0);
	}
	cr_assert_eq(by_list(PROTOCOL_UDP, range), (int)range.start);
	for (int i = 0; i < 8; i++)
		close(fd[i]);
}

/* The connection that was closed by its server. */
static void
leave_time_wait(uint32_t port, uint32_t client_port)
{
	struct connection c = connect_over(port, client_port);

	close(c.listener);
	close(c.server);
	close(c.client);
}

/* A service that has just stopped leaves TIME_WAIT on each of its ports. */
CHECK(port_list, time_wait_everywhere_costs_no_more)
{
	const struct range range = {own_ports(), 8};
	struct kernel_counting kernel = kernel_counting();
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;

	NEEDS_SOCKET_LIST();
	for (uint32_t i = 0; i < range.count; i++)
		leave_time_wait(range.start + i, range.start + 20 + i);
	while (by_trial(PROTOCOL_TCP, range))
		sched_yield();
	/* Without the list: one count, and then two lists for all ports. */
	cost = BY_TRIAL;
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_TCP, range), 0);
	cr_assert_leq(kernel.lists, 4);
	cr_assert_eq(kernel.binds, 8);
	if (!socket_list_has_inactive())
		SKIP("the kernel's list of TCP sockets is not complete");
	cr_assert_eq(by_list(PROTOCOL_TCP, range), 0);
}

/* A connection in TIME_WAIT may end between the trial bind and the question
 * what refused it. */
static long
refuse_once(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_counting *self = (struct kernel_counting *)(void *)sys;

	if (nr == SYS_bind && self->binds++ == 0)
		return -EADDRINUSE;
	return kernel_real(nr, arg);
}

CHECK(port_list, what_has_ended_meanwhile_is_not_in_use)
{
	struct kernel_counting kernel = {.ops = {.call = refuse_once}};
	const struct range range = {own_ports(), 1};
	struct port_probe probe = {0};
	struct port_cost cost = {0};

	NEEDS_SOCKET_LIST();
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_TCP, range), 0);
	cr_assert_eq(kernel.binds, 2);
}

/* Ends an answer as a kernel does that has nobody to list the protocol. */
static long
end_with_an_error(int list, char *answer, long n)
{
	struct {
		struct nlmsghdr header;
		int error;
	} done = {
		.header = {.nlmsg_len = sizeof(done), .nlmsg_type = NLMSG_DONE},
		.error = -ENOENT,
	};

	(void)list;
	(void)n;
	memcpy(answer, &done, sizeof(done));
	return sizeof(done);
}

CHECK(port_list, an_answer_that_ends_with_an_error_is_none)
{
	struct kernel_refusing refusing =
		kernel_refusing(SYS_bind, -EACCES, NULL);
	struct kernel_counting kernel = kernel_counting();
	const struct range range = {own_ports(), 3};
	struct port_probe probe = {0};
	struct port_cost cost = BY_TRIAL;
	uint32_t port;

	kernel.answer = end_with_an_error;
	refusing.behind = &kernel.ops;
	/* Below 1024 nothing else tells. */
	cr_assert_eq(port_probe_first(&refusing.ops, &probe, &cost,
				      PROTOCOL_UDP, range, &port),
		     1);
	cost = BY_LIST;
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_UDP, range), 0);
	cr_assert(probe.unlisted[PROTOCOL_UDP]);
}

/* Takes the messages that show this port out of an answer. */
static uint32_t hidden_port;

static long
hide_in_the_first(int list, char *answer, long n)
{
	char kept[8192];
	size_t left = (size_t)n, k = 0;
	struct nlmsghdr *message = (struct nlmsghdr *)answer;

	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
		const struct inet_diag_msg *socket = NLMSG_DATA(message);

		if (list == 1 && message->nlmsg_type != NLMSG_DONE &&
		    ntohs(socket->id.idiag_sport) == hidden_port)
			continue;
		memcpy(kept + k, message, message->nlmsg_len);
		k += NLMSG_ALIGN(message->nlmsg_len);
	}
	memcpy(answer, kept, k);
	return (long)k;
}

/* The kernel passes over a socket that begins to listen between its walk of
 * the listening ones and that of the bound ones. */
CHECK(port_list, a_socket_that_changes_meanwhile_is_seen)
{
	struct kernel_counting kernel = kernel_counting();
	const struct range range = {own_ports(), 8};
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;
	int fd;

	NEEDS_SOCKET_LIST();
	if (!socket_list_has_inactive())
		SKIP("the kernel's list of TCP sockets is not complete");
	fd = tcp_socket();
	hidden_port = range.start + 3;
	kernel.answer = hide_in_the_first;
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", hidden_port), 0);
	cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_TCP, range),
		     (int)hidden_port);
	cr_assert_eq(kernel.lists, 2);
	close(fd);
}

/* Puts a request socket of this port before the answer. */
static long
with_a_request(int list, char *answer, long n)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_msg body;
	} request = {
		.header = {.nlmsg_len = sizeof(request), .nlmsg_type = 20},
		.body = {.idiag_state = SOCKDIAG_REQUEST,
			 .id.idiag_sport = htons((uint16_t)hidden_port)},
	};

	(void)list;
	memmove(answer + sizeof(request), answer, (size_t)n);
	memcpy(answer, &request, sizeof(request));
	return n + (long)sizeof(request);
}

/* Its listener has closed: it is listed, and hinders nobody. */
CHECK(port_list, a_request_socket_alone_is_no_use_of_the_port)
{
	struct kernel_counting kernel = kernel_counting();
	const struct range range = {own_ports(), 8};
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;
	int fd;

	NEEDS_SOCKET_LIST();
	hidden_port = range.start + 3;
	kernel.answer = with_a_request;
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_TCP, range), 0);
	/* Beside others that do. */
	fd = tcp_socket();
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", hidden_port), 0);
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_TCP, range),
		     (int)hidden_port);
	close(fd);
	fd = tcp_socket();
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", range.start + 5), 0);
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_TCP, range),
		     (int)range.start + 5);
	close(fd);
}

/* The list has the request socket, and not the listener that it belongs to. */
static long
with_a_request_instead(int list, char *answer, long n)
{
	/* A list that is asked for one port afterwards shows all. */
	return list > 2 ? n
			: with_a_request(list, answer,
					 hide_in_the_first(1, answer, n));
}

CHECK(port_list, the_port_of_a_request_socket_is_tried)
{
	struct kernel_counting kernel = kernel_counting();
	const struct range range = {own_ports(), 30};
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;
	int fd, binds;

	NEEDS_SOCKET_LIST();
	if (!socket_list_has_inactive())
		SKIP("the kernel's list of TCP sockets is not complete");
	hidden_port = range.start + 3;
	kernel.answer = with_a_request_instead;
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_TCP, range), 0);
	/* Ours and that one, not all behind it. */
	cr_assert_eq(kernel.binds, 2);
	fd = tcp_socket();
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", hidden_port), 0);
	binds = kernel.binds;
	kernel.lists = 0;
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_TCP, range),
		     (int)hidden_port);
	cr_assert_leq(kernel.binds - binds, 2);
	close(fd);
}

/* No right to bind there: one list for the whole range. */
CHECK(port_list, below_1024_without_the_right_to_bind)
{
	struct kernel_refusing refusing =
		kernel_refusing(SYS_bind, -EACCES, NULL);
	struct kernel_counting kernel = kernel_counting();
	const struct range range = {own_ports(), 30};
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;
	uint32_t port;
	int fd;

	NEEDS_SOCKET_LIST();
	fd = tcp_socket();
	refusing.behind = &kernel.ops;
	cr_assert_eq(port_probe_first(&refusing.ops, &probe, &cost,
				      PROTOCOL_TCP, range, &port),
		     0);
	cr_assert_leq(kernel.lists, 2);
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", range.start + 20), 0);
	cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(port_probe_first(&refusing.ops, &probe, &cost,
				      PROTOCOL_TCP, range, &port),
		     1);
	cr_assert_eq(port, range.start + 20);
	close(fd);
}

/* The cost of each of the two is measured, and decides. */

static struct kernel_counting
kernel_costing(uint64_t bind_ns, uint64_t list_ns)
{
	struct kernel_counting kernel = kernel_counting();

	kernel.bind_ns = bind_ns;
	kernel.list_ns = list_ns;
	return kernel;
}

/* Does an acquire of `count` ports read a list? */
static bool
lists(struct kernel_counting *kernel, struct port_probe *probe,
      struct port_cost *cost, uint32_t first, uint32_t count)
{
	kernel->lists = 0;
	cr_assert_eq(ask(kernel, probe, cost, PROTOCOL_UDP,
			 (struct range){first, count}),
		     0);
	return kernel->lists > 0;
}

CHECK(port_list, the_cheaper_way_is_taken)
{
	struct kernel_counting kernel = kernel_costing(1000, 9500);
	struct port_cost cost = BY_LIST;
	struct port_probe probe = {0};
	uint32_t first = own_ports();

	NEEDS_SOCKET_LIST();
	cr_assert(lists(&kernel, &probe, &cost, first, 20));
	cr_assert_eq(cost.trial, 1000);
	cr_assert_eq(cost.list, 2); /* it rises to twice what it was */
	cost.list = 10500;
	cr_assert_not(lists(&kernel, &probe, &cost, first, 10));
	cr_assert(lists(&kernel, &probe, &cost, first, 11));
	cr_assert_not(lists(&kernel, &probe, &cost, first, 1));
}

/* An interruption makes a measurement long, and nothing makes it short. */
CHECK(port_list, an_estimate_falls_at_once_and_rises_slowly)
{
	struct kernel_counting kernel = kernel_costing(1000, 5000);
	struct port_cost cost = {.trial = 4000, .list = 12000};
	struct port_probe probe = {0};
	uint32_t first = own_ports();

	NEEDS_SOCKET_LIST();
	cr_assert(lists(&kernel, &probe, &cost, first, 20));
	cr_assert_eq(cost.trial, 1000);
	cr_assert_eq(cost.list, 6000);
	kernel.list_ns = 13000;
	cr_assert(lists(&kernel, &probe, &cost, first, 20));
	cr_assert_eq(cost.list, 8000);
	kernel.list_ns = 1000000000;
	cr_assert(lists(&kernel, &probe, &cost, first, 20));
	cr_assert_eq(cost.list, 16000);
}

/* The kernel's tables grow, and shrink again: that is found out at a price of
 * a sixty-fourth. */
CHECK(port_list, a_dear_list_is_tried_again)
{
	struct kernel_counting kernel = kernel_costing(1000, 100000);
	struct port_cost cost = {.trial = 1000, .list = 101000};
	struct port_probe probe = {0};
	uint32_t first = own_ports();
	int trials = 0;

	NEEDS_SOCKET_LIST();
	while (!lists(&kernel, &probe, &cost, first, 20))
		trials++;
	cr_assert_eq(trials, (101000 * 64 + 19999) / 20000);
	cr_assert_eq(cost.list, 101000);
	kernel.list_ns = 5000;
	while (!lists(&kernel, &probe, &cost, first, 20))
		;
	cr_assert_eq(cost.list, 6000);
	cr_assert(lists(&kernel, &probe, &cost, first, 20));
}

CHECK(port_list, the_memory_of_answers_is_mapped_once)
{
	NEEDS_SOCKET_LIST();
	const struct range range = {own_ports(), 8};
	struct kernel_counting kernel = kernel_counting();
	struct port_probe probe = {0};

	for (int i = 0; i < 3; i++) {
		struct port_cost cost = BY_LIST;

		cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_UDP, range),
			     0);
		cr_assert_eq(kernel.lists, i + 1);
		cr_assert_eq(kernel.rooms, 1);
	}
}

/* A thread beside it, or a signal handler, asks while an answer is read. */
static struct {
	struct kernel_counting kernel;
	struct range range;
} beside;

static long
ask_beside(int list, char *answer, long n)
{
	static char before[8192];
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;

	(void)list;
	memcpy(before, answer, (size_t)n);
	cr_assert_eq(ask(&beside.kernel, &probe, &cost, PROTOCOL_UDP,
			 beside.range),
		     0);
	cr_assert_arr_eq(answer, before, (size_t)n);
	return n;
}

CHECK(port_list, an_answer_beside_it_has_a_room_of_its_own)
{
	NEEDS_SOCKET_LIST();
	const uint32_t first = own_ports();
	struct kernel_counting kernel = kernel_counting();
	struct port_probe probe = {0};
	struct port_cost cost = BY_LIST;

	beside.kernel = kernel_counting();
	beside.range = (struct range){first, 8};
	kernel.answer = ask_beside;
	cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_UDP,
			 (struct range){first + 8, 8}),
		     0);
	cr_assert_geq(beside.kernel.lists, 2);
	cr_assert_eq(kernel.rooms + beside.kernel.rooms, 1);
}

/* They stand in a file that strangers may write. */
CHECK(port_list, costs_of_any_value_do_no_harm)
{
	static const uint32_t values[] = {0, 1, UINT32_MAX};
	const struct range range = {own_ports(), 8};
	struct port_probe probe = {0};

	for (int i = 0; i < 27; i++) {
		struct kernel_counting kernel = kernel_counting();
		struct port_cost cost = {values[i % 3], values[i / 3 % 3],
					 i / 9 == 2 ? UINT64_MAX
						    : (uint64_t)(i / 9)};

		cr_assert_eq(ask(&kernel, &probe, &cost, PROTOCOL_UDP, range),
			     0);
	}
}
