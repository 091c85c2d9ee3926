/* SPDX-License-Identifier: MIT */
/* Port ranges, held against a naive picture: one flag for each port. */
#include "core/kernel/range.h"
#include "tests/check.h"

#define ROUNDS 300

static bool
naive_valid(uint64_t start, uint64_t count)
{
	return count >= 1 && count <= 65535 && start <= 65535 &&
	       start + count <= 65536;
}

static uint32_t
any_number(struct dice *dice)
{
	static const uint32_t edges[] = {
		0,	    1,		2,	  1023,	      1024,
		32768,	    65534,	65535,	  65536,      65537,
		131072,	    0x7fffffff, 1u << 31, 0xffff0000, 0xffff0001,
		0xfffffffe, 0xffffffff};

	if (dice_chance(dice, 60))
		return edges[dice_below(dice, sizeof(edges) / 4)];
	return dice_below(dice, dice_chance(dice, 80) ? 65536 : 0xffffffff);
}

static struct range
valid_range(struct dice *dice)
{
	struct range r;

	do
		r = (struct range){any_number(dice), any_number(dice)};
	while (!range_valid(r));
	return r;
}

CHECK(range, valid_is_what_fits_into_the_ports)
{
	struct dice dice = dice_from(1);

	for (int i = 0; i < 100000; i++) {
		struct range r = {any_number(&dice), any_number(&dice)};

		cr_assert_eq(range_valid(r), naive_valid(r.start, r.count),
			     "start %u count %u", r.start, r.count);
	}
}

static void
paint(bool ports[PORT_COUNT], struct range r)
{
	memset(ports, 0, PORT_COUNT);
	memset(ports + r.start, 1, r.count);
}

CHECK(range, contains_and_overlaps_as_a_picture_does)
{
	static bool a[PORT_COUNT], b[PORT_COUNT];
	struct dice dice = dice_from(2);

	for (int i = 0; i < ROUNDS; i++) {
		struct range x = valid_range(&dice), y = valid_range(&dice);
		bool meet = false;

		paint(a, x);
		paint(b, y);
		for (uint32_t port = 0; port < PORT_COUNT; port++) {
			cr_assert_eq(range_contains(x, port), a[port],
				     "%u+%u has %u", x.start, x.count, port);
			meet |= a[port] && b[port];
		}
		cr_assert_eq(range_overlap(x, y), meet, "%u+%u, %u+%u", x.start,
			     x.count, y.start, y.count);
		cr_assert_eq(range_overlap(y, x), meet);
	}
}

CHECK(range, a_set_has_what_was_added)
{
	static struct port_set set;
	static bool picture[PORT_COUNT];
	struct dice dice = dice_from(3);

	for (int i = 0; i < 30; i++) {
		struct range r = {dice_below(&dice, PORT_COUNT), 1};

		r.count += dice_below(&dice, PORT_COUNT - r.start) / 50;
		port_set_add(&set, r);
		memset(picture + r.start, 1, r.count);
		for (uint32_t port = 0; port < PORT_COUNT; port++)
			cr_assert_eq(port_set_has(&set, port), picture[port],
				     "port %u", port);
	}
}

/* A port's rank among the places to look; the lower the better. */
static int
rank(struct range ephemeral, uint32_t port)
{
	if (range_contains(ephemeral, port))
		return 4;
	if (port >= 20000 && port < 30000)
		return 0;
	if (port >= range_end(ephemeral))
		return 1;
	return port >= 10000 ? 2 : 3;
}

static bool
is_inside(struct range inner, struct range outer)
{
	return inner.start >= outer.start &&
	       range_end(inner) <= range_end(outer);
}

/* The windows of ports that no earlier window has. */
static void
check_order(struct range ephemeral, const struct range_list *list)
{
	static uint8_t seen[PORT_COUNT];
	int last = -1;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < list->count; i++) {
		struct range r = list->range[i];

		cr_assert(range_valid(r));
		cr_assert(i == 0 || !range_equal(r, list->range[i - 1]),
			  "%u+%u twice", r.start, r.count);
		for (uint32_t port = r.start; port < range_end(r); port++) {
			int here = rank(ephemeral, port);

			if (seen[port]++)
				continue;
			cr_assert_geq(here, last,
				      "of %u+%u: %u+%u comes too late",
				      ephemeral.start, ephemeral.count, r.start,
				      r.count);
			last = here;
		}
	}
	for (uint32_t port = 1024; port < PORT_COUNT; port++)
		cr_assert(seen[port], "of %u+%u: port %u is not there",
			  ephemeral.start, ephemeral.count, port);
	/* The kernel's range reaches below 1024 only where that is allowed. */
	for (uint32_t port = 0; port < 1024 && ephemeral.start >= 1024; port++)
		cr_assert_eq(seen[port], 0);
}

/* Is there a window for the whole of it, before the ephemeral ones or not? */
static void
check_fits(struct range ephemeral, const struct range_list *list,
	   struct range whole, bool before)
{
	size_t i = 0;

	while (i < list->count && !is_inside(whole, list->range[i]) &&
	       !(before && range_overlap(list->range[i], ephemeral)))
		i++;
	cr_assert(i < list->count && is_inside(whole, list->range[i]),
		  "of %u+%u: no window for %u+%u", ephemeral.start,
		  ephemeral.count, whole.start, whole.count);
}

static void
check_around(struct range ephemeral)
{
	struct range_list list;

	range_list_around(ephemeral, &list);
	check_order(ephemeral, &list);
	if (ephemeral.start > 1024)
		check_fits(ephemeral, &list,
			   (struct range){1024, ephemeral.start - 1024}, true);
	if (range_end(ephemeral) < PORT_COUNT)
		check_fits(ephemeral, &list,
			   (struct range){range_end(ephemeral),
					  PORT_COUNT - range_end(ephemeral)},
			   true);
	check_fits(ephemeral, &list, (struct range){1024, PORT_COUNT - 1024},
		   false);
	check_fits(ephemeral, &list, ephemeral, false);
}

CHECK(range, around_has_a_window_for_every_run_best_first)
{
	static const struct range edges[] = {
		{32768, 28232}, {1, 65535},	{1024, 64512}, {65535, 1},
		{1, 1},		{10000, 1},	{9999, 2},     {1023, 2},
		{10000, 55536}, {500, 100},	{60000, 5536}, {15000, 10000},
		{25000, 10000}, {20000, 10000}, {22000, 100},  {1024, 4000}};
	struct dice dice = dice_from(4);

	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
		check_around(edges[i]);
	for (int i = 0; i < ROUNDS; i++) {
		struct range r = valid_range(&dice);

		if (r.start != 0)
			check_around(r);
	}
}

/* As docs/portres.7 has them. */
CHECK(range, around_the_usual_ephemeral_range)
{
	static const struct range first[] = {
		{20000, 10000}, {61000, 4536}, {10000, 22768}, {1024, 8976}};
	struct range_list list;

	range_list_around((struct range){32768, 28232}, &list);
	cr_assert_geq(list.count, 4);
	for (size_t i = 0; i < 4; i++)
		cr_assert(range_equal(list.range[i], first[i]), "%zu: %u+%u", i,
			  list.range[i].start, list.range[i].count);
}
