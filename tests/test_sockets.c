/* SPDX-License-Identifier: MIT */
/* The memory that a process has of its sockets. */
#include "shim/sockets.h"

#include <pthread.h>
#include <sched.h>

#include "tests/check.h"

CHECK(track, remembers_associations)
{
	cr_assert_not(sockets_any());
	cr_assert_null(sockets_find(7));
	cr_assert_eq(sockets_associate(7, 100), 0);
	cr_assert(sockets_any() && sockets_any_associated());
	cr_assert_eq(sockets_find(7)->associated, 100);
	cr_assert_eq(sockets_find(7)->owned, 0);
	cr_assert_eq(sockets_associate(7, 200), 0);
	cr_assert_eq(sockets_find(7)->associated, 200);
	cr_assert_null(sockets_find(8));
	sockets_dissociate(8);
	sockets_dissociate(7);
	sockets_dissociate(7);
	cr_assert_null(sockets_find(7));
	cr_assert_not(sockets_any());
	cr_assert_not(sockets_any_associated());
}

CHECK(track, remembers_owners)
{
	sockets_own(7, 100);
	cr_assert_eq(sockets_find(7)->owned, 100);
	cr_assert(sockets_any());
	cr_assert_not(sockets_any_associated());
	sockets_disown(7, 99);
	cr_assert_eq(sockets_find(7)->owned, 100);
	sockets_disown(7, 100);
	cr_assert_null(sockets_find(7));
	cr_assert_not(sockets_any());
	sockets_disown(7, 100);

	/* Several are remembered only as being there: their close asks the
	 * pool. */
	sockets_own(8, 100);
	sockets_own(8, 101);
	cr_assert_eq(sockets_find(8)->owned, SOCKETS_SEVERAL);
	sockets_disown(8, 100);
	cr_assert_eq(sockets_find(8)->owned, SOCKETS_SEVERAL);
	sockets_drop(sockets_find(8), 8);
	cr_assert_null(sockets_find(8));
	cr_assert_not(sockets_any());
}

CHECK(track, owning_and_associated_are_apart)
{
	sockets_own(7, 100);
	cr_assert_eq(sockets_associate(7, 100), 0);
	sockets_disown(7, 100);
	cr_assert_eq(sockets_find(7)->associated, 100);
	sockets_own(7, 101);
	sockets_dissociate(7);
	cr_assert_eq(sockets_find(7)->owned, 101);
	cr_assert_not(sockets_any_associated());
	sockets_associate(7, 5);
	sockets_drop(sockets_find(7), 7);
	cr_assert_not(sockets_any() || sockets_any_associated());
	/* The next socket in its place inherits nothing. */
	sockets_own(7, 102);
	cr_assert_eq(sockets_find(7)->associated, 0);
	cr_assert_eq(sockets_find(7)->owned, 102);
}

CHECK(track, holds_thousands_and_then_says_no)
{
	uint64_t n = 0;

	while (n < 100000 && sockets_associate(1 + n, n + 5) == 0)
		n++;
	cr_assert_gt(n, 8000, "only %lu", n);
	cr_assert_lt(n, 100000);
	for (uint64_t i = 0; i < n; i++)
		cr_assert_eq(sockets_find(1 + i)->associated, i + 5);
	/* Owning is allowed to be forgotten, not to fail. */
	sockets_own(1 + n, 100);
	cr_assert_eq(sockets_count, n);
	for (uint64_t i = 0; i < n; i++)
		sockets_dissociate(1 + i);
	cr_assert_not(sockets_any() || sockets_any_associated());
}

/* Random sockets against a plain table. */
CHECK(track, agrees_with_a_model)
{
	enum { N = 300 };
	static struct {
		uint64_t owned, associated;
	} model[N];
	struct dice dice = dice_from(24);

	for (uint64_t step = 1; step < 50000; step++) {
		uint32_t i = dice_below(&dice, N);
		uint64_t cookie = 1 + (uint64_t)i * 2341;
		struct tracked *tracked;
		uint32_t known = 0, associated = 0;

		switch (dice_below(&dice, 5)) {
		case 0:
			cr_assert_eq(sockets_associate(cookie, step), 0);
			model[i].associated = step;
			break;
		case 1:
			sockets_dissociate(cookie);
			model[i].associated = 0;
			break;
		case 2:
			sockets_own(cookie, step);
			model[i].owned =
				model[i].owned ? SOCKETS_SEVERAL : step;
			break;
		case 3:
			if (model[i].owned != SOCKETS_SEVERAL) {
				sockets_disown(cookie, model[i].owned);
				model[i].owned = 0;
			}
			break;
		default:
			if (sockets_find(cookie))
				sockets_drop(sockets_find(cookie), cookie);
			model[i].owned = model[i].associated = 0;
		}
		tracked = sockets_find(cookie);
		cr_assert_eq(tracked != NULL,
			     model[i].owned || model[i].associated);
		if (tracked) {
			cr_assert_eq(tracked->owned, model[i].owned);
			cr_assert_eq(tracked->associated, model[i].associated);
		}
		for (uint32_t n = 0; step % 100 == 0 && n < N; n++) {
			known += model[n].owned || model[n].associated;
			associated += model[n].associated != 0;
		}
		if (step % 100 == 0) {
			cr_assert_eq(sockets_count, known);
			cr_assert_eq(sockets_associations, associated);
		}
	}
}

struct reading {
	_Atomic bool stop;
	_Atomic uint32_t started;
	_Atomic uint64_t wrong;
};

/* Sockets 1 to 50 stay associated with their own number all the time. */
static void *
read_all_the_time(void *context)
{
	struct reading *reading = context;

	atomic_fetch_add(&reading->started, 1);
	while (!atomic_load(&reading->stop))
		for (uint64_t cookie = 1; cookie <= 50; cookie++) {
			struct tracked *tracked = sockets_find(cookie);

			if (!tracked ||
			    atomic_load(&tracked->associated) != cookie)
				atomic_fetch_add(&reading->wrong, 1);
		}
	return NULL;
}

CHECK(track, readers_need_no_lock)
{
	struct reading reading = {0};
	struct dice dice = dice_from(25);
	pthread_t thread[2];

	for (uint64_t cookie = 1; cookie <= 50; cookie++)
		sockets_associate(cookie, cookie);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, read_all_the_time, &reading);
	while (atomic_load(&reading.started) < 2)
		sched_yield();
	for (int i = 0; i < 100000; i++) {
		/* Neighbours of theirs in the table, too. */
		uint64_t cookie = 51 + dice_below(&dice, 100) +
				  dice_below(&dice, 2) * 16384;

		if (dice_chance(&dice, 50))
			sockets_associate(cookie, 9);
		else
			sockets_dissociate(cookie);
	}
	atomic_store(&reading.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	cr_assert_eq(atomic_load(&reading.wrong), 0);
}

/* A close that lingers comes back to a place that is another socket's. */
CHECK(track, only_the_socket_that_is_meant_is_dropped)
{
	cr_assert_eq(sockets_associate(21, 77), 0);
	sockets_drop(sockets_find(21), 22);
	cr_assert_not_null(sockets_find(21));
	cr_assert(sockets_any_associated());
	sockets_drop(sockets_find(21), 21);
	cr_assert_null(sockets_find(21));
	cr_assert_not(sockets_any_associated());
}
