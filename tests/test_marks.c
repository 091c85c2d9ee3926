/* SPDX-License-Identifier: MIT */
/* Marks are read and written four at a time: the answers are those of a look at
 * each port. */
#include "core/pool/marks.h"

#include "tests/rig.h"

#define NONE 0
#define MINE 7
#define ANOTHERS 0x8001 /* its top bit is set */

static uint16_t
mark_at(struct pool_file *file, uint32_t port)
{
	return atomic_load(mark_of(file, PROTOCOL_UDP, port));
}

static uint32_t
naive_first(struct pool_file *file, struct range range)
{
	for (uint32_t port = range.start; port < range_end(range); port++)
		if (mark_at(file, port))
			return port;
	return 0;
}

/* Ranges that begin and end at each place of a word, also across segments. */
#define BASE (2 * SEGMENT_PORTS - 10)
#define SPAN 20

CHECK(marks, of_any_range_are_set_and_cleared)
{
	struct pool_file *file = books_new();

	for (uint32_t from = 0; from < SPAN; from++)
		for (uint32_t to = from + 1; to <= SPAN; to++) {
			const struct range range = {BASE + from, to - from};

			marks_set(file, PROTOCOL_UDP, range, MINE);
			for (uint32_t p = BASE - 8; p < BASE + SPAN + 8; p++)
				cr_assert_eq(mark_at(file, p),
					     range_contains(range, p) ? MINE
								      : NONE);
			cr_assert_eq(marks_first(file, PROTOCOL_TCP, range), 0);
			marks_clear(file, PROTOCOL_UDP, range, MINE);
			for (uint32_t p = BASE - 8; p < BASE + SPAN + 8; p++)
				cr_assert_eq(mark_at(file, p), NONE);
		}
	free(file);
}

CHECK(marks, clearing_leaves_those_of_others)
{
	struct pool_file *file = books_new();
	const struct range all = {BASE, SPAN};

	for (uint32_t other = 0; other < SPAN; other++) {
		marks_set(file, PROTOCOL_UDP, all, MINE);
		marks_set(file, PROTOCOL_UDP, (struct range){BASE + other, 1},
			  ANOTHERS);
		marks_clear(file, PROTOCOL_UDP, all, MINE);
		for (uint32_t p = BASE; p < BASE + SPAN; p++)
			cr_assert_eq(mark_at(file, p),
				     p == BASE + other ? ANOTHERS : NONE);
		marks_clear(file, PROTOCOL_UDP, all, ANOTHERS);
	}
	free(file);
}

CHECK(marks, the_first_of_a_range_is_found)
{
	struct pool_file *file = books_new();

	for (uint32_t one = 0; one < SPAN; one++) {
		const struct range at = {BASE + one, 1};

		marks_set(file, PROTOCOL_UDP, at, ANOTHERS);
		for (uint32_t from = 0; from < SPAN; from++)
			for (uint32_t to = from; to <= SPAN; to++) {
				const struct range range = {BASE + from,
							    to - from};

				cr_assert_eq(
					marks_first(file, PROTOCOL_UDP, range),
					naive_first(file, range));
			}
		marks_clear(file, PROTOCOL_UDP, at, ANOTHERS);
	}
	/* The last port of all. */
	marks_set(file, PROTOCOL_UDP, (struct range){65535, 1}, MINE);
	cr_assert_eq(marks_first(file, PROTOCOL_UDP, (struct range){1, 65535}),
		     65535);
	free(file);
}

static struct range
naive_widest(struct pool_file *file, struct range within)
{
	struct range best = {0, 0};

	for (uint32_t port = within.start; port < range_end(within); port++) {
		uint32_t n = 0;

		while (port + n < range_end(within) && !mark_at(file, port + n))
			n++;
		if (n > best.count)
			best = (struct range){port, n};
	}
	return best;
}

CHECK(marks, the_widest_clear_range_is_found)
{
	struct pool_file *file = books_new();
	const struct range within = {BASE, 200};
	uint32_t random = 12345;

	for (int round = 0; round < 500; round++) {
		struct range found, widest;

		random = random * 1103515245 + 12345;
		marks_set(file, PROTOCOL_UDP,
			  (struct range){BASE + random / 65536 % 195,
					 1 + random / 16 % 5},
			  round % 2 ? MINE : ANOTHERS);
		found = clear_range_next(file, PROTOCOL_UDP, within, false,
					 CLEAR_RANGE_FIRST);
		widest = naive_widest(file, within);
		cr_assert_eq(found.count, widest.count);
		cr_assert(!widest.count || found.start == widest.start);
	}
	free(file);
}
