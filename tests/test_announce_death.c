/* SPDX-License-Identifier: MIT */
/* Binders that die, stop or never were, and how long an acquirer minds. */
#include "core/pool/announce.h"

#include <linux/futex.h>
#include <sched.h>

#include "tests/books.h"
#include "tests/kernel.h"
#include "tests/peer.h"

#define PORT 5000

static const struct range around = {PORT, 10};

/* Shared with children. */
static struct pool_file *
shared_books(void)
{
	void *at = mmap(NULL, sizeof(struct pool_file), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(at, MAP_FAILED);
	return at;
}

/* A child that is between announce_begin() and announce_end(). */
static struct peer
binder_fork(struct pool_file *file, struct announcer *self)
{
	struct peer peer = peer_fork();
	struct announce a;

	if (peer.pid == 0) {
		child_assert(
			announce_begin(&sys_kernel, self, file, PORT, &a) == 0);
		child_assert(a.word->owner == (uint32_t)gettid());
		peer_tell(&peer);
		return peer;
	}
	cr_assert(peer_hear(&peer));
	return peer;
}

/* The wait takes no time, and leaves the word to the next binder. */
static void
expect_over(struct pool_file *file)
{
	struct kernel_timeless kernel = kernel_timeless(0);
	uint64_t began = kernel.now;
	uint32_t port;

	cr_assert(announce_wait(&kernel.ops, file, around, &(uint64_t){0},
				&port));
	cr_assert_eq(kernel.now, began);
	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		cr_assert_eq(segment_of(file, PORT)->word[i].owner, 0);
}

CHECK(announce_death, a_killed_binder_is_cleared_by_the_kernel)
{
	struct pool_file *file = shared_books();
	struct announcer self = {0};
	struct peer peer = binder_fork(file, &self);

	if (peer.pid == 0) {
		pause();
		_exit(0);
	}
	peer_kill(&peer);
	expect_over(file);
}

CHECK(announce_death, exec_ends_an_announcement)
{
	struct pool_file *file = shared_books();
	struct announcer self = {0};
	struct peer peer = binder_fork(file, &self);
	char c;

	if (peer.pid == 0) {
		dup2(peer.in, 0);
		dup2(peer.out, 1);
		execlp("cat", "cat", (char *)NULL);
		_exit(127);
	}
	peer_tell(&peer);
	cr_assert_eq(read(peer.in, &c, 1), 1);
	expect_over(file);
	peer_verdict(peer_end(&peer));
}

/* The memory that remembers the parent's list is the child's after fork. */
CHECK(announce_death, after_fork_the_child_announces_for_itself)
{
	struct pool_file *file = shared_books();
	struct announcer self = {0};
	struct announce a;
	struct peer peer;

	cr_assert_eq(announce_begin(&sys_kernel, &self, file, PORT, &a), 0);
	announce_end(&a);
	cr_assert_eq(self.thread, (uint32_t)gettid());
	peer = binder_fork(file, &self);
	if (peer.pid == 0) {
		pause();
		_exit(0);
	}
	peer_kill(&peer);
	expect_over(file);
	cr_assert_eq(announce_begin(&sys_kernel, &self, file, PORT, &a), 0);
	cr_assert_eq(a.word->owner, (uint32_t)gettid());
	announce_end(&a);
}

static struct announcer vfork_self;

static int
vfork_child(void *context)
{
	struct announce a;
	int r = announce_begin(&sys_kernel, &vfork_self, context, PORT, &a);

	return r == -ENOSYS ? 0 : 1;
}

/* It shares the parent's memory, but has no robust list of its own. */
CHECK(announce_death, a_vfork_child_binds_under_the_lock)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	struct pool_file *file = shared_books();
	struct announce a;
	int status;
	pid_t pid;

	cr_assert_eq(announce_begin(&sys_kernel, &vfork_self, file, PORT, &a),
		     0);
	announce_end(&a);
	pid = clone(vfork_child, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | SIGCHLD, file);
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	peer_verdict(status);
	expect_over(file);
	/* The parent is not confused by what the child left in its memory. */
	cr_assert_eq(announce_begin(&sys_kernel, &vfork_self, file, PORT, &a),
		     0);
	cr_assert_eq(a.word->owner, (uint32_t)gettid());
	announce_end(&a);
}

CHECK(announce_death, a_stopped_binder_costs_a_tenth_of_a_second)
{
	struct pool_file *file = shared_books();
	struct announcer self = {0};
	struct peer peer = binder_fork(file, &self);
	struct kernel_timeless kernel = kernel_timeless(0);
	uint64_t began = kernel.now;
	uint32_t port = 0;
	int status;

	if (peer.pid == 0) {
		peer_hear(&peer);
		raise(SIGSTOP);
		_exit(0);
	}
	peer_tell(&peer);
	cr_assert_eq(waitpid(peer.pid, &status, WUNTRACED), peer.pid);
	cr_assert(WIFSTOPPED(status));
	cr_assert_not(announce_wait(&kernel.ops, file, around, &(uint64_t){0},
				    &port));
	cr_assert_eq(port, PORT);
	cr_assert_geq(kernel.now - began, 100000000);
	cr_assert_leq(kernel.now - began, 101000000);
	/* In real time as well. */
	began = sys_clock(&sys_kernel, CLOCK_MONOTONIC);
	cr_assert_not(announce_wait(&sys_kernel, file, around, &(uint64_t){0},
				    &port));
	began = sys_clock(&sys_kernel, CLOCK_MONOTONIC) - began;
	cr_assert(began > 90000000 && began < 1000000000, "%lu ns", began);
	kill(peer.pid, SIGCONT);
	peer_verdict(peer_end(&peer));
	expect_over(file);
}

/* Its announcements all differ, so a new one says: the marks were seen. */
struct kernel_busy {
	struct sys_ops ops;
	struct announcement *word;
	int yields;
};

static long
kernel_rebind(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_busy *self = (struct kernel_busy *)(void *)sys;

	if (nr == SYS_sched_yield) {
		self->yields++;
		atomic_fetch_add(&self->word->what, 1 << 16);
		return 0;
	}
	return kernel_real(nr, arg);
}

CHECK(announce_death, a_busy_binder_does_not_starve_an_acquirer)
{
	struct pool_file *file = books_new();
	struct kernel_busy kernel = {{.call = kernel_rebind}, NULL, 0};
	uint32_t port;

	kernel.word = &segment_of(file, PORT)->word[7];
	atomic_store(&kernel.word->owner, 4711);
	atomic_store(&kernel.word->what, 0xfffe0000 | PORT);
	for (int i = 0; i < 4; i++)
		cr_assert(announce_wait(&kernel.ops, file, around,
					&(uint64_t){0}, &port));
	cr_assert_eq(kernel.yields, 4);
	free(file);
}

CHECK(announce_death, rubbish_is_cleared_and_not_waited_for)
{
	static const uint32_t owners[] = {
		FUTEX_OWNER_DIED,   FUTEX_OWNER_DIED | 77,
		FUTEX_WAITERS | 77, 1u << 22,
		0xffffffff,	    0x80000000};
	struct pool_file *file = books_new();

	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
		struct announcement *word = &segment_of(file, PORT)->word[i];

		atomic_store(&word->owner, owners[i]);
		atomic_store(&word->what, (uint32_t)i << 16 | (PORT + 9));
	}
	expect_over(file);
	free(file);
}

/* They are looked over in rows: no place in a row may be passed by. */
CHECK(announce_death, every_word_is_looked_at)
{
	struct pool_file *file = books_new();
	struct segment *segment = segment_of(file, 5000);
	uint64_t since = 0;
	uint32_t port;

	for (uint32_t i = 0; i < SEGMENT_WORDS; i++) {
		struct announcement *word = &segment->word[i];

		atomic_store(&word->what, 5000);
		atomic_store(&word->owner, FUTEX_OWNER_DIED | 7);
		cr_assert(announce_wait(&sys_kernel, file,
					(struct range){5000, 1}, &since,
					&port));
		cr_assert_eq(word->owner, 0, "word %u", i);
	}
	free(file);
}

/* Nor may one of the segments that a block reaches into. */
CHECK(announce_death, every_segment_is_looked_at)
{
	const struct range block = {PORT, 3 * SEGMENT_PORTS};
	struct kernel_timeless kernel = kernel_timeless(0);
	struct pool_file *file = books_new();
	uint32_t looked = 0, port = 0;

	for (uint32_t p = block.start; p < range_end(block);
	     p = (p / SEGMENT_PORTS + 1) * SEGMENT_PORTS, looked++) {
		struct announcement *word = &segment_of(file, p)->word[7];

		atomic_store(&word->what, p);
		atomic_store(&word->owner, 4711);
		cr_assert_not(announce_wait(&kernel.ops, file, block,
					    &(uint64_t){0}, &port),
			      "port %u", p);
		cr_assert_eq(port, p);
		atomic_store(&word->owner, 0);
	}
	cr_assert_eq(looked, 4);
	free(file);
}

/* 255 binders died in one segment: the next one need not take the lock. */
CHECK(announce_death, a_dead_binders_word_is_taken_over)
{
	struct pool_file *file = books_new();
	struct segment *segment = segment_of(file, PORT);
	struct announcer self = {0};
	struct announce a;

	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		atomic_store(&segment->word[i].owner, 4711);
	cr_assert_eq(announce_begin(&sys_kernel, &self, file, PORT, &a),
		     -EBUSY);
	for (uint32_t i = 0; i < SEGMENT_WORDS; i++) {
		struct announcement *word = &segment->word[i];
		uint32_t before = word->what = PORT + 1;

		atomic_store(&word->owner, FUTEX_OWNER_DIED);
		cr_assert_eq(announce_begin(&sys_kernel, &self, file, PORT, &a),
			     0);
		cr_assert_eq(a.word, word);
		cr_assert_eq(word->owner, (uint32_t)gettid());
		/* An acquirer who waits for the dead one sees the difference.
		 */
		cr_assert_neq(word->what, before);
		announce_end(&a);
		atomic_store(&word->owner, 4711);
	}
	free(file);
}
