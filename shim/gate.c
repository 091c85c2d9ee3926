/* SPDX-License-Identifier: MIT */
#include "shim/gate.h"

#include <pthread.h>
#include <stdbool.h>

#include "core/lock.h"
#include "shim/track.h"

/* 1 s and more in all: an acquire of all ports is over by then. */
#define FORK_LOOKS 20000
#define FORK_NAP_NS 50000

_Atomic uint32_t gate_of_process;

static __thread struct {
	bool inside; /* we have the process' gate */
	bool under_way;
	uint64_t signals;
	_Atomic uint32_t gate;
} forking __attribute__((tls_model("initial-exec")));

_Atomic uint32_t *
gate_here(void)
{
	return forking.under_way ? &forking.gate : &gate_of_process;
}

/*
 * A thread inside the pool holds a locked descriptor and perhaps a trial
 * socket. A child that inherits them would keep the lock when the parent dies,
 * and the port. So fork waits until nobody is inside, with signals blocked:
 * a handler that came between could wait for us. It does not wait for ever.
 */
static void
before_fork(void)
{
	const struct sys_ops *sys = &sys_kernel;
	const uint64_t all = ~(uint64_t)0;
	uint64_t signals;

	sys_sigmask(sys, SIG_SETMASK, &all, &signals);
	forking.signals = signals;
	forking.inside = lock_gate_enter(sys, &gate_of_process);
	for (int i = 1; i < FORK_LOOKS && !forking.inside; i++) {
		sys_nanosleep(sys, FORK_NAP_NS);
		forking.inside = lock_gate_enter(sys, &gate_of_process);
	}
	forking.under_way = true;
}

static void
after_fork(void)
{
	uint64_t signals = forking.signals;

	forking.under_way = false;
	if (forking.inside)
		atomic_store(&gate_of_process, 0);
	sys_sigmask(&sys_kernel, SIG_SETMASK, &signals, NULL);
}

static void
after_fork_in_child(void)
{
	/* Whatever thread was inside does not exist here. */
	forking.inside = true;
	track_forked();
	after_fork();
}

void
gate_register_fork(void)
{
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
