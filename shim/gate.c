/* SPDX-License-Identifier: MIT */
#include "shim/gate.h"

#include <pthread.h>
#include <sys/single_threaded.h>

#include "shim/process.h"
#include "shim/track.h"

#define LENT_MAX 64
#define FORK_LIMIT_NS 1000000000 /* an acquire of all ports is over by then */
#define VISIT_LIMIT_NS 1000000

_Atomic uint32_t gate_of_process;

static __thread struct {
	bool under_way;
	uint32_t process, thread; /* in the parent */
	struct gate_hold hold;
	_Atomic uint32_t gate;
} forking __attribute__((tls_model("initial-exec")));

static _Atomic int forks_under_way;

/* Of another process than this one, an entry came along with a child's memory
 * and is free. */
static struct lent {
	_Atomic uint32_t process;
	_Atomic uint32_t thread;
	_Atomic int fd; /* + 1; 0 until it is known */
} lent[LENT_MAX];

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
	if (!ret->under_way)
		return;
	lock_gate_hold(&sys_kernel, gate_here(), VISIT_LIMIT_NS, &ret->hold);
	/* A fork is waited for: that is what all this is about. */
	if (!ret->hold.inside && atomic_load(&forks_under_way)) {
		lock_gate_let_go(&sys_kernel, gate_here(), &ret->hold);
		lock_gate_hold(&sys_kernel, gate_here(), FORK_LIMIT_NS,
			       &ret->hold);
	}
}

void
gate_visit_end(const struct gate_visit *visit)
{
	if (visit->under_way)
		lock_gate_let_go(&sys_kernel, gate_here(), &visit->hold);
}

void
gate_lend(int fd)
{
	uint32_t process = process_number();

	for (int i = 0; i < LENT_MAX && process; i++) {
		uint32_t seen = atomic_load(&lent[i].process);

		if (seen == process ||
		    !atomic_compare_exchange_strong(&lent[i].process, &seen,
						    process))
			continue;
		atomic_store(&lent[i].thread, sys_gettid(&sys_kernel));
		atomic_store(&lent[i].fd, fd + 1);
		return;
	}
}

void
gate_take_back(int fd)
{
	uint32_t process = process_number();

	for (int i = 0; i < LENT_MAX; i++) {
		if (atomic_load(&lent[i].process) != process ||
		    atomic_load(&lent[i].fd) != fd + 1)
			continue;
		atomic_store(&lent[i].fd, 0);
		atomic_store(&lent[i].process, 0);
	}
}

/*
 * In a child: its parent's other threads do not go on here. The one that has
 * forked does, and knows its descriptor.
 */
static void
close_lent(void)
{
	for (int i = 0; i < LENT_MAX; i++) {
		uint32_t process = atomic_load(&lent[i].process);
		int fd = atomic_load(&lent[i].fd) - 1;

		if (process != 0 && process == forking.process && fd >= 0 &&
		    atomic_load(&lent[i].thread) != forking.thread)
			sys_close(&sys_kernel, fd);
		atomic_store(&lent[i].fd, 0);
		atomic_store(&lent[i].process, 0);
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

	atomic_fetch_add(&forks_under_way, 1);
	lock_gate_hold(&sys_kernel, &gate_of_process, FORK_LIMIT_NS, &hold);
	forking.hold = hold;
	forking.process = process_number();
	forking.thread = sys_gettid(&sys_kernel);
	forking.under_way = true;
}

static void
after_fork(void)
{
	struct gate_hold hold = forking.hold;

	forking.under_way = false;
	atomic_fetch_sub(&forks_under_way, 1);
	lock_gate_let_go(&sys_kernel, &gate_of_process, &hold);
}

static void
after_fork_in_child(void)
{
	/* Whatever thread was inside, or forking, does not exist here. */
	forking.hold.inside = true;
	atomic_store(&forks_under_way, 1);
	track_forked();
	close_lent();
	after_fork();
}

void
gate_register_fork(void)
{
	track_is_ours(); /* before a child of vfork can be the first to ask */
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
