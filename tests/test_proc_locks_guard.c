/* SPDX-License-Identifier: MIT */
/*
 * A reading can take seconds. Nobody may fork while its descriptors come and
 * go, or a child would have them; in between everybody may.
 */
#include "core/kernel/proc_locks.h"

#include "tests/kernel.h"

static _Atomic uint32_t gate;
static int lent[3 + 1];
static int lent_now, lent_ever;

static void
lend(const int fd[], int n)
{
	cr_assert_neq(gate, 0, "lent while others may fork");
	for (int i = 0; i < n; i++) {
		cr_assert_lt(lent_now, 3);
		lent[lent_now++] = fd[i];
		lent_ever++;
	}
}

static void
take_back_one(int fd)
{
	cr_assert_neq(gate, 0, "taken back while others may fork");
	cr_assert_geq(fcntl(fd, F_GETFD), 0, "closed before");
	for (int i = 0; i < lent_now; i++)
		if (lent[i] == fd) {
			lent[i] = lent[--lent_now];
			return;
		}
	cr_assert_fail("%d was not lent", fd);
}

static void
take_back(const int fd[], int n)
{
	while (n-- > 0)
		take_back_one(fd[n]);
}

static struct {
	int opened, read, closed;
} calls;

static long
watch_calls(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_refusing *self = (struct kernel_refusing *)(void *)sys;

	switch (nr) {
	case SYS_openat:
		calls.opened++;
		cr_assert_neq(gate, 0, "opened while others may fork");
		break;
	case SYS_close:
		calls.closed++;
		cr_assert_neq(gate, 0, "closed while others may fork");
		break;
	case SYS_pread64:
		calls.read++;
		cr_assert_eq(gate, 0, "nobody may fork for so long");
		cr_assert_eq(lent_now, 3);
		break;
	default:
		break;
	}
	if (nr == self->nr && self->asked++ == 1)
		return self->error;
	return kernel_real(nr, arg);
}

static void
ignore(void *context, uint64_t device, uint32_t inode, uint64_t start)
{
	(void)context;
	(void)device;
	(void)inode;
	(void)start;
}

static _Atomic uint32_t *
word(void)
{
	return &gate;
}

static const struct fork_block guard = {word, lend, take_back};

CHECK(locklist_guard, forks_wait_for_descriptors_only)
{
	struct kernel_refusing kernel = {.ops = {.call = watch_calls},
					 .nr = -1};

	cr_assert_eq(proc_locks_read(&kernel.ops, &guard, ignore, NULL), 0);
	cr_assert_eq(calls.opened, 3);
	cr_assert_eq(calls.closed, 3);
	cr_assert_gt(calls.read, 0);
	cr_assert_eq(lent_ever, 3);
	cr_assert_eq(lent_now, 0);
	cr_assert_eq(gate, 0);
}

/* The second of the calls fails. */
CHECK(locklist_guard, nothing_stays_lent_when_it_fails)
{
	static const long each[] = {SYS_openat, SYS_pread64};

	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++) {
		struct kernel_refusing kernel = {.ops = {.call = watch_calls},
						 .nr = each[i],
						 .error = -EMFILE};

		cr_assert_eq(proc_locks_read(&kernel.ops, &guard, ignore, NULL),
			     -EMFILE);
		cr_assert_eq(lent_now, 0);
		cr_assert_eq(gate, 0);
	}
}

CHECK(locklist_guard, without_lending)
{
	const struct fork_block only_gate = {.word = word};

	cr_assert_eq(proc_locks_read(&sys_kernel, &only_gate, ignore, NULL), 0);
	cr_assert_eq(gate, 0);
}
