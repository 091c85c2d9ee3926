/* SPDX-License-Identifier: MIT */
/* Binders and acquirers at work at the same time. */
#include "core/pool/announce.h"

#include <pthread.h>
#include <sched.h>

#include "tests/books.h"
#include "tests/kernel.h"

#define PORT 5000

static const struct range around = {PORT, 10};

struct thread {
	struct pool_file *file;
	int tell, hear; /* pipes */
	uint16_t port;
	_Atomic bool ended;
};

static void *
announce_until_told(void *context)
{
	struct thread *thread = context;
	struct announcer self = {0};
	struct announce a;
	char c;
	ssize_t n;

	if (announce_begin(&sys_kernel, &self, thread->file, thread->port, &a) <
	    0)
		return NULL;
	n = write(thread->tell, "!", 1);
	n = read(thread->hear, &c, 1);
	(void)n;
	atomic_store(&thread->ended, true);
	announce_end(&a);
	return NULL;
}

/* A kernel that tells somebody when the acquirer has begun to wait. */
struct kernel_telling {
	struct sys_ops ops;
	int fd, yields;
};

static long
kernel_tell(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_telling *self = (struct kernel_telling *)(void *)sys;

	if (nr == SYS_sched_yield && self->yields++ == 0 &&
	    write(self->fd, "!", 1) != 1)
		return -EIO;
	return kernel_real(nr, arg);
}

CHECK(announce_race, acquirers_wait_for_a_bind_to_their_ports_only)
{
	struct pool_file *file = books_new();
	struct thread thread = {.file = file, .port = PORT + 3};
	struct kernel_telling kernel = {{.call = kernel_tell}, 0, 0};
	int there[2], back[2];
	pthread_t id;
	uint32_t port;
	char c;

	cr_assert(pipe2(there, O_CLOEXEC) == 0 && pipe2(back, O_CLOEXEC) == 0);
	thread.hear = there[0];
	thread.tell = back[1];
	kernel.fd = there[1];
	pthread_create(&id, NULL, announce_until_told, &thread);
	cr_assert_eq(read(back[0], &c, 1), 1);
	/* Not for neighbours, nor for the same word of another segment. */
	cr_assert(announce_wait(&kernel.ops, file, (struct range){PORT, 3},
				&(uint64_t){0}, &port));
	cr_assert(announce_wait(&kernel.ops, file,
				(struct range){PORT + 4, 3000}, &(uint64_t){0},
				&port));
	cr_assert(announce_wait(&kernel.ops, file, (struct range){1, 4000},
				&(uint64_t){0}, &port));
	cr_assert_eq(kernel.yields, 0);
	cr_assert(announce_wait(&kernel.ops, file, around, &(uint64_t){0},
				&port));
	cr_assert(atomic_load(&thread.ended));
	cr_assert_gt(kernel.yields, 0);
	pthread_join(id, NULL);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
	free(file);
}

struct dance {
	struct pool_file *file;
	_Atomic bool stop, bound;
	_Atomic uint32_t binds, dancers;
	_Atomic uint64_t turns[2];
};

/* bind() and close(), as often as it can; `bound` stands for the kernel. */
static void *
bind_all_the_time(void *context)
{
	struct dance *dance = context;
	uint32_t number = atomic_fetch_add(&dance->dancers, 1);
	struct announcer self = {0};
	struct announce a;

	while (!atomic_load(&dance->stop)) {
		announce_begin(&sys_kernel, &self, dance->file, PORT, &a);
		if (!atomic_load(mark_of(dance->file, PROTOCOL_TCP, PORT))) {
			atomic_store_explicit(&dance->bound, true,
					      memory_order_relaxed);
			atomic_fetch_add(&dance->binds, 1);
			atomic_store_explicit(&dance->bound, false,
					      memory_order_relaxed);
		}
		announce_end(&a);
		atomic_fetch_add(&dance->turns[number], 1);
	}
	return NULL;
}

/*
 * Time goes by the turns of both binders: a tenth of a second of the acquirer's
 * patience has a million of them. It stands still while the system keeps one
 * in the middle of a bind, who is to be waited for.
 */
struct kernel_dancing {
	struct sys_ops ops;
	struct dance *dance;
};

static long
kernel_dance(const struct sys_ops *sys, long nr, const long arg[6])
{
	const struct kernel_dancing *self = (const void *)sys;
	uint64_t one, other, ns;

	if (nr != SYS_clock_gettime)
		return kernel_real(nr, arg);
	one = atomic_load(&self->dance->turns[0]);
	other = atomic_load(&self->dance->turns[1]);
	ns = 100 * (one < other ? one : other);
	*(struct timespec *)arg[1] =
		(struct timespec){.tv_sec = (time_t)(1 + ns / 1000000000),
				  .tv_nsec = (long)(ns % 1000000000)};
	return 0;
}

/*
 * The whole protocol: after marks and wait nobody binds there any more. Nor
 * do two binders that never pause keep the acquirer waiting.
 */
CHECK(announce_race, binder_and_acquirer_never_pass_each_other)
{
	struct pool_file *file = books_new();
	struct dance dance = {.file = file};
	const struct kernel_dancing kernel = {{.call = kernel_dance}, &dance};
	struct slot *slot = slot_pick(file);
	pthread_t id[2];
	uint32_t port, before;

	books_fill(slot, PROTOCOL_TCP, around);
	for (int i = 0; i < 2; i++)
		pthread_create(&id[i], NULL, bind_all_the_time, &dance);
	for (int round = 0; round < 8000; round++) {
		slot_mark(file, slot);
		cr_assert(announce_wait(&kernel.ops, file, around,
					&(uint64_t){0}, &port),
			  "starved in round %d", round);
		before = atomic_load(&dance.binds);
		for (int i = 0; i < 100; i++)
			cr_assert_not(atomic_load(&dance.bound), "round %d",
				      round);
		cr_assert_eq(atomic_load(&dance.binds), before);
		slot_unmark(file, slot);
		if (round % 64 == 0) /* let them work */
			while (atomic_load(&dance.binds) == before)
				sched_yield();
	}
	atomic_store(&dance.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(id[i], NULL);
	free(file);
}
