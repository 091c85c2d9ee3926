/* SPDX-License-Identifier: MIT */
/*
 * Ports that the system chooses: never reserved ones, whether the kernel picks
 * them (IP_LOCAL_PORT_RANGE, from Linux 6.3 on) or we do.
 */
#include "tests/autobind.h"

#define PICKS 300

static void
beside_three_quarters(enum protocol protocol, int domain, bool old)
{
	struct range block;
	int fd[PICKS];

	set_up(NULL, old);
	block = (struct range){ephemeral.start + ephemeral.count / 8,
			       ephemeral.count / 4 * 3};
	reserve(protocol, block.start, block.count);
	/* The other protocol's reservations are not ours. */
	reserve((enum protocol) !protocol, ephemeral.start, ephemeral.count);
	for (int i = 0; i < PICKS; i++) {
		uint32_t port;

		fd[i] = chosen_socket(protocol, domain);
		cr_assert_geq(fd[i], 0, "%d", fd[i]);
		port = port_of(fd[i]);
		cr_assert(range_contains(ephemeral, port), "port %u", port);
		cr_assert(!range_contains(block, port), "port %u", port);
		cr_assert_eq(own_option(fd[i]), 0);
	}
	close_all(fd, PICKS);
}

static void
beside_three_quarters_of_each(bool old)
{
	beside_three_quarters(PROTOCOL_TCP, AF_INET, old);
	beside_three_quarters(PROTOCOL_TCP, AF_INET6, old);
	beside_three_quarters(PROTOCOL_UDP, AF_INET, old);
	beside_three_quarters(PROTOCOL_UDP, AF_INET6, old);
}

CHECK(autobind, hundreds_of_ports_beside_a_block)
{
	beside_three_quarters_of_each(false);
}

CHECK(autobind, hundreds_of_ports_picked_beside_a_block)
{
	beside_three_quarters_of_each(true);
}

static void
nothing_left(bool old)
{
	for (int p = 0; p < PROTOCOL_COUNT; p++) {
		enum protocol protocol = (enum protocol)p;

		set_up(NULL, old);
		reserve(protocol, ephemeral.start, ephemeral.count);
		cr_assert_eq(chosen_socket(protocol, AF_INET), -EADDRINUSE);
		cr_assert_eq(kernel.binds, 0);
		free(pool.file);
	}
}

CHECK(autobind, the_whole_range_reserved)
{
	nothing_left(false);
}

CHECK(autobind, the_whole_range_reserved_and_picked)
{
	nothing_left(true);
}

/* One port is left at either end of everything. */
static void
one_left(bool old, uint32_t port)
{
	int fd;

	set_up("65000 65535", old);
	reserve(PROTOCOL_TCP, 65000, port - 65000);
	if (port < 65535)
		reserve(PROTOCOL_TCP, port + 1, 65535 - port);
	fd = chosen_socket(PROTOCOL_TCP, AF_INET);
	cr_assert_geq(fd, 0, "%d", fd);
	cr_assert_eq(port_of(fd), port);
	cr_assert_eq(chosen_socket(PROTOCOL_TCP, AF_INET), -EADDRINUSE);
	close_all(&fd, 1);
}

CHECK(autobind, the_last_free_port_is_found)
{
	one_left(false, 65001);
	one_left(false, 65300);
	one_left(false, 65535);
	one_left(true, 65001);
	one_left(true, 65300);
	one_left(true, 65535);
}

/* A port taken in the widest window is looked for in the next. */
static void
from_window_to_window(bool old)
{
	int fd[40];

	set_up("40000 40099", old);
	reserve(PROTOCOL_UDP, 40010, 60); /* 10 below, 30 above */
	for (int i = 0; i < 40; i++) {
		fd[i] = chosen_socket(PROTOCOL_UDP, AF_INET);
		cr_assert_geq(fd[i], 0, "%d: %d", i, fd[i]);
		cr_assert((port_of(fd[i]) >= 40070) == (i < 30), "%d: port %u",
			  i, port_of(fd[i]));
	}
	cr_assert_eq(chosen_socket(PROTOCOL_UDP, AF_INET), -EADDRINUSE);
	close_all(fd, 40);
}

CHECK(autobind, full_windows_are_left_for_the_next)
{
	from_window_to_window(false);
	from_window_to_window(true);
}

/* As the kernel has it: a port of one's own, whatever may be shared. */
CHECK(autobind, sockets_with_reuse_options_share_no_port)
{
	for (int i = 0; i < 40; i++) {
		int fd[2], on = 1;

		set_up("40000 40003", i % 2);
		reserve(PROTOCOL_TCP, 40000, 2);
		for (int j = 0; j < 2; j++) {
			fd[j] = tcp_socket();
			setsockopt(fd[j], SOL_SOCKET, SO_REUSEADDR, &on,
				   sizeof(on));
			setsockopt(fd[j], SOL_SOCKET, SO_REUSEPORT, &on,
				   sizeof(on));
			cr_assert_eq(choose(PROTOCOL_TCP, AF_INET, fd[j]), 0);
		}
		cr_assert_neq(port_of(fd[0]), port_of(fd[1]), "%s: port %u",
			      kernel.old ? "picked" : "the kernel",
			      port_of(fd[0]));
		close_all(fd, 2);
	}
}

/* Ports that an administrator wants left alone. */
CHECK(autobind, ports_reserved_by_sysctl_are_left_alone)
{
	for (int i = 0; i < 20; i++) {
		int fd;

		set_up("40000 40003", i % 2);
		write_sysctl("ip_local_reserved_ports", "40002");
		reserve(PROTOCOL_TCP, 40000, 2);
		fd = chosen_socket(PROTOCOL_TCP, AF_INET);
		cr_assert_geq(fd, 0, "%d", fd);
		cr_assert_eq(port_of(fd), 40003, "%s: port %u",
			     kernel.old ? "picked" : "the kernel", port_of(fd));
		close_all(&fd, 1);
	}
}

/* IP_BIND_ADDRESS_NO_PORT leaves the choice to a later call. */
static void
chosen_later(enum protocol protocol, int domain, bool old)
{
	int on = 1, fd;
	socklen_t size = sizeof(on);

	set_up("40000 40003", old);
	reserve(protocol, 40000, 3);
	fd = socket_of(protocol, domain);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	cr_assert_eq(choose(protocol, domain, fd), 0);
	cr_assert_eq(port_of(fd), 0);
	on = 0;
	getsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, &size);
	cr_assert_eq(on, 1);
	close_all(&fd, 1);
}

CHECK(autobind, sockets_that_put_the_port_off_get_none)
{
	for (int old = 0; old < 2; old++) {
		chosen_later(PROTOCOL_TCP, AF_INET, old);
		chosen_later(PROTOCOL_UDP, AF_INET, old);
		chosen_later(PROTOCOL_TCP, AF_INET6, old);
		chosen_later(PROTOCOL_UDP, AF_INET6, old);
	}
}

/* Then the range is where the last acquirer saw it, or usually is. */
CHECK(autobind, no_descriptor_left_to_read_the_range)
{
	int fd;

	set_up("40000 40003", false);
	reserve(PROTOCOL_TCP, 40000, 3);
	atomic_store(&pool.file->header.ephemeral_range,
		     range_option(40000, 40003));
	kernel.no_files = true;
	fd = chosen_socket(PROTOCOL_TCP, AF_INET);
	cr_assert_geq(fd, 0, "%d", fd);
	cr_assert_eq(port_of(fd), 40003);
	close(fd);

	/* Nonsense of a damaged file. */
	for (uint32_t i = 0; i < 2; i++) {
		atomic_store(&pool.file->header.ephemeral_range,
			     i ? range_option(50000, 40000) : 40000);
		kernel.windows = 0;
		fd = chosen_socket(PROTOCOL_TCP, AF_INET);
		if (!kernel.old)
			cr_assert_eq(kernel.window[0].start, 40003);
		close(fd);
	}
	free(pool.file);
}

CHECK(autobind, matters_while_anything_reaches_into_the_range)
{
	struct slot *slot;

	set_up(NULL, false);
	cr_assert_not(clear_range_matters(pool.file));
	slot = slot_pick(pool.file);
	books_fill(slot, PROTOCOL_UDP, (struct range){50000, 5});
	slot->ephemeral = 1;
	slot_mark(pool.file, slot);
	/* From the first mark on: the acquirer is still at its trials. */
	cr_assert(clear_range_matters(pool.file));
	slot_publish(slot);
	cr_assert(clear_range_matters(pool.file));
	slot_free(pool.file, slot);
	cr_assert_not(clear_range_matters(pool.file));
	free(pool.file);
}
