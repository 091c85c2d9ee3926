/* SPDX-License-Identifier: MIT */
/*
 * A store of any length is loaded at a price that a program's first bind can
 * pay, and what is reserved then is what the lines say, the earlier first.
 */
#include "core/pool/persistent.h"

#include "tests/store_kit.h"

struct kernel_counting {
	struct sys_ops ops;
	uint32_t calls;
};

static long
kernel_count(const struct sys_ops *sys, long nr, const long arg[6])
{
	((struct kernel_counting *)(void *)sys)->calls++;
	return kernel_real(nr, arg);
}

/* Lines are written into memory, and then to the file. */
struct lines {
	char *text;
	size_t length;
};

static void
line(struct lines *lines, enum protocol protocol, uint32_t start,
     uint32_t count)
{
	if (!lines->text)
		lines->text = malloc(STORE_MAX);
	lines->length += (size_t)snprintf(
		lines->text + lines->length, STORE_MAX - lines->length,
		"%s %u %u\n", protocol == PROTOCOL_TCP ? "tcp" : "udp", start,
		count);
}

static void
save(struct lines *lines)
{
	kit_write("persistent", lines->text, lines->length);
	free(lines->text);
	*lines = (struct lines){0};
}

/* Makes a pool of what was saved; returns the number of system calls. */
static uint32_t
load(struct pool *ret)
{
	struct kernel_counting kernel = {.ops = {.call = kernel_count}};
	const struct pool_filling filling = {persistent_load, temp_dir()};

	cr_assert_eq(pool_open(&kernel.ops, temp_dir(), false, &filling,
			       RIG_NETNS, &rig_forks, ret),
		     0);
	ret->sys = &sys_kernel;
	return kernel.calls;
}

/* Those for the files, and for /proc/locks once where the pool is full. */
#define CALLS_FIXED 150

static void
expect_calls(struct lines *lines, uint32_t reserved)
{
	struct kernel_counting kernel = {.ops = {.call = kernel_count}};
	struct persistent_report report;
	struct pool pool;
	uint32_t calls;

	save(lines);
	calls = load(&pool);
	cr_assert_eq(rig_live_slots(pool.file), reserved);
	cr_assert_leq(calls, reserved + CALLS_FIXED);
	/* Each change reads it again; a guard is told of each block. */
	pool.sys = &kernel.ops;
	cr_assert_eq(persistent_reload(&pool, temp_dir(), &report), 0);
	cr_assert_leq(kernel.calls,
		      CALLS_FIXED + (rig_guarded() ? reserved : 0));
	pool_close(&pool);
	rig_remove_pool();
}

CHECK(persistent_load, takes_one_call_for_a_block)
{
	static const uint32_t sizes[] = {1000, 8000, 40000};

	for (size_t i = 0; i < 3; i++) {
		struct lines lines = {0};

		for (uint32_t n = 0; n < sizes[i]; n++)
			line(&lines, PROTOCOL_TCP, 10000 + n, 1);
		/* A line beyond a pool is not even tried. */
		expect_calls(&lines,
			     sizes[i] < SLOT_COUNT ? sizes[i] : SLOT_COUNT);
	}
}

CHECK(persistent_load, takes_none_for_lines_that_overlap)
{
	struct lines lines = {0};

	line(&lines, PROTOCOL_TCP, 65535, 1);
	for (uint32_t n = 1; n <= 40000; n++)
		line(&lines, PROTOCOL_TCP, n, 65536 - n);
	expect_calls(&lines, 1);
	for (uint32_t n = 1; n <= 40000; n++)
		line(&lines, PROTOCOL_UDP, 1, 65535);
	expect_calls(&lines, 1);
}

/* A change reads them all, too, and finds a runtime block in their way. */
CHECK(persistent_load, takes_none_beside_a_runtime_block)
{
	struct kernel_counting kernel = {.ops = {.call = kernel_count}};
	uint32_t first = own_ports();
	struct pool pool = rig_pool();
	struct persistent_report report;
	struct lines lines = {0};
	int fd = tcp_socket();

	rig_reserve(&pool, fd, first, 1);
	for (uint32_t n = 1; n <= first; n++)
		line(&lines, PROTOCOL_TCP, n, 65536 - n);
	save(&lines);
	pool.sys = &kernel.ops;
	cr_assert_eq(persistent_reload(&pool, temp_dir(), &report), 0);
	cr_assert_eq(report.bad, first);
	cr_assert_leq(kernel.calls, CALLS_FIXED);
	pool_close(&pool);
	close(fd);
}

/* Only what lives is in the way, in the same line and in later ones. */
CHECK(persistent_load, takes_the_ports_of_the_dead)
{
	uint32_t first = own_ports();
	struct pool pool = rig_pool();
	struct persistent_report report;
	struct lines lines = {0};
	int dead = tcp_socket(), living = tcp_socket();

	rig_reserve(&pool, dead, first, 4);
	rig_reserve(&pool, living, first + 4, 4);
	close(dead);
	line(&lines, PROTOCOL_TCP, first, 8);
	line(&lines, PROTOCOL_TCP, first + 2, 2);
	line(&lines, PROTOCOL_TCP, first + 7, 2);
	line(&lines, PROTOCOL_TCP, first + 8, 2);
	save(&lines);
	cr_assert_eq(persistent_reload(&pool, temp_dir(), &report), 0);
	cr_assert_eq(report.bad, 2);
	cr_assert_eq(report.first_bad, 1);
	cr_assert_eq(report.added, 2);
	pool_close(&pool);
	close(living);
}

/* The model: a port has what came first, and a line all its ports or none. */
static uint32_t
follow(bool taken[PROTOCOL_COUNT][PORT_COUNT], enum protocol protocol,
       struct range range)
{
	for (uint32_t port = range.start; port < range_end(range); port++)
		if (taken[protocol][port])
			return 0;
	for (uint32_t port = range.start; port < range_end(range); port++)
		taken[protocol][port] = true;
	return 1;
}

CHECK(persistent_load, the_earlier_line_wins)
{
	static bool taken[PROTOCOL_COUNT][PORT_COUNT];
	struct dice dice = dice_from(20260);
	struct lines lines = {0};
	uint32_t reserved = 0;
	struct pool pool;

	for (int i = 0; i < 8000; i++) {
		enum protocol protocol = (enum protocol)dice_below(&dice, 2);
		struct range range = {1 + dice_below(&dice, 65535), 0};
		/* Some of a few words of 64 ports, most of a part of one. */
		uint32_t most = dice_chance(&dice, 10) ? 300 : 8;

		range.count = 1 + dice_below(&dice, most);
		if (!range_valid(range))
			continue;
		line(&lines, protocol, range.start, range.count);
		reserved += follow(taken, protocol, range);
	}
	save(&lines);
	load(&pool);
	cr_assert_lt(reserved, SLOT_COUNT);
	cr_assert_eq(rig_live_slots(pool.file), reserved, "seed %lu",
		     dice.seed);
	for (int p = 0; p < PROTOCOL_COUNT; p++)
		for (uint32_t port = 0; port < PORT_COUNT; port++)
			cr_assert_eq(slot_by_port(pool.file, p, port) != NULL,
				     taken[p][port], "port %u, seed %lu", port,
				     dice.seed);
	cr_assert(rig_marks_right(pool.file));
	pool_close(&pool);
}

/* And stays what it is, when the store is read again. */
CHECK(persistent_load, a_second_reading_changes_nothing)
{
	struct persistent_report report;
	struct lines lines = {0};
	struct pool pool;

	line(&lines, PROTOCOL_TCP, 30000, 100);
	line(&lines, PROTOCOL_UDP, 30000, 100);
	line(&lines, PROTOCOL_TCP, 30000, 100);
	line(&lines, PROTOCOL_TCP, 30099, 1);
	save(&lines);
	load(&pool);
	cr_assert_eq(persistent_reload(&pool, temp_dir(), &report), 0);
	cr_assert(report.kept == 3 && report.bad == 1 && report.added == 0 &&
		  report.removed == 0 && report.first_bad == 4);
	pool_close(&pool);
}
