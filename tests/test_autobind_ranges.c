/* SPDX-License-Identifier: MIT */
/*
 * The clear ranges that are shown to the kernel, and the
 * program's own IP_LOCAL_PORT_RANGE beside them.
 */
#include "tests/autobind.h"

/* Runs of 1, 2, 3, ... free ports, each after a reserved one, in disorder. */
static void
reserve_between_runs(int runs)
{
	uint32_t port = ephemeral.start;

	for (int i = 0; i < runs; i++) {
		reserve(PROTOCOL_TCP, port, 1);
		port += 2 + (uint32_t)(i * 7 % runs);
	}
	reserve(PROTOCOL_TCP, port, range_end(ephemeral) - port);
}

static bool
free_of_marks(struct range window)
{
	for (uint32_t port = window.start; port < range_end(window); port++)
		if (books_mark(pool.file, PROTOCOL_TCP, port))
			return false;
	return true;
}

/*
 * Without the option only what the kernel is asked to bind can be seen. After
 * the windows come the last ports of those of odd widths, among them the window
 * of one port.
 */
CHECK(autobind, the_widest_ranges_first)
{
	enum { RUNS = 31 };
	int fd;

	set_up(NULL, false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	fd = tcp_socket();
	reserve_between_runs(RUNS);
	kernel.bind_error = -EADDRINUSE;
	cr_assert_eq(choose(PROTOCOL_TCP, AF_INET, fd), -EADDRINUSE);
	cr_assert_eq(kernel.windows, RUNS + RUNS / 2);
	for (int i = 0; i < kernel.windows; i++) {
		struct range window = kernel.window[i];

		cr_assert_eq(window.count, i < RUNS ? RUNS - i : 1,
			     "window %d: %u+%u", i, window.start, window.count);
		cr_assert(free_of_marks(window), "window %d: %u+%u", i,
			  window.start, window.count);
	}
	cr_assert_eq(own_option(fd), 0);
	close_all(&fd, 1);
}

CHECK(autobind, picks_go_through_the_widest_ranges_first)
{
	enum { RUNS = 12 };
	int fd, n = 0;

	set_up(NULL, true);
	fd = tcp_socket();
	reserve_between_runs(RUNS);
	kernel.bind_error = -EADDRINUSE;
	cr_assert_eq(choose(PROTOCOL_TCP, AF_INET, fd), -EADDRINUSE);
	/* Each port of each run once: RUNS, RUNS - 1, ... of them. */
	cr_assert_eq(kernel.binds, RUNS * (RUNS + 1) / 2);
	for (uint32_t run = RUNS; run > 0; run--) {
		uint32_t low = 65536, high = 0;

		for (uint32_t i = 0; i < run; i++, n++) {
			cr_assert_not(books_mark(pool.file, PROTOCOL_TCP,
						 kernel.bind[n]));
			low = kernel.bind[n] < low ? kernel.bind[n] : low;
			high = kernel.bind[n] > high ? kernel.bind[n] : high;
		}
		cr_assert_eq(high - low + 1, run, "%u-%u", low, high);
	}
	close_all(&fd, 1);
}

/*
 * Among equals in order, and none is passed over or offered twice; then the
 * last port of each, which TCP does not find there before Linux 6.8.
 */
CHECK(autobind, ranges_of_one_width)
{
	enum { RUNS = 50 };
	int fd;

	set_up(NULL, false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	fd = tcp_socket();
	for (uint32_t i = 0; i < RUNS; i++)
		reserve(PROTOCOL_TCP, ephemeral.start + 4 * i, 1);
	reserve(PROTOCOL_TCP, ephemeral.start + 4 * RUNS,
		ephemeral.count - 4 * RUNS);
	kernel.bind_error = -EADDRINUSE;
	cr_assert_eq(choose(PROTOCOL_TCP, AF_INET, fd), -EADDRINUSE);
	cr_assert_eq(kernel.windows, 2 * RUNS);
	for (uint32_t i = 0; i < RUNS; i++) {
		cr_assert_eq(kernel.window[i].start,
			     ephemeral.start + 4 * i + 1);
		cr_assert_eq(kernel.window[i].count, 3);
		cr_assert_eq(kernel.window[RUNS + i].start,
			     ephemeral.start + 4 * i + 3);
		cr_assert_eq(kernel.window[RUNS + i].count, 1);
	}
	close_all(&fd, 1);
}

CHECK(autobind, each_port_is_picked_once)
{
	static bool picked[PORT_COUNT];
	int fd;

	set_up(NULL, true);
	fd = tcp_socket();
	kernel.bind_error = -EADDRINUSE;
	memset(picked, 0, sizeof(picked));
	cr_assert_eq(choose(PROTOCOL_TCP, AF_INET, fd), -EADDRINUSE);
	cr_assert_eq(kernel.binds, (int)ephemeral.count);
	for (int i = 0; i < kernel.binds; i++) {
		cr_assert_not(picked[kernel.bind[i]]);
		picked[kernel.bind[i]] = true;
	}
	close_all(&fd, 1);
}

/* Only a port that is in use sends us to the next window. */
CHECK(autobind, other_errors_are_the_kernels_answer)
{
	for (int i = 0; i < 2; i++) {
		uint32_t own;
		int fd;

		set_up(NULL, i);
		fd = tcp_socket();
		own = range_option(ephemeral.start, ephemeral.start + 99);
		reserve(PROTOCOL_TCP, ephemeral.start + 50, 1);
		set_own_option(fd, own);
		kernel.bind_error = -EACCES;
		cr_assert_eq(choose(PROTOCOL_TCP, AF_INET, fd), -EACCES);
		cr_assert_eq(kernel.binds, 1);
		if (!kernel.old)
			cr_assert_eq(own_option(fd), own);
		close_all(&fd, 1);
	}
}

/* The program's own range, as the kernel reads it: see own_ranges. */
static void
obeys(uint32_t own, struct range expected)
{
	/* Twice as many as there are ports, so that none is there by luck. */
	for (uint32_t i = 0; i < 2 * expected.count; i++) {
		int fd = tcp_socket();
		int r;

		cr_assert_eq(set_own_option(fd, own), 0);
		r = choose(PROTOCOL_TCP, AF_INET, fd);
		cr_assert_eq(r, 0, "%#x: %d", own, r);
		cr_assert(range_contains(expected, port_of(fd)), "%#x: port %u",
			  own, port_of(fd));
		cr_assert_eq(own_option(fd), own);
		close(fd);
	}
}

/*
 * 40000 to 40099, with 40020 to 40079 reserved. Each end of an own range counts
 * for itself, and not where it lies outside (Linux 6.3 to 6.18,
 * inet_sk_get_local_port_range).
 */
static const struct {
	uint32_t first, last;
	struct range expected;
} own_ranges[] = {
	{40010, 40029, {40010, 10}}, {40070, 40089, {40080, 10}},
	{0, 40004, {40000, 5}},	     {40095, 0, {40095, 5}},
	{39000, 40004, {40000, 5}},  {40095, 50000, {40095, 5}},
	{40010, 40095, {40080, 16}},
};

CHECK(autobind, a_programs_own_range_is_obeyed_and_kept)
{
	set_up("40000 40099", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	reserve(PROTOCOL_TCP, 40020, 60);
	for (size_t i = 0; i < sizeof(own_ranges) / sizeof(*own_ranges); i++)
		obeys(range_option(own_ranges[i].first, own_ranges[i].last),
		      own_ranges[i].expected);
	free(pool.file);
}

/* The kernel ignores an own range that lies beside its own. */
CHECK(autobind, a_programs_own_range_outside_the_kernels_means_nothing)
{
	set_up("40000 40099", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	reserve(PROTOCOL_TCP, 40020, 80);
	obeys(range_option(50000, 50999), (struct range){40000, 20});
	obeys(range_option(30000, 30999), (struct range){40000, 20});
	free(pool.file);
}

CHECK(autobind, a_programs_own_range_all_reserved)
{
	uint32_t own = range_option(40030, 40039);
	int fd;

	set_up("40000 40099", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	fd = tcp_socket();
	reserve(PROTOCOL_TCP, 40020, 60);
	cr_assert_eq(set_own_option(fd, own), 0);
	cr_assert_eq(choose(PROTOCOL_TCP, AF_INET, fd), -EADDRINUSE);
	cr_assert_eq(own_option(fd), own);
	close_all(&fd, 1);
}

static uint32_t shown[8]; /* to connect(), in turn */
static int connects;
static uint32_t set_meanwhile;

static long
full_connect(const struct call *call)
{
	shown[connects++] = own_option(call->fd);
	if (set_meanwhile)
		set_own_option(call->fd, set_meanwhile);
	return -EADDRNOTAVAIL;
}

static void
connect_in_vain(int fd)
{
	struct call call = {
		.verb = VERB_CONNECT, .fd = fd, .real = full_connect};
	bool none;

	connects = 0;
	cr_assert_eq(autobind(&pool, PROTOCOL_TCP, &call, &none),
		     -EADDRNOTAVAIL);
	cr_assert(none);
}

CHECK(autobind, connect_is_shown_one_range_after_the_other)
{
	uint32_t own = range_option(40010, 40089);
	int fd;

	set_up("40000 40099", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	fd = socket_of(PROTOCOL_TCP, AF_INET6);
	reserve(PROTOCOL_TCP, 40020, 30); /* leaves 10 below and 40 above */
	cr_assert_eq(set_own_option(fd, own), 0);
	connect_in_vain(fd);
	cr_assert_eq(connects, 2);
	cr_assert_eq(shown[0], range_option(40050, 40089));
	cr_assert_eq(shown[1], range_option(40010, 40019));
	cr_assert_eq(own_option(fd), own);
	/* A range that the program has set meanwhile is left alone. */
	set_meanwhile = range_option(40060, 40069);
	connect_in_vain(fd);
	cr_assert_eq(own_option(fd), set_meanwhile);
	set_meanwhile = 0;
	close_all(&fd, 1);
}

/* A range that was found holds until the marks change, and not longer. */
CHECK(autobind, the_widest_range_is_found_anew_when_marks_change)
{
	struct slot *slot;
	int fd;

	set_up("40000 40099", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	fd = socket_of(PROTOCOL_TCP, AF_INET6);
	slot = slot_pick(pool.file);
	books_fill(slot, PROTOCOL_TCP, (struct range){40000, 50});
	slot->ephemeral = 1;
	slot_mark(pool.file, slot);
	slot_publish(slot);
	connect_in_vain(fd);
	cr_assert_eq(shown[0], range_option(40050, 40099));
	slot_free(pool.file, slot);
	connect_in_vain(fd);
	cr_assert_eq(shown[0], range_option(40000, 40099));
	slot = slot_pick(pool.file);
	books_fill(slot, PROTOCOL_TCP, (struct range){40050, 50});
	slot->ephemeral = 1;
	slot_mark(pool.file, slot);
	connect_in_vain(fd);
	cr_assert_eq(shown[0], range_option(40000, 40049));
	close_all(&fd, 1);
}

static long
busy_listen(const struct call *call)
{
	(void)call;
	connects++;
	return -EADDRINUSE;
}

/* The error has another cause where the socket has a port. */
CHECK(autobind, a_bound_socket_is_not_tried_on_each_range)
{
	struct call call = {.verb = VERB_LISTEN, .real = busy_listen};
	bool none;

	set_up("40000 40099", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	call.fd = tcp_socket();
	cr_assert_eq(bind_to(call.fd, AF_INET, "127.0.0.1", 30000), 0);
	reserve(PROTOCOL_TCP, 40020, 30);
	connects = 0;
	cr_assert_eq(autobind(&pool, PROTOCOL_TCP, &call, &none), -EADDRINUSE);
	cr_assert_eq(connects, 1);
	cr_assert_not(none);
	close_all(&call.fd, 1);
}

/* A sandbox lets the option be read, and not be set. */
CHECK(autobind, a_port_is_picked_where_the_option_cannot_be_set)
{
	int fd;

	set_up("40000 40003", false);
	reserve(PROTOCOL_TCP, 40000, 3);
	kernel.fixed = true;
	fd = chosen_socket(PROTOCOL_TCP, AF_INET);
	cr_assert_geq(fd, 0, "%d", fd);
	cr_assert_eq(port_of(fd), 40003);
	close_all(&fd, 1);
}
