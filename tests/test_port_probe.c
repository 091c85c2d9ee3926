/* SPDX-License-Identifier: MIT */
/* The sockets that count as a port in use. */
#include "core/kernel/port_probe.h"

#include <poll.h>

#include "core/kernel/sockdiag.h"
#include "tests/kernel.h"
#include "tests/rig.h"
#include "tests/socket_list.h"

static int
inuse_of(const struct sys_ops *sys, enum protocol protocol, struct range range,
	 uint32_t *ret_port)
{
	struct port_probe probe = {0};
	struct port_cost cost = {0};

	return port_probe_first(sys, &probe, &cost, protocol, range, ret_port);
}

static int
ask(const struct sys_ops *sys, enum protocol protocol, uint32_t port)
{
	uint32_t found = 0;
	int r = inuse_of(sys, protocol, (struct range){port, 1}, &found);

	cr_assert_eq(found, r == 1 ? port : 0);
	return r;
}

static void
expect(enum protocol protocol, uint32_t port, int in_use, const char *what)
{
	int r = ask(&sys_kernel, protocol, port);

	cr_assert_eq(r, in_use, "%s: %d", what, r);
}

/* Below 1024 not everybody may bind, and sock_diag is asked. */
static void
expect_unprivileged(enum protocol protocol, uint32_t port, int in_use,
		    const char *what)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_bind, -EACCES, NULL);
	int r = ask(&kernel.ops, protocol, port);

	cr_assert_eq(r, in_use, "%s, asked without rights: %d", what, r);
	cr_assert_eq(kernel.asked, 1);
}

CHECK(inuse, any_bound_socket_counts)
{
	static const struct {
		int domain;
		const char *address;
		bool only; /* IPV6_V6ONLY */
		int reuse; /* SO_REUSEADDR, SO_REUSEPORT */
	} binds[] = {{AF_INET, "0.0.0.0", false, 0},
		     {AF_INET, "127.0.0.1", false, 0},
		     {AF_INET, "127.0.0.77", false, SO_REUSEADDR},
		     {AF_INET, "0.0.0.0", false, SO_REUSEPORT},
		     {AF_INET, "0.0.0.0", false, SO_REUSEADDR},
		     {AF_INET6, "::", false, 0},
		     {AF_INET6, "::", true, 0},
		     {AF_INET6, "::1", false, 0},
		     {AF_INET6, "::1", true, SO_REUSEADDR},
		     {AF_INET6, "::", false, SO_REUSEPORT},
		     {AF_INET6, "::ffff:127.0.0.1", false, 0}};
	uint32_t port = own_ports();
	int yes = 1;

	NEEDS_SOCKET_LIST();
	for (int p = 0; p < PROTOCOL_COUNT; p++)
		for (size_t i = 0; i < sizeof(binds) / sizeof(*binds); i++) {
			int fd = socket_of(p, binds[i].domain);

			if (binds[i].only)
				setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes,
					   sizeof(yes));
			if (binds[i].reuse)
				setsockopt(fd, SOL_SOCKET, binds[i].reuse, &yes,
					   sizeof(yes));
			expect(p, port, 0, "before");
			cr_assert_eq(bind_to(fd, binds[i].domain,
					     binds[i].address, port),
				     0);
			expect(p, port, 1, binds[i].address);
			expect(!p, port, 0, "the other protocol");
			if (p == PROTOCOL_TCP)
				cr_assert_eq(listen(fd, 1), 0);
			expect(p, port, 1, "listening");
			expect_unprivileged(p, port, 1, binds[i].address);
			close(fd);
			expect(p, port, 0, "after");
			expect_unprivileged(p, port, 0, "after");
		}
}

CHECK(inuse, the_lowest_port_in_use_is_told)
{
	uint32_t first = own_ports(), found = 0;
	const struct range all = {first, PORTS_OWN};
	int a = tcp_socket(), b = tcp_socket();

	cr_assert_eq(inuse_of(&sys_kernel, PROTOCOL_TCP, all, &found), 0);
	cr_assert_eq(bind_to(a, AF_INET, "127.0.0.1", first + 30), 0);
	cr_assert_eq(bind_to(b, AF_INET, "127.0.0.1", first + 11), 0);
	cr_assert_eq(inuse_of(&sys_kernel, PROTOCOL_TCP, all, &found), 1);
	cr_assert_eq(found, first + 11);
	cr_assert_eq(inuse_of(&sys_kernel, PROTOCOL_TCP,
			      (struct range){first + 12, 18}, &found),
		     0);
	close(b);
	cr_assert_eq(inuse_of(&sys_kernel, PROTOCOL_TCP, all, &found), 1);
	cr_assert_eq(found, first + 30);
	close(a);
}

/* Asking takes nothing: the port can be bound at once, by anybody. */
CHECK(inuse, asking_leaves_no_trace)
{
	uint32_t port = own_ports();
	int fd = tcp_socket();

	expect(PROTOCOL_TCP, port, 0, "free");
	cr_assert_eq(bind_to(fd, AF_INET, "0.0.0.0", port), 0);
	close(fd);
}

CHECK(inuse, a_connection_counts_and_time_wait_does_not)
{
	uint32_t port = own_ports();
	struct sockdiag_count count;
	struct connection c;
	char byte;

	NEEDS_SOCKET_LIST();
	c = connect_over(port, port + 1);
	expect(PROTOCOL_TCP, port + 1, 1, "the client's port");
	expect_unprivileged(PROTOCOL_TCP, port + 1, 1, "the client's port");
	close(c.listener);
	expect(PROTOCOL_TCP, port, 1, "an accepted connection");
	expect_unprivileged(PROTOCOL_TCP, port, 1, "an accepted connection");

	/* The side that closes first has TIME_WAIT: the server, once the client
	 * did. */
	close(c.server);
	cr_assert_eq(read(c.client, &byte, 1), 0);
	close(c.client);
	do
		cr_assert_eq(
			sockdiag_count(&sys_kernel, PROTOCOL_TCP, port, &count),
			0);
	while (count.other > 0);
	cr_assert_eq(count.time_wait, 1);
	expect(PROTOCOL_TCP, port, 0, "TIME_WAIT");
	expect_unprivileged(PROTOCOL_TCP, port, 0, "TIME_WAIT");

	/* The kernel does not let us look: the answer must be yes. */
	struct kernel_refusing kernel =
		kernel_refusing(SYS_sendto, -EPERM, NULL);

	cr_assert_eq(ask(&kernel.ops, PROTOCOL_TCP, port), 1);

	/* Beside TIME_WAIT somebody has the port again. */
	int fd = tcp_socket(), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", port), 0);
	cr_assert_eq(listen(fd, 1), 0);
	expect(PROTOCOL_TCP, port, 1, "TIME_WAIT and a listener");
	close(fd);
}

CHECK(inuse, what_the_kernel_refuses_is_told)
{
	static const int errors[] = {-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM};
	uint32_t port = own_ports();
	int fd = tcp_socket();

	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", port), 0);
	cr_assert_eq(listen(fd, 1), 0);
	for (size_t i = 0; i < 4; i++) {
		struct kernel_refusing kernel =
			kernel_refusing(SYS_socket, errors[i], NULL);

		cr_assert_eq(ask(&kernel.ops, PROTOCOL_TCP, port), errors[i]);
		kernel = kernel_refusing(SYS_bind, errors[i], NULL);
		cr_assert_eq(ask(&kernel.ops, PROTOCOL_TCP, port), errors[i]);
	}
	close(fd);
}

CHECK(inuse, a_conflict_is_not_guessed)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_socket, -EMFILE, NULL);
	uint32_t port = own_ports();
	struct port_probe probe = {0};
	int fd = tcp_socket();

	cr_assert_eq(
		port_probe_conflicts(&sys_kernel, &probe, PROTOCOL_TCP, port),
		0);
	cr_assert_eq(bind_to(fd, AF_INET, "127.0.0.1", port), 0);
	cr_assert_eq(
		port_probe_conflicts(&sys_kernel, &probe, PROTOCOL_TCP, port),
		1);
	cr_assert_eq(
		port_probe_conflicts(&kernel.ops, &probe, PROTOCOL_TCP, port),
		-EMFILE);
	close(fd);
}
