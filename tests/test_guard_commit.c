/* SPDX-License-Identifier: MIT */
/* Which guard has a block, told by its number: no more is asked than needed. */
#include <netinet/in.h>

#include "core/kernel/guard.h"
#include "include/portres.h"
#include "tests/check.h"
#include "tests/kernel.h"

static const struct guarded block = {.token = 8, .range = {5000, 3}};

/* A kernel with a guard of that number. */
struct kernel_numbered {
	struct sys_ops ops;
	uint64_t number;
	uint64_t other; /* of a second guard, of a cgroup below, or 0 */
	bool acquired;	/* it has the block */
	int asked;
};

static bool
matches(const struct kernel_numbered *self, uint64_t number)
{
	return number == self->number &&
	       (!self->other || number == self->other);
}

static long
answer(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_numbered *self = (struct kernel_numbered *)(void *)sys;
	const struct portres_guard *request = (void *)arg[3];

	cr_assert_eq(nr, SYS_setsockopt);
	cr_assert_eq(arg[1], PORTRES_GUARD);
	self->asked++;
	if (!self->number)
		return -ENOPROTOOPT;
	switch (arg[2]) {
	case PORTRES_GUARD_NUMBER:
		return -PORTRES_GUARD_NUMBER_FROM -
		       (long)(self->number >> 11 * request->number & 2047);
	case PORTRES_GUARD_COMMIT:
		if (!self->acquired)
			return -ENOENT;
		return !request->number || matches(self, request->number)
			       ? 0
			       : -ESTALE;
	default:
		cr_assert_eq(arg[2], PORTRES_GUARD_QUERY);
		if (!matches(self, request->number))
			return -ESTALE;
		return self->acquired ? 0 : -ENOENT;
	}
}

static struct kernel_numbered
kernel_numbered(uint64_t number)
{
	return (struct kernel_numbered){
		.ops = {.call = answer},
		.number = number,
		.acquired = true,
	};
}

/* Commits; so many questions. */
static uint64_t
commit(struct kernel_numbered *kernel, uint64_t *known, int questions)
{
	uint64_t number;

	kernel->asked = 0;
	number = guard_commit(&kernel->ops, 3, &block, known);
	cr_assert_eq(kernel->asked, questions);
	return number;
}

CHECK(guard_commit, asks_for_the_number_once)
{
	struct kernel_numbered kernel = kernel_numbered(0x123456789);
	uint64_t known = 0;

	cr_assert_eq(commit(&kernel, &known, 4), 0x123456789);
	cr_assert_eq(commit(&kernel, &known, 1), 0x123456789);
}

CHECK(guard_commit, hears_of_another_guard)
{
	struct kernel_numbered kernel = kernel_numbered(7);
	uint64_t known = 6;

	cr_assert_eq(commit(&kernel, &known, 5), 7);
	cr_assert_eq(commit(&kernel, &known, 1), 7);
}

/* It came after the block was acquired. */
CHECK(guard_commit, never_names_a_guard_that_has_not_the_block)
{
	struct kernel_numbered kernel = kernel_numbered(7);
	uint64_t known = 7;

	kernel.acquired = false;
	cr_assert_eq(commit(&kernel, &known, 1), GUARDED_SOMEHOW);
	known = 0;
	cr_assert_eq(commit(&kernel, &known, 4), GUARDED_SOMEHOW);
}

CHECK(guard_commit, names_none_of_two)
{
	struct kernel_numbered kernel = kernel_numbered(7);
	uint64_t known = 0;

	kernel.other = 8;
	cr_assert_eq(commit(&kernel, &known, 4), GUARDED_SOMEHOW);
	cr_assert_eq(commit(&kernel, &known, 5), GUARDED_SOMEHOW);
}

CHECK(guard_commit, of_a_guard_that_has_gone_is_nothing)
{
	struct kernel_numbered kernel = kernel_numbered(0);
	uint64_t known = 7;

	cr_assert_eq(commit(&kernel, &known, 1), 0);
	known = 0;
	cr_assert_eq(commit(&kernel, &known, 2), 0);
}
