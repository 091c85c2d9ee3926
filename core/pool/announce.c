/* SPDX-License-Identifier: MIT */
#include "core/pool/announce.h"

#include <errno.h>
#include <linux/futex.h>

#define WAIT_LIMIT_NS 100000000u
#define THREAD_MAX (1u << 22) /* the kernel's PID_MAX_LIMIT */
#define EAGER_LOOKS 200
#define NAP_NS 50000

/*
 * Asks the kernel for this thread. The answer holds while `process` stays the
 * same: only a forked child has another thread's memory. (So has a child of
 * vfork, which may not bind: its announcement would be its parent's.)
 */
static int
learn(const struct sys_ops *sys, struct announcer *self)
{
	void *head = NULL;
	size_t size;

	if (sys_robust_list(sys, &head, &size) < 0 || !head)
		return -ENOSYS;
	/* A signal handler that binds in between stores the same values. */
	self->thread = sys_gettid(sys);
	self->list = head;
	atomic_signal_fence(memory_order_seq_cst);
	self->known_in = self->process;
	return 0;
}

/* Dead, or a number that no binder wrote. */
static bool
is_nobody(uint32_t owner)
{
	return (owner & FUTEX_OWNER_DIED) || owner >= THREAD_MAX;
}

/*
 * Takes a free word of the segment, beginning at the thread's own. A word whose
 * owner died is free as well: only acquirers clear those, and years may pass
 * without one.
 */
static struct announcement *
claim(struct segment *segment, struct announcer *self)
{
	struct robust_list_head *list = self->list;
	uint32_t thread = self->thread;

	for (uint32_t i = 0; i < SEGMENT_WORDS; i++) {
		struct announcement *word =
			&segment->word[(thread + i) % SEGMENT_WORDS];
		uint32_t owner = atomic_load_explicit(&word->owner,
						      memory_order_relaxed);

		if (owner && !is_nobody(owner))
			continue;
		/* Pending before it is ours, or after a death between the two
		 * the word would stay taken. */
		list->list_op_pending =
			(void *)((char *)&word->owner - list->futex_offset);
		self->word = word;
		atomic_signal_fence(memory_order_seq_cst);
		if (atomic_compare_exchange_strong(&word->owner, &owner,
						   thread))
			return word;
	}
	return NULL;
}

int
announce_begin(const struct sys_ops *sys, struct announcer *self,
	       struct pool_file *file, uint16_t port, struct announce *ret)
{
	struct segment *segment = &file->segment[port / SEGMENT_PORTS];
	struct announcement *word;
	struct robust_list_head *list;
	void *before;
	uint32_t what;

	if (!sys_readable(sys, &segment->reserved))
		return -EFAULT;
	if ((self->process == 0 || self->process != self->known_in) &&
	    learn(sys, self) < 0)
		return -ENOSYS;
	list = self->list;
	before = list->list_op_pending;
	word = claim(segment, self);
	if (!word) {
		list->list_op_pending = before;
		return -EBUSY;
	}
	/* The sequence tells a waiting acquirer that this is a new bind. */
	what = atomic_load_explicit(&word->what, memory_order_relaxed);
	atomic_store(&word->what, ((what >> 16) + 1) << 16 | port);
	*ret = (struct announce){word, list, before};
	return 0;
}

void
announce_end(const struct announce *announce)
{
	atomic_store_explicit(&announce->word->owner, 0, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	announce->list->list_op_pending = announce->pending_before;
}

bool
announce_under_way(const struct sys_ops *sys, const struct announcer *self)
{
	return self->word && self->process && self->process == self->known_in &&
	       sys_readable(sys, self->word) &&
	       atomic_load(&self->word->owner) == self->thread;
}

void
announce_end_left(struct announcer *self)
{
	struct robust_list_head *list = self->list;
	void *pending =
		(void *)((char *)&self->word->owner - list->futex_offset);

	atomic_store_explicit(&self->word->owner, 0, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	if (list->list_op_pending == pending)
		list->list_op_pending = NULL;
	self->word = NULL;
}

void
announce_leave(const struct announce *announce)
{
	atomic_signal_fence(memory_order_seq_cst);
	announce->list->list_op_pending = announce->pending_before;
}

/* Has the announcement ended, or begun anew and so seen the marks? */
static bool
over(struct announcement *word, uint32_t what)
{
	uint32_t owner = atomic_load(&word->owner);

	if (owner == 0 || atomic_load(&word->what) != what)
		return true;
	if (is_nobody(owner)) {
		atomic_compare_exchange_strong(&word->owner, &owner, 0);
		return true;
	}
	return false;
}

static bool
wait_for(const struct sys_ops *sys, struct announcement *word, uint32_t what,
	 uint64_t *since)
{
	for (int i = 0; i < EAGER_LOOKS; i++) {
		if (over(word, what))
			return true;
		sys_yield(sys);
	}
	if (*since == 0)
		*since = sys_clock(sys, CLOCK_MONOTONIC);
	while (!over(word, what)) {
		if (sys_clock(sys, CLOCK_MONOTONIC) - *since > WAIT_LIMIT_NS)
			return false;
		sys_nanosleep(sys, NAP_NS);
	}
	return true;
}

static bool
wait_for_word(const struct sys_ops *sys, struct announcement *word,
	      struct range range, uint64_t *since, uint32_t *ret_port)
{
	uint32_t what;

	if (atomic_load(&word->owner) == 0)
		return true;
	what = atomic_load(&word->what);
	if (!range_contains(range, what & 0xffff) ||
	    wait_for(sys, word, what, since))
		return true;
	*ret_port = what & 0xffff;
	return false;
}

/* Nearly always all words are free: five at a time are read. */
static bool
wait_for_segment(const struct sys_ops *sys, struct segment *segment,
		 struct range range, uint64_t *since, uint32_t *ret_port)
{
	_Static_assert(SEGMENT_WORDS % 5 == 0, "whole rows");

	for (uint32_t i = 0; i < SEGMENT_WORDS; i += 5) {
		struct announcement *row = &segment->word[i];

		if ((atomic_load(&row[0].owner) | atomic_load(&row[1].owner) |
		     atomic_load(&row[2].owner) | atomic_load(&row[3].owner) |
		     atomic_load(&row[4].owner)) == 0)
			continue;
		for (int n = 0; n < 5; n++)
			if (!wait_for_word(sys, &row[n], range, since,
					   ret_port))
				return false;
	}
	return true;
}

bool
announce_wait(const struct sys_ops *sys, struct pool_file *file,
	      struct range range, uint64_t *since, uint32_t *ret_port)
{
	uint32_t first = range.start / SEGMENT_PORTS;
	uint32_t last = (range_end(range) - 1) / SEGMENT_PORTS;

	for (uint32_t s = first; s <= last; s++)
		if (!wait_for_segment(sys, &file->segment[s], range, since,
				      ret_port))
			return false;
	return true;
}
