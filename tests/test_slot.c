/* SPDX-License-Identifier: MIT */
/* Slots, marks and tokens; what a rebuild does stands in test_rebuild.c. */
#include "core/pool/slot.h"
#include "tests/books.h"
#include "tests/steps.h"

CHECK(slot, marks_exactly_its_ports_of_its_protocol)
{
	/* The last two reach over segments, and to the last port. */
	static const struct range ranges[] = {
		{1, 1}, {5000, 20}, {1000, 1500}, {65000, 536}};
	struct pool_file *file = books_new();

	for (size_t i = 0; i < 4; i++)
		for (int p = 0; p < PROTOCOL_COUNT; p++) {
			struct range r = ranges[i];
			struct slot *slot =
				books_add(file, p, r.start, r.count);

			for (uint32_t port = 0; port < PORT_COUNT; port++) {
				cr_assert_eq(slot_by_port(file, p, port),
					     range_contains(r, port) ? slot
								     : NULL);
				cr_assert_null(slot_by_port(file, !p, port));
			}
			slot_free(file, slot);
			cr_assert_eq(atomic_load(&file->header.dirty), 0);
			books_check(file, "after free");
		}
	free(file);
}

CHECK(slot, a_picked_slot_is_not_found_before_it_is_published)
{
	struct pool_file *file = books_new();
	struct slot *slot = slot_pick(file);
	uint64_t token = atomic_load(&slot->token);

	books_fill(slot, PROTOCOL_TCP, (struct range){5000, 2});
	slot_mark(file, slot);
	cr_assert_null(slot_by_token(file, token));
	cr_assert_null(slot_by_port(file, PROTOCOL_TCP, 5000));
	slot_publish(slot);
	cr_assert_eq(slot_by_token(file, token), slot);
	cr_assert_eq(slot_by_port(file, PROTOCOL_TCP, 5001), slot);
	free(file);
}

CHECK(slot, tokens_find_only_their_own_slot)
{
	struct pool_file *file = books_new();
	struct slot *slot = books_add(file, PROTOCOL_TCP, 5000, 2);
	uint64_t token = atomic_load(&slot->token);

	cr_assert_null(slot_by_token(file, 0));
	cr_assert_null(slot_by_token(file, token + 1));
	cr_assert_null(slot_by_token(file, token + SLOT_COUNT));
	cr_assert_null(slot_by_token(file, token | (uint64_t)1 << 63));
	cr_assert_null(slot_by_token(file, UINT64_MAX));
	slot_free(file, slot);
	cr_assert_null(slot_by_token(file, token));
	free(file);
}

/* Without the lock, so it must not hit the slot's next user. */
CHECK(slot, ending_needs_the_right_token_and_cookie)
{
	struct pool_file *file = books_new();
	struct slot *slot = books_add(file, PROTOCOL_TCP, 5000, 2);
	uint64_t token = atomic_load(&slot->token);

	slot->cookie = 4711;
	slot_mark_dead(file, token, 4712);
	slot_mark_dead(file, token + SLOT_COUNT, 4711);
	slot_mark_dead(file, 0, 4711);
	cr_assert_not(slot_is_dead(slot));
	cr_assert_eq(slot_by_token(file, token), slot);
	slot_mark_dead(file, token, 4711);
	cr_assert(slot_is_dead(slot));
	/* Its marks stay until somebody inside the pool frees it. */
	cr_assert(slot_live(slot));
	cr_assert_null(slot_by_token(file, token));
	cr_assert_null(slot_by_token(file, token | TOKEN_DEAD));
	cr_assert_eq(slot_by_port(file, PROTOCOL_TCP, 5001), slot);
	books_check(file, "ended");
	file->header.slot_hint = 0;
	cr_assert_eq(slot_pick(file), slot);
	cr_assert_null(slot_by_port(file, PROTOCOL_TCP, 5001));
	cr_assert_not(slot_is_dead(slot));
	cr_assert_gt(atomic_load(&slot->token), token);
	books_check(file, "freed");
	free(file);
}

struct ending {
	struct pool_file *file;
	uint64_t token;
};

static void
end_it(void *context)
{
	const struct ending *ending = context;

	steps_begin();
	slot_mark_dead(ending->file, ending->token, 4711);
}

static bool
has_ended(const void *context)
{
	const struct ending *ending = context;

	return slot_is_dead(&ending->file->slot[token_slot(ending->token)]);
}

static struct slot *
add_one_to_end(struct ending *ending)
{
	struct slot *slot;

	ending->file->header.slot_hint = 0;
	slot = books_add(ending->file, PROTOCOL_TCP, 5000, 2);
	slot->cookie = 4711;
	ending->token = atomic_load(&slot->token);
	return slot;
}

/* Whenever the lock's holder frees the slot and gives it to somebody else. */
CHECK(slot, ending_spares_the_slots_next_user)
{
	struct ending ending = {steps_shared(sizeof(*ending.file)), 0};
	struct slot *slot = add_one_to_end(&ending);
	int ended = steps_until(has_ended, end_it, &ending);
	int steps = ended > STEPS_BEFORE ? ended - STEPS_BEFORE : 1;

	slot_free(ending.file, slot);
	for (; steps <= ended; steps++) {
		pid_t pid;

		cr_assert_eq(add_one_to_end(&ending), slot);
		pid = steps_fork(end_it, &ending);
		cr_assert(steps_go(pid, steps));
		slot_free(ending.file, slot);
		cr_assert_eq(add_one_to_end(&ending), slot);
		steps_let_go(pid);
		cr_assert_eq(atomic_load(&slot->token), ending.token,
			     "%d steps before the end", ended - steps);
		slot_free(ending.file, slot);
	}
	munmap(ending.file, sizeof(*ending.file));
}

CHECK(slot, those_in_the_ephemeral_range_are_counted)
{
	struct pool_file *file = books_new();
	struct slot *a = slot_pick(file), *b;

	books_fill(a, PROTOCOL_UDP, (struct range){40000, 5});
	a->ephemeral = 1;
	slot_mark(file, a);
	slot_publish(a);
	b = books_add(file, PROTOCOL_UDP, 5000, 5);
	books_check(file, "two");
	cr_assert_eq(file->header.ephemeral[PROTOCOL_UDP], 1);
	cr_assert_eq(file->header.ephemeral[PROTOCOL_TCP], 0);
	slot_free(file, b);
	cr_assert_eq(file->header.ephemeral[PROTOCOL_UDP], 1);
	slot_free(file, a);
	cr_assert_eq(file->header.ephemeral[PROTOCOL_UDP], 0);
	free(file);
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Also where the sequence starts anywhere, as in a damaged file. */
CHECK(slot, tokens_never_repeat)
{
	enum { N = 40000 };
	struct dice dice = dice_from(7);
	struct pool_file *file = books_new();
	uint64_t *seen = malloc(N * sizeof(*seen));
	uint64_t last = 0;

	for (int i = 0; i < N; i++) {
		struct slot *slot = slot_pick(file);

		seen[i] = atomic_load(&slot->token);
		cr_assert_eq(token_slot(seen[i]), books_number(file, slot));
		cr_assert(seen[i] > last && seen[i] < (uint64_t)1 << 63);
		last = seen[i];
		if (dice_chance(&dice, 30)) {
			books_fill(slot, PROTOCOL_TCP, (struct range){9, 1});
			slot_publish(slot);
		}
		if (dice_chance(&dice, 40))
			slot_free(file, &file->slot[dice_below(&dice, 8192)]);
	}
	qsort(seen, N, sizeof(*seen), by_number);
	for (int i = 1; i < N; i++)
		cr_assert_neq(seen[i], seen[i - 1]);
	free(seen);
	free(file);
}

CHECK(slot, tokens_are_good_whatever_the_sequence)
{
	const uint64_t wild[] = {0,
				 1,
				 ((uint64_t)1 << 50) - 2,
				 ((uint64_t)1 << 50) - 1,
				 (uint64_t)1 << 50,
				 (uint64_t)1 << 63,
				 UINT64_MAX - 1,
				 UINT64_MAX};
	struct pool_file *file = books_new();

	for (size_t i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
		uint64_t last = 0;

		file->header.sequence = wild[i];
		file->header.slot_hint = (uint32_t)wild[i];
		for (int n = 0; n < 4; n++) {
			uint64_t token = atomic_load(&slot_pick(file)->token);

			cr_assert(token != 0 && token < (uint64_t)1 << 63);
			cr_assert_neq(token, last);
			last = token;
		}
	}
	free(file);
}

/* A pool made anew goes on above its predecessor's last token. */
CHECK(slot, first_sequence_is_the_clock)
{
	uint64_t a = slot_first_sequence(&sys_kernel);
	struct pool_file *file = books_new();

	file->header.sequence = a;
	while (slot_first_sequence(&sys_kernel) == a)
		;
	cr_assert_gt(slot_first_sequence(&sys_kernel), a);
	slot_pick(file);
	cr_assert_leq(file->header.sequence, slot_first_sequence(&sys_kernel));
	free(file);
}

CHECK(slot, freeing_one_leaves_its_neighbours)
{
	struct pool_file *file = books_new();
	struct slot *left = books_add(file, PROTOCOL_TCP, 5000, 10);
	struct slot *mid = books_add(file, PROTOCOL_TCP, 5010, 10);
	struct slot *right = books_add(file, PROTOCOL_TCP, 5020, 10);
	struct slot *other = books_add(file, PROTOCOL_UDP, 5010, 10);

	slot_free(file, mid);
	books_check(file, "after free");
	cr_assert_eq(slot_by_port(file, PROTOCOL_TCP, 5009), left);
	cr_assert_null(slot_by_port(file, PROTOCOL_TCP, 5010));
	cr_assert_null(slot_by_port(file, PROTOCOL_TCP, 5019));
	cr_assert_eq(slot_by_port(file, PROTOCOL_TCP, 5020), right);
	cr_assert_eq(slot_by_port(file, PROTOCOL_UDP, 5010), other);
	/* A slot that lies about its range takes no marks of others off. */
	mid->start = 5000;
	mid->count = 30;
	slot_unmark(file, mid);
	books_check(file, "after unmark");
	free(file);
}

CHECK(slot, all_can_be_used_and_none_twice)
{
	struct pool_file *file = books_new();
	struct slot *any;

	for (uint32_t i = 0; i < SLOT_COUNT; i++)
		books_add(file, PROTOCOL_TCP, 1 + i, 1);
	cr_assert_null(slot_pick(file));
	books_check(file, "full");
	any = &file->slot[4711];
	slot_free(file, any);
	cr_assert_eq(slot_pick(file), any);
	slot_publish(any);
	cr_assert_null(slot_pick(file));
	free(file);
}
