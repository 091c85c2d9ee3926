/* SPDX-License-Identifier: MIT */
/*
 * One bind and one acquire that begin in the same moment, again and again.
 * The acquirer waits for the binder, or the binder sees the mark: processors
 * let reads overtake writes where nothing keeps them from it, and then
 * neither does. On a machine with one processor this shows nothing.
 */
#include "core/pool/announce.h"

#include <pthread.h>
#include <sched.h>

#include "tests/books.h"
#include "tests/kernel.h"

#define PORT 5000
#define MEETINGS 100000
#define LIMIT_NS 30000000000 /* an emulated machine has fewer */

struct meeting {
	struct sys_ops binder, acquirer;
	struct pool_file *file;
	struct dice dice;
	int lead; /* of the binder, of pass_time(); follows who was late */
	uint32_t number;
	_Atomic uint32_t begun, passed, ended, apart; /* its number */
	_Atomic bool over;
	bool waited, saw;
};

static struct meeting meeting;

static void
await(_Atomic uint32_t *at, uint32_t number)
{
	for (int i = 1; atomic_load(at) != number; i++)
		if (i % 1024 == 0)
			sched_yield();
}

static void
pass_time(int turns)
{
	while (turns-- > 0)
		atomic_signal_fence(memory_order_seq_cst);
}

/* Its last question before the announcement says that the binder is there. */
static long
kernel_begin(const struct sys_ops *sys, long nr, const long arg[6])
{
	long r = kernel_real(nr, arg);

	(void)sys;
	if (nr != SYS_gettid)
		return r;
	atomic_store(&meeting.begun, meeting.number);
	pass_time((int)dice_below(&meeting.dice, 30) - meeting.lead);
	return r;
}

/* The acquirer waits for the binder, who goes on for that. */
static long
kernel_wait(const struct sys_ops *sys, long nr, const long arg[6])
{
	(void)sys;
	if (nr == SYS_clock_gettime) /* stands still: no wait is in vain */
		return 0;
	if (nr == SYS_sched_yield) {
		meeting.waited = true;
		atomic_store(&meeting.passed, atomic_load(&meeting.begun));
	}
	return kernel_real(nr, arg);
}

/* Two threads on one processor would never meet. */
static void
stand_on_processor(int which)
{
	cpu_set_t all, one;

	CPU_ZERO(&one);
	sched_getaffinity(0, sizeof(all), &all);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &all) && which-- == 0)
			CPU_SET(i, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void *
meet_acquirer(void *unused)
{
	struct announcer self = {0};
	struct announce a;

	stand_on_processor(1);
	for (uint32_t n = 1;; n++) {
		await(&meeting.apart, n - 1);
		if (atomic_load(&meeting.over))
			return unused;
		/* In the word there is now a port that nobody waits for, and
		 * the mark is in this processor's cache, as after any bind. */
		announce_begin(&sys_kernel, &self, meeting.file, PORT + 1, &a);
		atomic_load(mark_of(meeting.file, PROTOCOL_TCP, PORT));
		announce_end(&a);
		meeting.number = n;
		announce_begin(&meeting.binder, &self, meeting.file, PORT, &a);
		meeting.saw =
			atomic_load(mark_of(meeting.file, PROTOCOL_TCP, PORT));
		await(&meeting.passed, n);
		announce_end(&a);
		atomic_store(&meeting.ended, n);
	}
}

CHECK(announce_meet, of_mark_and_announcement_one_is_always_seen)
{
	struct pool_file *file = books_new();
	struct slot *slot = slot_pick(file);
	uint64_t end = sys_clock(&sys_kernel, CLOCK_MONOTONIC) + LIMIT_NS;
	pthread_t id;
	uint32_t port;

	meeting.binder.call = kernel_begin;
	meeting.acquirer.call = kernel_wait;
	meeting.file = file;
	meeting.dice = dice_from(26);
	books_fill(slot, PROTOCOL_TCP, (struct range){PORT, 1});
	/* The binder's word is to be the first that the acquirer looks at. */
	for (uint32_t i = 1; i < SEGMENT_WORDS; i++)
		atomic_store(&segment_of(file, PORT)->word[i].owner, 1);
	pthread_create(&id, NULL, meet_acquirer, NULL);
	stand_on_processor(0);
	for (uint32_t n = 1; !atomic_load(&meeting.over); n++) {
		meeting.waited = false;
		await(&meeting.begun, n);
		/* As the mark for the binder: what is near is read soonest. */
		atomic_load(&segment_of(file, PORT)->word[0].owner);
		pass_time(meeting.lead);
		slot_mark(file, slot);
		cr_assert(announce_wait(&meeting.acquirer, file,
					slot_range(slot), &(uint64_t){0},
					&port));
		atomic_store(&meeting.passed, n);
		await(&meeting.ended, n);
		cr_assert(meeting.waited || meeting.saw, "meeting %u", n);
		meeting.lead += meeting.saw - meeting.waited;
		slot_unmark(file, slot);
		if (n == MEETINGS ||
		    sys_clock(&sys_kernel, CLOCK_MONOTONIC) > end)
			atomic_store(&meeting.over, true);
		atomic_store(&meeting.apart, n);
	}
	pthread_join(id, NULL);
	free(file);
}
