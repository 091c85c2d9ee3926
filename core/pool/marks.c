/* SPDX-License-Identifier: MIT */
#include "core/pool/marks.h"

#define FOUR 4u /* marks in a word */

/* The word of the marks of `port` and the next three; port % 4 is 0. */
static _Atomic uint64_t *
four_of(struct pool_file *file, enum protocol protocol, uint32_t port)
{
	return &segment_of(file, port)
			->four[protocol % PROTOCOL_COUNT]
			      [port % SEGMENT_PORTS / FOUR];
}

/* May the word of four begin at this port of the range? */
static bool
fits(struct range range, uint32_t port)
{
	return port % FOUR == 0 && port + FOUR <= range_end(range);
}

static uint64_t
four_times(uint16_t mark)
{
	return mark * UINT64_C(0x0001000100010001);
}

/* Is one of four marks 0? To take 1 from a lane without its top bit borrows
 * from the lane above only where the lane was 0. */
static bool
has_zero(uint64_t four)
{
	return ((four - four_times(1)) & ~four & four_times(0x8000)) != 0;
}

/* The first port of the range that has a mark, or has none; or its end. */
static uint32_t
next(struct pool_file *file, enum protocol protocol, struct range range,
     bool marked)
{
	uint32_t port = range.start;

	while (port < range_end(range)) {
		if (fits(range, port)) {
			uint64_t four = atomic_load_explicit(
				four_of(file, protocol, port),
				memory_order_relaxed);

			if (marked ? four == 0 : !has_zero(four)) {
				port += FOUR;
				continue;
			}
		}
		if ((atomic_load_explicit(mark_of(file, protocol, port),
					  memory_order_relaxed) != 0) == marked)
			return port;
		port++;
	}
	return port;
}

uint32_t
marks_first(struct pool_file *file, enum protocol protocol, struct range range)
{
	uint32_t port = next(file, protocol, range, true);

	return port < range_end(range) ? port : 0;
}

void
marks_set(struct pool_file *file, enum protocol protocol, struct range range,
	  uint16_t mark)
{
	uint32_t port = range.start;

	while (port < range_end(range))
		if (fits(range, port)) {
			atomic_store_explicit(four_of(file, protocol, port),
					      four_times(mark),
					      memory_order_relaxed);
			port += FOUR;
		} else {
			atomic_store_explicit(mark_of(file, protocol, port++),
					      mark, memory_order_relaxed);
		}
}

void
marks_clear(struct pool_file *file, enum protocol protocol, struct range range,
	    uint16_t mark)
{
	uint32_t port = range.start;

	while (port < range_end(range)) {
		_Atomic uint64_t *four = four_of(file, protocol, port);
		_Atomic uint16_t *one = mark_of(file, protocol, port);

		if (fits(range, port) &&
		    atomic_load_explicit(four, memory_order_relaxed) ==
			    four_times(mark)) {
			atomic_store_explicit(four, 0, memory_order_release);
			port += FOUR;
			continue;
		}
		if (atomic_load_explicit(one, memory_order_relaxed) == mark)
			atomic_store_explicit(one, 0, memory_order_release);
		port++;
	}
}

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
	struct range best = {0, 0};
	uint32_t end = range_end(within);
	uint32_t at = within.start;

	/* The choice is announced before any mark is read. */
	atomic_thread_fence(memory_order_seq_cst);
	while (at < end) {
		uint32_t from = next(file, protocol,
				     (struct range){at, end - at}, false);

		at = next(file, protocol, (struct range){from, end - from},
			  true);
		best = better_of((struct range){from, at - from}, odd, best,
				 last);
	}
	return best;
}
