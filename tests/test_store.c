/* SPDX-License-Identifier: MIT */
/* The store's lock ends with its holder's call, whoever has a copy of it. */
#include "core/store.h"

#include <unistd.h>

#include "tests/kernel.h"

CHECK(store, a_forked_childs_copy_does_not_keep_the_lock)
{
	struct kernel_timeless kernel = kernel_timeless(0);
	struct store store, next;
	int copy;

	cr_assert_eq(store_open(&sys_kernel, temp_dir(), true, &store), 0);
	copy = dup(store.directory);
	/* While it is open it is locked, and the wait for it is bounded. */
	cr_assert_eq(store_open(&kernel.ops, temp_dir(), true, &next), -EBUSY);
	store_close(&store);
	cr_assert_eq(store_open(&kernel.ops, temp_dir(), true, &next), 0);
	store_close(&next);
	close(copy);
}
