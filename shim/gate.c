/* SPDX-License-Identifier: MIT */
#include "shim/gate.h"

#include <pthread.h>
#include <sys/single_threaded.h>

#include "shim/track.h"

#define LENT_MAX 64

_Atomic uint32_t gate_of_process;

static __thread struct {
	bool under_way;
	uint32_t thread; /* in the parent */
	struct gate_hold hold;
	_Atomic uint32_t gate;
} forking __attribute__((tls_model("initial-exec")));

/* Thread id above the descriptor + 1; 0 = none. */
static _Atomic uint64_t lent[LENT_MAX];

_Atomic uint32_t *
gate_here(void)
{
	return forking.under_way ? &forking.gate : &gate_of_process;
}

void
gate_visit(struct gate_visit *ret)
{
	/* A child of vfork has descriptors of its own. */
	ret->under_way = !__libc_single_threaded && !track_is_borrowed();
	if (ret->under_way)
		lock_gate_hold(&sys_kernel, gate_here(), &ret->hold);
}

void
gate_visit_end(const struct gate_visit *visit)
{
	if (visit->under_way)
		lock_gate_let_go(&sys_kernel, gate_here(), &visit->hold);
}

static uint32_t
lent_number(uint64_t entry)
{
	return (uint32_t)entry;
}

void
gate_lend(int fd)
{
	uint64_t entry =
		(uint64_t)sys_gettid(&sys_kernel) << 32 | ((uint32_t)fd + 1);

	for (int i = 0; i < LENT_MAX; i++) {
		uint64_t none = 0;

		if (atomic_compare_exchange_strong(&lent[i], &none, entry))
			return;
	}
}

void
gate_take_back(int fd)
{
	for (int i = 0; i < LENT_MAX; i++)
		if (lent_number(atomic_load(&lent[i])) == (uint32_t)fd + 1)
			atomic_store(&lent[i], 0);
}

/* In a child: its parent's other threads do not go on here. */
static void
close_lent(void)
{
	for (int i = 0; i < LENT_MAX; i++) {
		uint64_t entry = atomic_load(&lent[i]);

		if (entry == 0 || entry >> 32 == forking.thread)
			continue;
		sys_close(&sys_kernel, (int)(lent_number(entry) - 1));
		atomic_store(&lent[i], 0);
	}
}

/*
 * A thread inside the pool holds a locked descriptor and perhaps a trial
 * socket. A child that inherits them would keep the lock when the parent dies,
 * and the port. So fork waits until nobody is inside.
 */
static void
before_fork(void)
{
	struct gate_hold hold;

	lock_gate_hold(&sys_kernel, &gate_of_process, &hold);
	forking.hold = hold;
	forking.thread = sys_gettid(&sys_kernel);
	forking.under_way = true;
}

static void
after_fork(void)
{
	struct gate_hold hold = forking.hold;

	forking.under_way = false;
	lock_gate_let_go(&sys_kernel, &gate_of_process, &hold);
}

static void
after_fork_in_child(void)
{
	/* Whatever thread was inside does not exist here. */
	forking.hold.inside = true;
	track_forked();
	close_lent();
	after_fork();
}

void
gate_register_fork(void)
{
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
