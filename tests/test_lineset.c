/* SPDX-License-Identifier: MIT */
/* Which lines have been seen, and how many can be kept in mind. */
#include "core/kernel/lock_page.h"

#include "tests/kernel.h"

#define MANY 300000u

static uint32_t
hash_of(uint32_t n, uint64_t seed)
{
	char line[64];
	int length = sprintf(line, ": OFDLCK ADVISORY  READ -1 00:09:%u", n);

	return lineset_hash(line, (size_t)length, seed);
}

/* There is no number of lines that is too many. */
CHECK(lineset, grows)
{
	struct lineset set;
	uint32_t hidden = 0;

	cr_assert_eq(lineset_make(&sys_kernel, &set), 0);
	for (uint32_t n = 0; n < MANY; n++)
		cr_assert_eq(lineset_put(&set, hash_of(n, 1), n), 0);
	for (uint32_t n = 0; n < MANY; n++) {
		const struct lineset_entry *entry =
			lineset_find(&set, hash_of(n, 1));

		cr_assert_not_null(entry, "line %u", n);
		/* Two lines may have one hash. */
		hidden += entry->number != n;
	}
	cr_assert_lt(hidden, 40, "%u of %u", hidden, MANY);
	cr_assert_geq(set.count, MANY - 40);
	lineset_free(&set);
}

CHECK(lineset, knows_no_other)
{
	struct lineset set;
	uint32_t wrong = 0;

	cr_assert_eq(lineset_make(&sys_kernel, &set), 0);
	for (uint32_t n = 0; n < 100000; n++)
		cr_assert_eq(lineset_put(&set, hash_of(n, 1), n), 0);
	/* Nor the same in another round: what looks alike differs there. */
	for (uint32_t n = 0; n < 100000; n++)
		wrong += lineset_find(&set, hash_of(n + 100000, 1)) ||
			 lineset_find(&set, hash_of(n, 2));
	cr_assert_lt(wrong, 30, "%u", wrong);
	lineset_clear(&set);
	for (uint32_t n = 0; n < 100000; n++)
		cr_assert_null(lineset_find(&set, hash_of(n, 1)));
	cr_assert_eq(lineset_put(&set, hash_of(1, 1), 7), 0);
	cr_assert_eq(lineset_put(&set, hash_of(1, 1), 8), 0);
	cr_assert_eq(lineset_find(&set, hash_of(1, 1))->number, 8);
	cr_assert_eq(set.count, 1);
	lineset_free(&set);
}

/* Without more memory it keeps the lines that it has. */
CHECK(lineset, is_full_when_memory_is)
{
	struct kernel_refusing kernel = kernel_refusing(-1, -ENOMEM, NULL);
	struct lineset set;
	uint32_t n = 0;
	int r;

	cr_assert_eq(lineset_make(&kernel.ops, &set), 0);
	kernel.nr = SYS_mmap;
	while ((r = lineset_put(&set, hash_of(n, 1), n)) == 0)
		n++;
	cr_assert_eq(r, -ENOMEM);
	cr_assert_geq(n, 3000);
	while (n-- > 0)
		cr_assert_not_null(lineset_find(&set, hash_of(n, 1)));
	lineset_free(&set);
}

CHECK(lineset, needs_memory)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_mmap, -ENOMEM, NULL);
	struct lineset set;

	cr_assert_eq(lineset_make(&kernel.ops, &set), -ENOMEM);
}
