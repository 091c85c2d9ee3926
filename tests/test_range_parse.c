/* SPDX-License-Identifier: MIT */
/* Lists of ranges as people write them. */
#include "core/kernel/range.h"
#include "tests/check.h"

static const char *
blank(struct dice *dice)
{
	static const char *const blanks[] = {"", "", "", " ", "\t", "  ", "\n"};

	return blanks[dice_below(dice, 7)];
}

/* Writes the list in one of the ways it may be written. */
static void
spell(struct dice *dice, const struct range_list *list, char *to, size_t size)
{
	size_t at = 0;

	*to = '\0';
	for (size_t i = 0; i < list->count; i++) {
		struct range r = list->range[i];

		at += (size_t)snprintf(to + at, size - at, "%s%s%u%s",
				       i ? "," : "", blank(dice), r.start,
				       blank(dice));
		if (r.count > 1 || dice_chance(dice, 30))
			at += (size_t)snprintf(to + at, size - at, "-%s%u%s",
					       blank(dice), range_end(r) - 1,
					       blank(dice));
	}
}

static void
check_equal(const struct range_list *a, const struct range_list *b,
	    const char *text)
{
	cr_assert_eq(a->count, b->count, "\"%s\": %zu ranges", text, a->count);
	for (size_t i = 0; i < a->count; i++)
		cr_assert(a->range[i].start == b->range[i].start &&
				  a->range[i].count == b->range[i].count,
			  "\"%s\": range %zu is %u+%u", text, i,
			  a->range[i].start, a->range[i].count);
}

CHECK(range_parse, reads_what_was_written)
{
	struct dice dice = dice_from(5);
	char text[RANGE_LIST_MAX * 24];

	for (int i = 0; i < 3000; i++) {
		struct range_list list = {0}, back;

		list.count = dice_below(&dice, RANGE_LIST_MAX + 1);
		for (size_t n = 0; n < list.count; n++) {
			uint32_t first = dice_below(&dice, 65535) + 1;
			uint32_t room = PORT_COUNT - first;

			list.range[n] = (struct range){
				first, dice_chance(&dice, 40)
					       ? 1
					       : dice_below(&dice, room) + 1};
		}
		spell(&dice, &list, text, sizeof(text));
		cr_assert_eq(range_list_parse(text, &back), 0, "\"%s\"", text);
		check_equal(&back, &list, text);
	}
}

CHECK(range_parse, reads_the_extremes)
{
	struct range_list list;

	cr_assert_eq(range_list_parse("1-65535", &list), 0);
	cr_assert(list.count == 1 && list.range[0].start == 1 &&
		  list.range[0].count == 65535);
	cr_assert_eq(range_list_parse("65535", &list), 0);
	cr_assert(list.range[0].start == 65535 && list.range[0].count == 1);
	cr_assert_eq(range_list_parse("0001 - 00002", &list), 0);
	cr_assert(list.range[0].start == 1 && list.range[0].count == 2);
	/* The kernel's text in ip_local_reserved_ports when it is empty. */
	cr_assert_eq(range_list_parse("\n", &list), 0);
	cr_assert_eq(list.count, 0);
	cr_assert_eq(range_list_parse("", &list), 0);
	cr_assert_eq(list.count, 0);
}

CHECK(range_parse, refuses_everything_else)
{
	static const char *const wrong[] = {"0",
					    "0-10",
					    "1-0",
					    "65536",
					    "1-65536",
					    "6-5",
					    "4294967296",
					    "4294967297",
					    "18446744073709551617",
					    "99999999999999999999999",
					    "-",
					    "-5",
					    "5-",
					    "5-,6",
					    "5--6",
					    "5-6-7",
					    "5 6",
					    "5\t6",
					    ",",
					    ",5",
					    "5,,6",
					    "5, ,6",
					    "a",
					    "5a",
					    "5-6a",
					    "0x10",
					    "+5",
					    "5.6",
					    "5;6",
					    "5:6",
					    "5-+6",
					    "61000-65535,10000-32767,x",
					    "\r5",
					    "\xff",
					    "5-\xb2",
					    "5\v",
					    "*"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct range_list list = {.count = 77};

		cr_assert_eq(range_list_parse(wrong[i], &list), -EINVAL,
			     "\"%s\"", wrong[i]);
		cr_assert_eq(list.count, 77, "\"%s\" touched it", wrong[i]);
	}
}

CHECK(range_parse, takes_64_ranges_and_no_more)
{
	char text[RANGE_LIST_MAX * 8] = "";
	struct range_list list = {.count = 77};

	for (int i = 0; i < RANGE_LIST_MAX; i++)
		strcat(text, i ? ",5000" : "5000");
	cr_assert_eq(range_list_parse(text, &list), 0);
	cr_assert_eq(list.count, RANGE_LIST_MAX);
	strcat(text, ",1");
	list.count = 77;
	cr_assert_eq(range_list_parse(text, &list), -EINVAL);
	cr_assert_eq(list.count, 77);
}

/* Any bytes at all: an answer, and a valid one. */
CHECK(range_parse, survives_noise)
{
	static const char letters[] = "0123456789,,--  \t\nx";
	struct dice dice = dice_from(6);
	int good = 0;

	for (int i = 0; i < 100000; i++) {
		struct range_list list;
		char text[16];
		size_t n = dice_below(&dice, sizeof(text));

		for (size_t c = 0; c < n; c++)
			text[c] =
				letters[dice_below(&dice, sizeof(letters) - 1)];
		text[n] = '\0';
		if (range_list_parse(text, &list) < 0)
			continue;
		good++;
		for (size_t r = 0; r < list.count; r++)
			cr_assert(list.range[r].start != 0 &&
					  range_valid(list.range[r]),
				  "\"%s\"", text);
	}
	cr_assert_gt(good, 100);
}
