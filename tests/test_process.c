/* SPDX-License-Identifier: MIT */
/* What a forked child has of its own, whichever call made it. */
#include "shim/process.h"

#include <sched.h>
#include <sys/syscall.h>

#include "core/pool.h"
#include "tests/peer.h"

static pid_t
plain_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static pid_t (*const ways[])(void) = {fork, _Fork, plain_clone};

/* In the child: nothing is the parent's. */
static void
look(uint32_t number_before)
{
	child_assert(process_id() == (uint32_t)getpid());
	child_assert(process_number() != number_before);
	child_assert(process_number() == process_number());
	child_assert(pool_gate_enter(process_gate()));
	child_assert(!pool_gate_enter(process_gate()));
	_exit(0);
}

CHECK(process, a_child_finds_the_gate_open_and_is_somebody_else)
{
	uint32_t number = process_number();

	cr_assert_neq(number, 0);
	cr_assert_eq(process_id(), (uint32_t)getpid());
	cr_assert(pool_gate_enter(process_gate()));
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		pid_t pid = ways[i]();
		int status;

		cr_assert_geq(pid, 0);
		if (pid == 0)
			look(number);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		peer_verdict(status);
	}
	/* And took nothing from us. */
	cr_assert_not(pool_gate_enter(process_gate()));
	pool_gate_leave(process_gate());
	cr_assert_eq(process_number(), number);
	cr_assert_eq(process_id(), (uint32_t)getpid());
}

static int
as_vfork(void *number)
{
	child_assert(process_number() == *(uint32_t *)number);
	child_assert(!pool_gate_enter(process_gate()));
	return 0;
}

CHECK(process, a_child_of_vfork_is_in_its_parents_memory)
{
	static char stack[65536] __attribute__((aligned(16)));
	uint32_t number = process_number();
	int status;
	pid_t pid;

	cr_assert(pool_gate_enter(process_gate()));
	pid = clone(as_vfork, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | SIGCHLD, &number);
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	peer_verdict(status);
	pool_gate_leave(process_gate());
}
