/* SPDX-License-Identifier: MIT */
/* The next writer rebuilds the books of one who died inside. */
#include "core/pool/slot.h"

#include <pthread.h>

#include "tests/books.h"

/* Marks as they must be: slot number + 1 for each port. */
struct model {
	uint16_t mark[PROTOCOL_COUNT][PORT_COUNT];
	bool live[SLOT_COUNT];
};

static bool
model_free(const struct model *model, int p, struct range r)
{
	for (uint32_t port = r.start; port < range_end(r); port++)
		if (model->mark[p][port])
			return false;
	return true;
}

static struct range
small_range(struct dice *dice)
{
	return (struct range){
		dice_below(dice, 60000) + 1,
		dice_below(dice, dice_chance(dice, 90) ? 40 : 3000) + 1};
}

static void
add_live(struct dice *dice, struct pool_file *file, struct model *model)
{
	int p = (int)dice_below(dice, PROTOCOL_COUNT);
	struct range r = small_range(dice);
	uint32_t n;

	if (!model_free(model, p, r))
		return;
	n = books_number(file, books_add(file, p, r.start, r.count));
	model->live[n] = true;
	file->slot[n].ephemeral = dice_chance(dice, 20);
	if (dice_chance(dice, 5)) /* its socket is gone; it is freed later */
		atomic_fetch_or(&file->slot[n].token, TOKEN_DEAD);
	for (uint32_t port = r.start; port < range_end(r); port++)
		model->mark[p][port] = (uint16_t)(n + 1);
}

/* Somebody was killed while he wrote; returns without a trace in the model. */
static void
die_inside(struct dice *dice, struct pool_file *file, const struct model *model)
{
	int p = (int)dice_below(dice, PROTOCOL_COUNT);
	struct range r = small_range(dice);
	struct slot *slot;

	if (!model_free(model, p, r))
		return;
	slot = slot_pick(file);
	books_fill(slot, p, r);
	for (uint32_t port = r.start; port < range_end(r); port++)
		if (dice_chance(dice, 80)) /* halfway up or halfway down */
			atomic_store(mark_of(file, p, port),
				     books_number(file, slot) + 1);
}

static void
spoil_marks(struct dice *dice, struct pool_file *file)
{
	for (uint32_t i = dice_below(dice, 3000); i > 0; i--)
		atomic_store(mark_of(file, dice_below(dice, PROTOCOL_COUNT),
				     dice_below(dice, PORT_COUNT)),
			     dice_below(dice, dice_chance(dice, 50)
						      ? PORT_COUNT
						      : SLOT_COUNT + 2));
}

static uint64_t
sequence_of(const struct pool_file *file, uint32_t n)
{
	return (atomic_load(&file->slot[n].token) & ~TOKEN_DEAD) >> TOKEN_SHIFT;
}

CHECK(rebuild, marks_follow_from_live_slots)
{
	struct dice dice = dice_from(8);

	for (int round = 0; round < 150; round++) {
		struct pool_file *file = books_new();
		struct model *model = calloc(1, sizeof(*model));
		uint64_t highest;

		file->header.sequence = books_sequence();
		file->header.slot_hint = (uint32_t)dice_roll(&dice);
		for (uint32_t i = dice_below(&dice, 300); i > 0; i--)
			add_live(&dice, file, model);
		for (uint32_t i = dice_below(&dice, 20); i > 0; i--)
			die_inside(&dice, file, model);
		spoil_marks(&dice, file);
		file->header.sequence -= dice_below(&dice, 1000);
		atomic_store(&file->header.ephemeral[0], dice_below(&dice, 9));
		atomic_store(&file->header.dirty, 1);
		highest = file->header.sequence;

		slot_rebuild(file);
		cr_assert_eq(atomic_load(&file->header.dirty), 0);
		for (uint32_t n = 0; n < SLOT_COUNT; n++)
			cr_assert_eq(slot_live(&file->slot[n]), model->live[n],
				     "seed %lu round %d slot %u", dice.seed,
				     round, n);
		for (int p = 0; p < PROTOCOL_COUNT; p++)
			for (uint32_t port = 0; port < PORT_COUNT; port++)
				cr_assert_eq(books_mark(file, p, port),
					     model->mark[p][port],
					     "seed %lu round %d port %u",
					     dice.seed, round, port);
		books_check(file, "after rebuild");
		for (uint32_t n = 0; n < SLOT_COUNT; n++)
			if (model->live[n] && sequence_of(file, n) > highest)
				highest = sequence_of(file, n);
		/* The next token is the next one: none again, none wasted. */
		cr_assert_eq(file->header.sequence, highest);
		cr_assert_eq(atomic_load(&slot_pick(file)->token) >>
				     TOKEN_SHIFT,
			     highest + 1);
		free(model);
		free(file);
	}
}

/* Only a damaged file has such slots: then nobody's promise can be kept. */
CHECK(rebuild, of_two_that_overlap_one_survives)
{
	struct dice dice = dice_from(9);

	for (int round = 0; round < 200; round++) {
		struct pool_file *file = books_new();
		struct slot *a = books_add(file, PROTOCOL_TCP, 5000, 100);
		struct slot *b = books_add(file, PROTOCOL_TCP, 5099, 100);
		struct slot *c = books_add(file, PROTOCOL_UDP, 5000, 200);
		struct slot *d = books_add(file, PROTOCOL_TCP, 5199, 1);

		a->start = (uint16_t)(5000 + dice_below(&dice, 99));
		for (uint32_t port = 4900; port < 5300; port++)
			if (dice_chance(&dice, 50))
				atomic_store(mark_of(file, PROTOCOL_TCP, port),
					     dice_below(&dice, 5));
		slot_rebuild(file);
		cr_assert(slot_live(a) != slot_live(b));
		cr_assert(slot_live(c) && slot_live(d));
		books_check(file, "after rebuild");
		free(file);
	}
}

CHECK(rebuild, slots_that_make_no_sense_go)
{
	struct pool_file *file = books_new();
	struct slot *slot[8];

	for (uint32_t i = 0; i < 8; i++)
		slot[i] = books_add(file, PROTOCOL_TCP, 5000 + i * 10, 5);
	slot[0]->protocol = 200;
	slot[1]->count = UINT16_MAX;
	slot[2]->start = 0;
	slot[3]->count = 0;
	slot[4]->kind = 9;
	atomic_store(&slot[5]->token, 0);
	atomic_fetch_add(&slot[6]->token, 1);
	slot_rebuild(file);
	for (uint32_t i = 0; i < 7; i++)
		cr_assert_not(slot_live(slot[i]), "slot %u", i);
	cr_assert(slot_live(slot[7]));
	books_check(file, "after rebuild");
	free(file);
}

/* Noise all over: every function answers, and a rebuild makes order of it. */
CHECK(rebuild, hostile_numbers_lead_nowhere)
{
	struct dice dice = dice_from(10);

	for (int round = 0; round < 15; round++) {
		struct pool_file *file = books_new();

		books_garbage(&dice, file, sizeof(*file));
		for (uint32_t n = 0; n < SLOT_COUNT; n++)
			if (dice_chance(&dice, 90))
				atomic_store(&file->slot[n].state, SLOT_LIVE);
		for (uint32_t port = 0; port < PORT_COUNT; port++)
			for (int p = 0; p < PROTOCOL_COUNT; p++)
				if (slot_by_port(file, p, port))
					cr_assert(slot_live(
						slot_by_port(file, p, port)));
		for (int i = 0; i < 1000; i++) {
			struct slot *slot =
				&file->slot[dice_below(&dice, SLOT_COUNT)];

			slot_by_token(file, dice_roll(&dice));
			slot_by_token(file, atomic_load(&slot->token));
			if (dice_chance(&dice, 5))
				slot_mark(file, slot);
			if (dice_chance(&dice, 5))
				slot_free(file, slot);
		}
		slot_pick(file);
		slot_rebuild(file);
		books_check(file, "after rebuild");
		free(file);
	}
}

struct last_close {
	struct pool_file *file;
	_Atomic bool stop;
	_Atomic uint64_t looks, gaps;
};

static void *
watch_marks(void *context)
{
	struct last_close *watch = context;

	while (!atomic_load(&watch->stop)) {
		for (uint32_t port = 40000; port < 40700; port += 7)
			if (!slot_by_port(watch->file, PROTOCOL_TCP, port))
				atomic_fetch_add(&watch->gaps, 1);
		atomic_fetch_add(&watch->looks, 1);
	}
	return NULL;
}

/* Binders read marks without the lock, in the middle of a rebuild too. */
CHECK(rebuild, good_marks_are_there_throughout)
{
	struct pool_file *file = books_new();
	struct last_close watch = {.file = file};
	struct dice dice = dice_from(11);
	pthread_t thread;

	books_add(file, PROTOCOL_TCP, 40000, 700);
	cr_assert_eq(pthread_create(&thread, NULL, watch_marks, &watch), 0);
	while (atomic_load(&watch.looks) == 0)
		sched_yield();
	for (int i = 0; i < 300; i++) {
		for (int n = 0; n < 50; n++)
			atomic_store(mark_of(file, PROTOCOL_TCP,
					     dice_below(&dice, 40000)),
				     dice_below(&dice, 9000));
		slot_rebuild(file);
	}
	atomic_store(&watch.stop, true);
	pthread_join(thread, NULL);
	cr_assert_eq(atomic_load(&watch.gaps), 0);
	cr_assert_gt(atomic_load(&watch.looks), 10);
	free(file);
}

#define SPOILED 50

static void *
spoil_protocols(void *context)
{
	struct last_close *watch = context;

	while (!atomic_load(&watch->stop)) {
		uint32_t n = atomic_fetch_add(&watch->looks, 1);
		uint8_t protocol = n % 2 ? (uint8_t)n : PROTOCOL_TCP;

		for (uint32_t i = 0; i < SPOILED; i++)
			__atomic_store_n(&watch->file->slot[i].protocol,
					 protocol, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Others of the group may write the file at any moment. */
CHECK(rebuild, a_slot_that_is_spoiled_meanwhile_does_no_harm)
{
	struct pool_file *file = books_new();
	struct last_close watch = {.file = file};
	pthread_t thread;

	for (uint32_t i = 0; i < SPOILED; i++)
		books_add(file, PROTOCOL_TCP, 40000 + i, 1)->ephemeral = 1;
	cr_assert_eq(pthread_create(&thread, NULL, spoil_protocols, &watch), 0);
	while (atomic_load(&watch.looks) == 0)
		sched_yield();
	for (int i = 0; i < 300; i++) {
		for (uint32_t n = 0; n < SPOILED; n++)
			atomic_store(&file->slot[n].state, SLOT_LIVE);
		slot_rebuild(file);
		for (int p = 0; p < PROTOCOL_COUNT; p++)
			cr_assert_leq(file->header.ephemeral[p], SPOILED);
	}
	atomic_store(&watch.stop, true);
	pthread_join(thread, NULL);
	free(file);
}
