/* SPDX-License-Identifier: MIT */
#include "core/pool/clear_range.h"

static bool
comes_after(struct range a, struct range b)
{
	return a.count < b.count || (a.count == b.count && a.start > b.start);
}

static struct range
better(struct range run, struct range best, struct range last)
{
	return comes_after(run, last) && comes_after(best, run) ? run : best;
}

static struct range
better_of(struct range run, bool odd, struct range best, struct range last)
{
	if (odd && run.count > 1 && run.count % 2 != 0)
		best = better((struct range){range_end(run) - 1, 1}, best,
			      last);
	return better(run, best, last);
}

struct range
clear_range_next(struct pool_file *file, enum protocol protocol,
		 struct range within, bool odd, struct range last)
{
	struct range run = {within.start, 0};
	struct range best = {0, 0};

	/* The choice is announced before any mark is read. */
	atomic_thread_fence(memory_order_seq_cst);
	for (uint32_t port = within.start; port < range_end(within); port++) {
		if (!atomic_load_explicit(mark_of(file, protocol, port),
					  memory_order_relaxed)) {
			run.count++;
			continue;
		}
		best = better_of(run, odd, best, last);
		run = (struct range){port + 1, 0};
	}
	return better_of(run, odd, best, last);
}
