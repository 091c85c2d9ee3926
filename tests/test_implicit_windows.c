/* SPDX-License-Identifier: MIT */
/*
 * The windows of the ephemeral range that are offered to the kernel, and the
 * program's own IP_LOCAL_PORT_RANGE beside them.
 */
#include "tests/implicit.h"

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
CHECK(implicit, the_widest_windows_first)
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

CHECK(implicit, picks_go_through_the_widest_windows_first)
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
CHECK(implicit, windows_of_one_width)
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

CHECK(implicit, each_port_is_picked_once)
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
CHECK(implicit, other_errors_are_the_kernels_answer)
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
 * 40000 to 40099, of which 40020 to 40079 are reserved. Of an own range each
 * end counts for itself, and not where it lies outside (Linux 6.3 to 6.18,
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

CHECK(implicit, a_programs_own_range_is_obeyed_and_kept)
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
CHECK(implicit, a_programs_own_range_outside_the_kernels_means_nothing)
{
	set_up("40000 40099", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	reserve(PROTOCOL_TCP, 40020, 80);
	obeys(range_option(50000, 50999), (struct range){40000, 20});
	obeys(range_option(30000, 30999), (struct range){40000, 20});
	free(pool.file);
}

CHECK(implicit, a_programs_own_range_all_reserved)
{
	struct range window = IMPLICIT_FIRST;
	uint32_t own, ret_own = 77;
	int fd;

	set_up("40000 40099", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	fd = tcp_socket();
	own = range_option(40030, 40039);
	reserve(PROTOCOL_TCP, 40020, 60);
	cr_assert_eq(set_own_option(fd, own), 0);
	cr_assert_eq(choose(PROTOCOL_TCP, AF_INET, fd), -EADDRINUSE);
	cr_assert_eq(own_option(fd), own);
	cr_assert_eq(
		implicit_window(&pool, PROTOCOL_TCP, fd, &window, &ret_own),
		-EADDRNOTAVAIL);
	cr_assert_eq(own_option(fd), own);
	cr_assert_eq(ret_own, 77);
	close_all(&fd, 1);
}

CHECK(implicit, windows_one_by_one_and_back)
{
	uint32_t own = range_option(40010, 40089), seen;
	struct range window = IMPLICIT_FIRST;
	int fd;

	set_up("40000 40099", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	fd = socket_of(PROTOCOL_TCP, AF_INET6);
	reserve(PROTOCOL_TCP, 40020, 30); /* leaves 10 below and 40 above */
	cr_assert_eq(set_own_option(fd, own), 0);
	cr_assert_eq(implicit_window(&pool, PROTOCOL_TCP, fd, &window, &seen),
		     0);
	cr_assert_eq(seen, own);
	cr_assert_eq(own_option(fd), range_option(40050, 40089));
	implicit_window_end(&pool, fd, window, seen);
	cr_assert_eq(own_option(fd), own);
	cr_assert_eq(implicit_window(&pool, PROTOCOL_TCP, fd, &window, &seen),
		     0);
	cr_assert_eq(own_option(fd), range_option(40010, 40019));
	implicit_window_end(&pool, fd, window, seen);
	/* What the program has set meanwhile is left alone. */
	set_own_option(fd, range_option(40060, 40069));
	implicit_window_end(&pool, fd, window, seen);
	cr_assert_eq(own_option(fd), range_option(40060, 40069));
	set_own_option(fd, own);
	cr_assert_eq(implicit_window(&pool, PROTOCOL_TCP, fd, &window, &seen),
		     -EADDRNOTAVAIL);
	cr_assert_eq(own_option(fd), own);
	close_all(&fd, 1);
}

/* What a connect that failed asks of its window. */
CHECK(implicit, a_window_is_full_or_not)
{
	const struct range window = {40000, 2};
	int fd, user[2];

	set_up("40000 40003", false);
	if (kernel.old)
		SKIP("before Linux 6.3");
	fd = socket_of(PROTOCOL_TCP, AF_INET6);
	cr_assert_not(implicit_full(&pool, fd, window));
	for (uint32_t i = 0; i < 2; i++) {
		cr_assert_not(implicit_full(&pool, fd, window));
		user[i] = tcp_socket();
		cr_assert_eq(bind_to(user[i], AF_INET, "0.0.0.0", 40000 + i),
			     0);
	}
	cr_assert(implicit_full(&pool, fd, window));
	cr_assert_not(implicit_full(&pool, fd, (struct range){40002, 2}));
	/* Nothing of it is left. */
	close(user[1]);
	cr_assert_not(implicit_full(&pool, fd, window));
	cr_assert_eq(port_of(fd), 0);
	close(user[0]);
	close_all(&fd, 1);
}
