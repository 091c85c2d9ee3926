/* SPDX-License-Identifier: MIT */
/* Announcing a bind; deaths of binders stand in test_announce_death.c. */
#include "core/pool/announce.h"

#include <linux/futex.h>

#include "tests/books.h"
#include "tests/kernel.h"
#include "tests/rig.h"

#define PORT 5000

static uint32_t
words_taken(struct pool_file *file)
{
	uint32_t n = 0;

	for (uint32_t s = 0; s < SEGMENT_COUNT; s++)
		for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
			n += atomic_load(&file->segment[s].word[i].owner) != 0;
	return n;
}

static struct robust_list_head *
own_list(void)
{
	void *head;
	size_t size;

	cr_assert_eq(sys_robust_list(&sys_kernel, &head, &size), 0);
	return head;
}

CHECK(announce, takes_a_word_of_the_ports_segment)
{
	static const uint16_t ports[] = {1, 511, 512, PORT, 65535};
	struct pool_file *file = books_new();
	struct announcer self = {0};

	for (size_t i = 0; i < 5; i++) {
		struct segment *segment = &file->segment[ports[i] / 512];
		struct announce a;

		cr_assert_eq(
			announce_begin(&sys_kernel, &self, file, ports[i], &a),
			0);
		cr_assert(a.word >= segment->word &&
			  a.word < segment->word + SEGMENT_WORDS);
		cr_assert_eq(a.word->owner, (uint32_t)gettid());
		cr_assert_eq(a.word->what & 0xffff, ports[i]);
		cr_assert_eq(words_taken(file), 1);
		announce_end(&a);
		cr_assert_eq(words_taken(file), 0);
	}
	free(file);
}

/* A program may be in the middle of a robust mutex of its own. */
CHECK(announce, puts_back_what_was_pending)
{
	static struct {
		struct robust_list entry;
		uint64_t room[8];
	} own;
	struct robust_list_head *list = own_list();
	struct pool_file *file = books_new();
	struct announcer self = {0};
	struct announce outer, inner;

	list->list_op_pending = &own.entry;
	cr_assert_eq(announce_begin(&sys_kernel, &self, file, PORT, &outer), 0);
	cr_assert_eq((char *)list->list_op_pending + list->futex_offset,
		     (char *)&outer.word->owner);
	/* A signal handler binds, too. */
	cr_assert_eq(announce_begin(&sys_kernel, &self, file, PORT, &inner), 0);
	cr_assert_neq(inner.word, outer.word);
	announce_end(&inner);
	cr_assert_eq((char *)list->list_op_pending + list->futex_offset,
		     (char *)&outer.word->owner);
	announce_end(&outer);
	cr_assert_eq(list->list_op_pending, &own.entry);
	list->list_op_pending = NULL;
	cr_assert_eq(words_taken(file), 0);
	free(file);
}

CHECK(announce, every_announcement_is_a_new_one)
{
	struct pool_file *file = books_new();
	struct announcer self = {0};
	struct announce a;
	uint32_t last = 0;

	for (int i = 0; i < 70000; i++) {
		announce_begin(&sys_kernel, &self, file, PORT, &a);
		cr_assert_neq(a.word->what, last);
		last = a.word->what;
		announce_end(&a);
	}
	free(file);
}

CHECK(announce, refuses_when_all_words_are_taken)
{
	struct pool_file *file = books_new();
	struct robust_list_head *list = own_list();
	struct announcer self = {0};
	struct announce a;

	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		atomic_store(&segment_of(file, PORT)->word[i].owner, i + 1);
	cr_assert_eq(announce_begin(&sys_kernel, &self, file, PORT, &a),
		     -EBUSY);
	cr_assert_null(list->list_op_pending);
	atomic_store(&segment_of(file, PORT)->word[99].owner, 0);
	cr_assert_eq(announce_begin(&sys_kernel, &self, file, PORT, &a), 0);
	cr_assert_eq(a.word, &segment_of(file, PORT)->word[99]);
	announce_end(&a);
	free(file);
}

CHECK(announce, needs_a_robust_list)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_get_robust_list, -ENOSYS, NULL);
	struct pool_file *file = books_new();
	struct announcer self = {0};
	struct announce a;

	cr_assert_eq(announce_begin(&kernel.ops, &self, file, PORT, &a),
		     -ENOSYS);
	cr_assert_eq(words_taken(file), 0);
	free(file);
}

/* A page of the mapping without a file behind it is SIGBUS when touched. */
CHECK(announce, notices_a_truncated_file)
{
	const off_t sizes[] = {0, 4096,
			       offsetof(struct pool_file, segment) + 4096};
	struct announcer self = {0};
	struct announce a;

	for (size_t i = 0; i < 3; i++) {
		struct pool pool = rig_pool();

		cr_assert_eq(
			announce_begin(&sys_kernel, &self, pool.file, PORT, &a),
			0);
		announce_end(&a);
		cr_assert_eq(truncate(rig_file(), sizes[i]), 0);
		cr_assert_eq(
			announce_begin(&sys_kernel, &self, pool.file, PORT, &a),
			-EFAULT);
		cr_assert_null(own_list()->list_op_pending);
		pool_close(&pool);
		unlink(rig_file());
	}
}
