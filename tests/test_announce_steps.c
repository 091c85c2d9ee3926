/* SPDX-License-Identifier: MIT */
/* A binder that announces, held before each of its instructions in turn. */
#include "core/pool/announce.h"

#include <linux/futex.h>

#include "tests/books.h"
#include "tests/kernel.h"
#include "tests/steps.h"

#define PORT 5000

/* The kernel has been asked which thread this is. */
static struct announcer
known(void)
{
	struct pool_file *file = books_new();
	struct announcer self = {.process = 1};
	struct announce a;

	child_assert(announce_begin(&sys_kernel, &self, file, PORT, &a) == 0);
	announce_end(&a);
	free(file);
	return self;
}

static void
announce(void *file)
{
	struct announcer self = known();
	struct announce a;

	steps_begin();
	child_assert(announce_begin(&sys_kernel, &self, file, PORT, &a) == 0);
	announce_end(&a);
}

/* The value of the one word that is not free; 0 when all are. */
static uint32_t
owner_in(const struct pool_file *file)
{
	const struct segment *segment = &file->segment[PORT / SEGMENT_PORTS];
	uint32_t owner = 0;

	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		owner |= atomic_load(&segment->word[i].owner);
	return owner;
}

static bool
is_announced(const void *file)
{
	return owner_in(file) != 0;
}

static void
forget(struct pool_file *file)
{
	memset(segment_of(file, PORT), 0, sizeof(struct segment));
}

/* Nobody waits for the dead: the kernel always knows which word is theirs. */
CHECK(announce_steps, a_death_leaves_no_word_behind)
{
	struct pool_file *file = steps_shared(sizeof(*file));
	int first = steps_until(is_announced, announce, file), steps;
	bool announced;

	forget(file);
	for (steps = first, announced = true; announced; steps++) {
		pid_t pid = steps_fork(announce, file);

		cr_assert(steps_go(pid, steps));
		announced = owner_in(file) != 0;
		steps_kill(pid);
		cr_assert_eq(owner_in(file) & ~FUTEX_OWNER_DIED, 0,
			     "killed %d steps after the first: %#x",
			     steps - first, owner_in(file));
		forget(file);
	}
	cr_assert_gt(steps, first + 5);
	munmap(file, sizeof(*file));
}

struct crowded {
	struct pool_file *file;
	_Atomic int refused;
};

static bool
has_a_word(const void *context)
{
	const struct crowded *crowded = context;

	return is_announced(crowded->file);
}

/* All words may be taken between a look at a free one and the claim of it. */
static void
announce_or_not(void *context)
{
	struct crowded *crowded = context;
	struct announcer self = known();
	struct announce a;
	int r;

	steps_begin();
	r = announce_begin(&sys_kernel, &self, crowded->file, PORT, &a);
	if (r == 0) {
		announce_end(&a);
	} else {
		child_assert(r == -EBUSY);
		atomic_fetch_add(&crowded->refused, 1);
	}
	child_assert(self.list->list_op_pending == NULL);
}

static void
take_all_words(struct pool_file *file)
{
	for (uint32_t i = 0; i < SEGMENT_WORDS; i++) {
		struct announcement *word = &segment_of(file, PORT)->word[i];
		uint32_t nobody = 0;

		atomic_compare_exchange_strong(&word->owner, &nobody, 4711);
	}
}

/* The kernel would clear a word that stayed pending, whosever it is then. */
CHECK(announce_steps, nothing_stays_pending_where_others_were_quicker)
{
	struct crowded *crowded = steps_shared(sizeof(*crowded));
	int claimed, steps;

	crowded->file = steps_shared(sizeof(*crowded->file));
	claimed = steps_until(has_a_word, announce_or_not, crowded);
	steps = claimed > STEPS_BEFORE ? claimed - STEPS_BEFORE : 1;
	for (; steps < claimed; steps++) {
		pid_t pid;

		forget(crowded->file);
		pid = steps_fork(announce_or_not, crowded);
		cr_assert(steps_go(pid, steps));
		take_all_words(crowded->file);
		steps_let_go(pid);
		cr_assert_eq(crowded->refused, 1, "step %d", steps);
		crowded->refused = 0;
	}
	munmap(crowded->file, sizeof(*crowded->file));
	munmap(crowded, sizeof(*crowded));
}
