/* SPDX-License-Identifier: MIT */
#include "core/kernel/fork_block.h"

#define EAGER_TRIES 30 /* an ordinary holder is gone by then */
#define NAP_NS 50000

static _Atomic uint32_t *
word_alone(void)
{
	static _Atomic uint32_t word;

	return &word;
}

const struct fork_block fork_block_alone = {.word = word_alone};

/*
 * A pid other than ours is stale: its thread exists only in our parent, after a
 * fork that ran no fork handlers (_Fork, clone), or it was a child of vfork,
 * killed in our memory. Take it over. That is why the word holds a pid, not a
 * flag, and why the kernel is asked for ours each time.
 */
bool
fork_block_enter(const struct sys_ops *sys, _Atomic uint32_t *word)
{
	uint32_t self = (uint32_t)sys_getpid(sys);
	uint32_t seen = 0;

	return atomic_compare_exchange_strong(word, &seen, self) ||
	       (seen != self &&
		atomic_compare_exchange_strong(word, &seen, self));
}

void
fork_block_leave(_Atomic uint32_t *word)
{
	atomic_store(word, 0);
}

static bool
enter_in_time(const struct sys_ops *sys, _Atomic uint32_t *word, uint64_t limit)
{
	uint64_t began;

	for (int i = 0; i < EAGER_TRIES; i++) {
		if (fork_block_enter(sys, word))
			return true;
		sys_yield(sys);
	}
	began = sys_clock(sys, CLOCK_MONOTONIC);
	do {
		sys_nanosleep(sys, NAP_NS);
		if (fork_block_enter(sys, word))
			return true;
	} while (sys_clock(sys, CLOCK_MONOTONIC) - began < limit);
	return false;
}

void
fork_block_hold(const struct sys_ops *sys, _Atomic uint32_t *word,
		uint64_t limit, struct fork_block_hold *ret)
{
	const uint64_t all = ~(uint64_t)0;

	sys_sigmask(sys, SIG_SETMASK, &all, &ret->signals);
	ret->inside = enter_in_time(sys, word, limit);
}

void
fork_block_release(const struct sys_ops *sys, _Atomic uint32_t *word,
		   const struct fork_block_hold *hold)
{
	if (hold->inside)
		fork_block_leave(word);
	sys_sigmask(sys, SIG_SETMASK, &hold->signals, NULL);
}
